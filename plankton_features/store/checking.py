"""One check of a feature file when it is opened: other programs write them, strangers send them.

What is read later can then be relied on: every table is as long as it says, every row exists, and
nothing is taken from another file.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from plankton_features.store.attributes import check_attributes, read_attributes
from plankton_features.store.columns import MOST_TEXT, kind_of, linked_names
from plankton_features.store.disk import Malformed
from plankton_features.store.schema import EXTRA, LATER, TABLES, TAKEN

#: Zeros shrink a thousandfold; vectors and names of real pictures hardly at all.
_MOST_PACKED = 100
_LEAST_PACKED = 2**26


def check_file(file: h5py.File) -> dict[str, Any]:
    """Check all of a finished feature file but the values of its columns.

    Parameters
    ----------
    file : h5py.File

    Returns
    -------
    dict of str to object
        The root attributes; text as `str`.

    Raises
    ------
    Unusable
        If it is another kind of file, not finished, or of a newer format.
    Malformed
    """
    attributes = read_attributes(file)
    datasets = check_datasets(file)
    n, width = datasets["features"].shape
    lengths = {"images": n, **{t: datasets[f"{t}/position"].shape[0] for t in TABLES
                               if t != "images"}}
    for name, dataset in datasets.items():
        if name != "features":
            rows = lengths[name.removeprefix(f"{EXTRA}/").split("/")[0]]
            _need(dataset.shape[0] == rows, f"{name} has {dataset.shape[0]} rows, expected {rows}")
    row = datasets["duplicates/row"][:]
    _need(((row >= 0) & (row < n)).all(), f"duplicates/row names rows that are not in 0..{n - 1}")
    check_attributes(attributes, n, width)
    attributes.setdefault("n_found", sum(lengths.values()))
    return attributes


def check_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """The datasets of a feature file, finished or not, each in this file and of its type.

    Parameters
    ----------
    file : h5py.File

    Returns
    -------
    dict of str to Dataset
        By their names in the file.

    Raises
    ------
    Malformed
    """
    columns = {f"{table}/{name}": kind for table in TABLES for name, kind in TABLES[table].items()
               if f"{table}/{name}" not in LATER or f"{table}/{name}" in file}
    found = {name: _dataset(file, name) for name in ("features", *columns)}
    features = found["features"]
    _need(features.ndim == 2, f"features has {features.ndim} dimensions, expected rows and values")
    _need(features.shape[1] > 0, "features has no values")
    _need(features.dtype.kind == "f" and features.dtype.itemsize == 4,
          f"features holds {_told(features)}, expected float32")
    for name, kind in columns.items():
        column = found[name]
        _need(column.ndim == 1, f"{name} has {column.ndim} dimensions, expected one")
        if kind == "text":
            _need(column.dtype.kind == "S" and column.dtype.itemsize <= MOST_TEXT,
                  f"{name} holds {_told(column)}, expected text of a fixed length")
        else:
            wanted = "f" if np.dtype(kind).kind == "f" else "iu"
            _need(column.dtype.kind in wanted and column.dtype.itemsize <= 8,
                  f"{name} holds {_told(column)}, expected {'' if wanted == 'f' else 'whole '}"
                  "numbers")
    return {**found, **_extra_datasets(file)}


def extra_columns(file: h5py.File) -> dict[str, str]:
    """Names of the extra columns, in their order, and what their datasets are called.

    Raises
    ------
    Malformed
        If one cannot have its name.
    """
    if EXTRA not in file or "images" not in _item(file, EXTRA, h5py.Group):
        return {}
    return linked_names(list(_item(file, f"{EXTRA}/images", h5py.Group)), TAKEN)


def _extra_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Datasets of the extra columns; failures and duplicates may lack some."""
    found = {}
    for name, link in extra_columns(file).items():
        kinds = set()
        for table in TABLES:
            path = f"{EXTRA}/{table}/{link}"
            if table != "images" and (table not in file[EXTRA] or link not in _item(
                    file, f"{EXTRA}/{table}", h5py.Group)):
                continue
            found[path] = column = _dataset(file, path)
            _need(column.ndim == 1, f"{path} has {column.ndim} dimensions, expected one")
            kinds.add(kind := kind_of(column.dtype))
            _need(kind, f"{path} holds {_told(column)}, expected numbers or text of a fixed length")
        _need(len(kinds) == 1, f"column {name!r} is of another type in another table")
    return found


