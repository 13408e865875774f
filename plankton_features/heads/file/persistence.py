"""The head file, format 1: a zip file that is read without running code from it.

manifest.json    format, version, SHA-256 of the other two parts
head.json        `Head.description`: classes, frequencies, calibrator, thresholds, recipe, info
pipeline.skops   scaler, PCA and classifier, see `pipeline_archive`
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import HeadError, PlanktonFeaturesError, one_line
from plankton_features.files.kinds import HDF5
from plankton_features.files.replacing import replacing
from plankton_features.files.together import finish_moving
from plankton_features.heads.calibrators import from_dict
from plankton_features.heads.file import description_checks
from plankton_features.heads.file.archive_checks import read_member
from plankton_features.heads.file.description_checks import read_description, read_json
from plankton_features.heads.file.pipeline_archive import Archive, unpack_pipeline, write_entry
from plankton_features.heads.head import Head

FORMAT = "plankton_features head"
VERSION = 1
#: Where the file of a fine-tuned network keeps its head.
WITHIN_MODEL = "plankton_features/head"
_MANIFEST, _HEAD, _PIPELINE = "manifest.json", "head.json", "pipeline.skops"
#: Most bytes of each part, so that a small file cannot fill the memory.
_MOST = {_MANIFEST: 2**16, _HEAD: description_checks.MOST_BYTES, _PIPELINE: 2**32}
_ORDER = "The order is: plankton-features classify HEAD FEATURES.h5"


def save_head(head: Head, path: str | os.PathLike[str]) -> None:
    """Write a head file; the same head gives the same bytes.

    Parameters
    ----------
    head : Head
    path : path-like
        Any name; ``.head`` by convention. A file that is there is replaced, at once and whole.

    Raises
    ------
    StoreError
        If it cannot be written.
    HeadError
        If the pipeline or the names of classes are something that cannot be stored.
    InputError
        If `head.info` is no JSON.
    """
    with replacing(Path(path)) as file:
        file.write(head_bytes(head))


def head_bytes(head: Head) -> bytes:
    """The content of a head file; see `save_head`."""
    read_description(head.description)  # or it could not be loaded
    parts = {_HEAD: head.description, _PIPELINE: head.archive.data}
    manifest = {"format": FORMAT, "version": VERSION,
                "sha256": {_HEAD: _sha256(head.description), _PIPELINE: head.archive.digest}}
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        write_entry(archive, _MANIFEST, json.dumps(manifest, indent=1).encode())
        write_entry(archive, _HEAD, parts[_HEAD])
        write_entry(archive, _PIPELINE, parts[_PIPELINE], level=None)  # is compressed within
    return buffer.getvalue()


def load_head(path: str | os.PathLike[str]) -> Head:
    """Read a head file. No code from it runs, whoever made it.

    Parameters
    ----------
    path : path-like
        A head file, or the file of a fine-tuned network, which has one within.

    Returns
    -------
    Head
        Its predictions equal those of the head that was saved, bit for bit under the same
        versions of the libraries; see `Head.version_note` for others.

    Raises
    ------
    HeadError
        If it is missing, damaged, changed, something else, of a newer format, or does not work
        with the scikit-learn that is here.
    """
    path = Path(path)
    finish_moving(path)
    parts = _read_parts(path)
    made = ""
    try:
        description = read_description(parts[_HEAD])
        made = description["info"]["versions"].get("scikit-learn", "")
        digest = read_json(parts[_MANIFEST])["sha256"][_PIPELINE]
        head = _assembled(description, Archive(parts[_PIPELINE], digest))
        _try_out(head)
    except Exception as error:
        raise _refused(path, _why(error) + _made_with(made)) from error
    return head


def is_head_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file looks like a head, without reading all of it."""
    if not Path(path).is_file():  # a pipe would be waited for
        return False
    try:
        with ZipFile(path) as archive:
            return bool({_MANIFEST, WITHIN_MODEL} & set(archive.namelist()))
    except Exception:  # noqa: BLE001 (whatever it is, it is no head)
        return False


