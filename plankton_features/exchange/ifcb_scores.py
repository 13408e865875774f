"""Class-score files of the IFCB, version 3: a file for each bin."""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError
from plankton_features.files.replacing import replacing
from plankton_features.files.targets import check_output
from plankton_features.heads.predictions import Predictions
from plankton_features.images.ifcb import BinName

UNCLASSIFIED = "unclassified"
VERSION = "v3"
#: Letters that are not others with an accent.
_LETTERS = str.maketrans({
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"})


def write_class_scores(
    folder: str | os.PathLike[str], bins: Sequence[str], targets: ArrayLike,
    classes: Sequence[str], predictions: Predictions, *, thresholds: ArrayLike | None = None,
    classifier: str = "", model_id: str = "", time: datetime | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write what was predicted of bins' pictures as the programs of the IFCB read it.

    The files have what ifcb_classifier, the IFCB Dashboard, pyifcb and ifcbkit read, and what
    iRfcb and ClassiPyR do. Since the former read only ASCII, names of classes are folded to it,
    see `ascii_names`; the true ones stand in ``class_labels_utf8``.

    Parameters
    ----------
    folder : path-like
        Gets a file ``<bin>_class.h5`` for each bin. It is made if it is not there.
    bins : sequence of str of length n
        Name of each picture's bin.
    targets : array-like of int, shape (n,)
        Target numbers, from 1; different ones in each bin.
    classes : sequence of str of length K
    predictions : Predictions
        Of n pictures. Those not accepted are called ``unclassified``.
    thresholds : array-like of float, shape (K,), optional
        Least probability of each class, NaN for none.
    classifier, model_id : str, optional
        Name of the classifier; and its id, by default the name.
    time : datetime, optional
        By default now, in UTC.
    overwrite : bool, default=False
        Replace files that are there.

    Returns
    -------
    list of Path
        In the order of the bins' names.

    Raises
    ------
    InputError
        If lengths differ, a name is no bin's, or a target number is none or there twice; or a file
        is there and `overwrite` is False. Then nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> predictions = Predictions(np.array([1]), np.array([[0.2, 0.8]]), np.array([True]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_class_scores(folder, ["D20220519T124533_IFCB134"], [7],
    ...                                ["détritus", "copepod"], predictions)
    ...     with h5py.File(files[0]) as file:
    ...         files[0].name, file["class_labels"].asstr()[:].tolist(), file["roi_numbers"][:]
    ('D20220519T124533_IFCB134_class.h5', ['detritus', 'copepod'], array([7], dtype=int32))
    """
    numbers = _checked(bins, targets, classes, predictions)
    limits = np.full(len(classes), np.nan) if thresholds is None else np.asarray(thresholds, float)
    if limits.shape != (len(classes),):
        raise InputError(f"thresholds: expected {len(classes)}, one per class; got shape "
                         f"{limits.shape}. Give one per class, NaN for none.")
    rows: dict[str, list[int]] = {}
    for row in np.argsort(numbers, kind="stable").tolist():
        rows.setdefault(bins[row], []).append(row)
    files = {name: Path(folder) / f"{name}_class.h5" for name in sorted(rows)}
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in files.values():
        check_output(path, overwrite)
    about = {"model_id": model_id or classifier, "classifier": classifier,
             "timestamp": (time or datetime.now(UTC)).isoformat(timespec="seconds")}
    for name, path in files.items():
        data = _file_of(name, numbers[rows[name]], list(classes), predictions.take(rows[name]),
                        limits, about)
        with replacing(path) as file:
            file.write(data)
    return list(files.values())


def ascii_names(names: Sequence[str]) -> list[str]:
    """Names of classes in ASCII, all different.

    Accents are left off, other letters that have no like in ASCII become ``_``; of names that
    would be the same, those that were changed, or come later, get a number.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> ascii_names(["détritus", "detritus", "Ærøskøbing", "Кладоцера"])
    ['detritus_2', 'detritus', 'AEroskobing', '_________']
    """
    found: list[str] = []
    taken = {name for name in names if name.isascii()}
    for name in names:
        plain = "".join(c for c in unicodedata.normalize("NFKD", name.translate(_LETTERS))
                        if not unicodedata.combining(c))
        plain = "".join(c if c.isascii() and c.isprintable() else "_" for c in plain) or "_"
        unique, n = plain, 2
        while unique in found or (unique in taken and unique != name):
            unique, n = f"{plain}_{n}", n + 1
        found.append(unique)
    return found


def _checked(bins: Sequence[str], targets: ArrayLike, classes: Sequence[str],
             predictions: Predictions) -> NDArray[np.int64]:
    """Target numbers."""
    numbers = np.asarray(targets)
    n = len(predictions)
    if numbers.shape != (n,) or len(bins) != n:
        raise InputError(f"bins, targets: expected {n}, one per prediction; got {len(bins)} and "
                         f"shape {numbers.shape}.")
    if predictions.probabilities.shape[1] != len(classes) or len(set(classes)) < len(classes):
        raise InputError(f"classes: expected {predictions.probabilities.shape[1]} different names, "
                         f"got {len(classes)}.")
    if n and (numbers.dtype.kind not in "iu" or numbers.min() < 1
              or numbers.max() > np.iinfo(np.int32).max):
        raise InputError("targets: expected the numbers of lines in .adc files, from 1; got "
                         f"{numbers.min()} to {numbers.max()} of type {numbers.dtype}.")
    seen: set[tuple[str, int]] = set()
    for name, number in zip(bins, numbers.tolist(), strict=True):
        if BinName.parse(name) is None:
            raise InputError(f"bins: expected names such as D20220519T124533_IFCB134, got "
                             f"{name[:60]!r}. Only pictures of an IFCB have such files.")
        if (name, number) in seen:
            raise InputError(f"targets: {number} of {name} is there twice.")
        seen.add((name, number))
    return numbers.astype(np.int64)


def _file_of(name: str, numbers: NDArray[np.int64], classes: list[str], predictions: Predictions,
             thresholds: NDArray[np.float64], about: dict[str, str]) -> bytes:
    """The file of one bin."""
    labels = ascii_names(classes)
    auto = [labels[code] for code in predictions.code]
    accepted = [label if taken else UNCLASSIFIED
                for label, taken in zip(auto, predictions.accepted, strict=True)]
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        packed: dict[str, Any] = {"compression": "gzip"} if len(numbers) else {}
        file.create_dataset("output_scores", data=predictions.probabilities.astype(np.float32),
                            **packed)
        file.create_dataset("output_classes", data=predictions.code.astype(np.int32), **packed)
        file.create_dataset("roi_numbers", data=numbers.astype(np.int32))
        file.create_dataset("thresholds", data=thresholds)
        for dataset, texts in (("class_labels", labels), ("class_labels_utf8", classes),
                               ("class_name_auto", auto), ("class_name", accepted),
                               ("classifier_name", [about["classifier"]])):
            file.create_dataset(dataset, data=np.array(texts, object), shape=(len(texts),),
                                dtype=h5py.string_dtype())
        metadata = file.create_dataset("metadata", data=h5py.Empty("f"))
        metadata.attrs.update({"version": VERSION, "model_id": about["model_id"],
                               "timestamp": about["timestamp"], "bin_id": name})
    return buffer.getvalue()