def check_values(name: str, values: np.ndarray) -> np.ndarray:
    """The values of a column as they are used: text decoded, numbers not below zero.

    Parameters
    ----------
    name : str
        Such as ``images/label``.
    values : ndarray
        As stored.

    Returns
    -------
    ndarray
        Of objects of type str, or of whole numbers.

    Raises
    ------
    Malformed
        Which names the first row.
    """
    if values.dtype.kind != "S":
        bad = ~(values >= LATER.get(name, 0))  # also what is no number
        if bad.any():
            raise Malformed(f"{name} is below zero or no number in row {int(bad.argmax())}")
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    texts = np.empty(len(values), object)
    for row, value in enumerate(values.tolist()):
        try:
            texts[row] = value.decode()
        except UnicodeDecodeError:
            raise Malformed(f"{name} is no UTF-8 text in row {row}") from None
    return texts


def check_digests(values: np.ndarray) -> list[bytes]:
    """SHA-256 of each row's picture, 32 bytes each.

    Raises
    ------
    Malformed
        If one is not 64 hexadecimal digits.
    """
    found = []
    for row, value in enumerate(values.tolist()):
        try:
            digest = bytes.fromhex(value.decode("ascii"))
        except ValueError:
            digest = b""
        _need(len(digest) == 32, f"images/sha256 is no SHA-256 in row {row}")
        found.append(digest)
    return found


def check_finite(vectors: np.ndarray) -> np.ndarray:
    """Whether each vector has finite values only, shape (n,) bool; cheap where all have."""
    with np.errstate(invalid="ignore"):
        if np.isfinite(vectors.sum(dtype=np.float64)):  # float32 cannot overflow it
            return np.ones(len(vectors), bool)
    finite: np.ndarray = np.isfinite(vectors).all(axis=1)
    return finite


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """A dataset that lies in this file, whole."""
    found = _item(file, name, h5py.Dataset)
    _need(not found.is_virtual and not found.external, f"{name} is taken from another file")
    _need(found.shape is not None, f"{name} is empty")
    _check_stored(found, name)
    return found


def _item(file: h5py.File, name: str, kind: type) -> Any:
    """A group or dataset that lies in this file."""
    item: Any = file
    for part in name.split("/"):
        _need(isinstance(item, h5py.Group), f"{name} is missing")
        link = item.get(part, getlink=True)
        _need(link is not None, f"{name} is missing")
        _need(isinstance(link, h5py.HardLink), f"{name} is a link to somewhere else")
        item = item[part]
    _need(isinstance(item, kind), f"{name} is no {kind.__name__.lower()}")
    return item


def _check_stored(dataset: h5py.Dataset, name: str) -> None:
    """All of it must have been written, and not packed so that a small file fills the memory."""
    stored, full = dataset.id.get_storage_size(), dataset.size * dataset.dtype.itemsize
    packed = dataset.chunks is not None and dataset.id.get_create_plist().get_nfilters() > 0
    if not packed:
        _need(stored >= full, f"{name} takes {full:,} bytes, but {stored:,} were written")
    elif full:
        chunks = [-(-size // step) for size, step in zip(dataset.shape, dataset.chunks,
                                                         strict=True)]
        _need(dataset.id.get_num_chunks() >= np.prod(chunks, dtype=float),
              f"{name} was not written to its end")
        _need(full <= max(_MOST_PACKED * stored, _LEAST_PACKED),
              f"{name} is packed {full / stored:,.0f}-fold, which no vectors are")


def _told(dataset: h5py.Dataset) -> str:
    return "text of varying length" if h5py.check_string_dtype(dataset.dtype) and \
        dataset.dtype.kind == "O" else str(dataset.dtype)[:60]


def _need(good: Any, what: str) -> None:
    if not good:
        raise Malformed(what)