def _read_parts(path: Path) -> dict[str, bytes]:
    """The three parts, of which the manifest is checked and the pipeline not yet."""
    _refuse_other_files(path)
    try:
        with _opened(path) as archive:
            if sorted(archive.namelist()) != sorted(_MOST):
                raise HeadError(f"a zip file, but no head: expected {', '.join(_MOST)} in it")
            parts = {name: read_member(archive, name, _most(archive, name)) for name in _MOST}
        manifest = read_json(parts[_MANIFEST])
        if manifest["format"] != FORMAT:
            raise HeadError(f"no head: its format is {manifest['format']!r}, expected {FORMAT!r}")
        newer = int(manifest["version"]) > VERSION
        if not newer and manifest["sha256"][_HEAD] != _sha256(parts[_HEAD]):
            raise HeadError(f"{_HEAD} is not what was written: its SHA-256 differs")
    except Exception as error:
        raise _refused(path, _why(error)) from error
    if newer:
        raise HeadError(f"{path}: head of format {manifest['version']}, this version of the "
                        f"package reads up to {VERSION}. Update plankton_features.")
    return parts


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    """A head file, or the one within the file of a fine-tuned network."""
    with ZipFile(path) as archive:
        if WITHIN_MODEL not in archive.namelist():
            yield archive
            return
        within = read_member(archive, WITHIN_MODEL, path.stat().st_size)  # is not compressed
    with ZipFile(io.BytesIO(within)) as archive:
        yield archive


def _most(archive: ZipFile, name: str) -> int:
    """The pipeline is compressed within, so that it takes no more than it does in the file."""
    if name != _PIPELINE:
        return _MOST[name]
    return min(_MOST[name], archive.getinfo(name).compress_size)


def _refuse_other_files(path: Path) -> None:
    if path.is_dir():
        raise HeadError(f"{path}: a folder, expected a head file. {_ORDER}")
    if path.exists() and not path.is_file():
        raise HeadError(f"{path}: a pipe or device, expected a head file. {_ORDER}")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise HeadError(f"{path}: cannot be read ({error.strerror}), which does not mean that "
                            "it is damaged. See that you may read it, and run the same command "
                            "again.") from error
        raise HeadError(f"{path}: no such head file. fit-head writes it: fit-head "
                        "out.h5") from error
    if not start:
        raise _refused(path, "empty")
    if start == HDF5:
        raise HeadError(f"{path}: HDF5, such as a feature file, expected a head file. {_ORDER}")
    if not is_zipfile(path):
        raise _refused(path, "cut short" if start[:4] == b"PK\3\4" else "something else")


def _assembled(description: dict[str, Any], archive: Archive) -> Head:
    calibrator = from_dict(description["calibrator"])
    pipeline = unpack_pipeline(archive, len(description["feature_names"]),
                               len(description["classes"]))
    head = Head(**{**description, "pipeline": pipeline, "calibrator": calibrator})
    vars(head)["archive"] = archive  # is there already, so that it is not made again
    return head


def _try_out(head: Head) -> None:
    """Predict rows of 0, of 1, and as they may have been where it was fitted."""
    with np.errstate(all="ignore"):
        head.classify(_trial_rows(head))


def _trial_rows(head: Head) -> NDArray[np.float32]:
    d, first = len(head.feature_names), head.pipeline.steps[0][1]
    rows = np.random.default_rng(0).choice([-2.0, 0.0, 2.0], (4, d))
    if getattr(first, "scale_", None) is not None:
        rows *= first.scale_
    if getattr(first, "mean_", None) is not None:
        rows += first.mean_
    return np.concatenate([[np.zeros(d)], [np.ones(d)], rows]).astype(np.float32)


def _refused(path: Path, why: str) -> HeadError:
    return HeadError(f"{path}: damaged, changed or not a head file ({why.rstrip('.')}). Get it "
                     "again from where it came from, or make another one with fit-head.")


def _why(error: Exception) -> str:
    """Our own errors say what is wrong; of others the kind says more than the words."""
    line = one_line(error, 300).rstrip(".")
    return line if isinstance(error, PlanktonFeaturesError) else f"{type(error).__name__}: {line}"


def _made_with(made: str) -> str:
    from sklearn import __version__ as here

    if made in ("", here):
        return ""
    return f"; fitted with scikit-learn {made[:40]}, here is {here}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
