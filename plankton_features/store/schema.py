"""Format 1 of the feature file: names, types and how datasets are laid out."""

from __future__ import annotations

from dataclasses import dataclass, field

import h5py
import numpy as np

#: What a feature file says of itself in its attribute ``format``.
FORMAT = "plankton_features"
#: The newest format that is written; also the newest that is read.
VERSION = 1
REASON_BYTES = 240
_FIXED_BYTES = {"sha256": 64, "stage": 8, "reason": REASON_BYTES}
_CHUNK_BYTES = 2**20

#: Columns of each table; the type ``text`` is UTF-8 padded with zero bytes.
TABLES: dict[str, dict[str, str]] = {
    "images": {"path": "text", "label": "text", "group": "text", "id": "text",
               "sha256": "text", "width": "int32", "height": "int32", "position": "int64",
               "full_scale": "float32", "contrast": "int16", "several_pages": "int8"},
    "failures": {"path": "text", "label": "text", "stage": "text", "reason": "text",
                 "position": "int64"},
    "duplicates": {"path": "text", "label": "text", "group": "text", "id": "text",
                   "row": "int64", "position": "int64"},
}
#: Columns that came later, which files of before lack, and what stands there for *not known*.
LATER = {"images/full_scale": 0, "images/contrast": -1, "images/several_pages": 0}


@dataclass(frozen=True)
class Plan:
    """What a feature file has room for.

    Parameters
    ----------
    n_images : int
        Most rows that can be written.
    n_values : int
        Length of a vector.
    batch : int
        Images that are embedded together; blocks are whole numbers of it.
    text_bytes : dict of str to int
        Longest text of the columns ``path``, ``label``, ``group``, ``id``, in bytes of UTF-8.
    """

    n_images: int
    n_values: int
    batch: int = 1
    text_bytes: dict[str, int] = field(default_factory=dict)

    @property
    def block_rows(self) -> int:
        """Rows of a chunk of ``features`` and of a block: about 1 MiB, whole batches."""
        batches = max(1, round(_CHUNK_BYTES / (4 * self.n_values * self.batch)))
        return self.batch * batches

    @property
    def n_bytes(self) -> int:
        """Size of the vectors and columns of all images, in bytes."""
        text = sum(self.text_bytes.values()) + _FIXED_BYTES["sha256"] + 23
        return self.n_images * (4 * self.n_values + text)


def create_datasets(file: h5py.File, plan: Plan) -> dict[str, h5py.Dataset]:
    """Lay out an empty file of format 1.

    The rows of images are allocated at once and never filled beforehand, so that writing them
    later changes no structure of the file: a kill between two writes finds it whole.

    Returns
    -------
    dict of str to Dataset
        By their names in the file.
    """
    made = {}
    for table, columns in TABLES.items():
        rows = plan.n_images if table == "images" else 0
        for name, kind in columns.items():
            made[f"{table}/{name}"] = _create(file, f"{table}/{name}", rows,
                                              column_type(name, kind, plan))
    chunk = (max(1, min(plan.block_rows, plan.n_images)), plan.n_values)
    made["features"] = file.create_dataset(
        "features", shape=(plan.n_images, plan.n_values), maxshape=(None, plan.n_values),
        chunks=chunk, dtype=np.float32, dcpl=_allocate_early())
    return made


def all_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """The datasets of a file of format 1, by their names."""
    names = [f"{table}/{name}" for table, columns in TABLES.items() for name in columns]
    return {name: file[name] for name in [*names, "features"] if name not in LATER or name in file}


def column_type(name: str, kind: str, plan: Plan) -> np.dtype:
    """NumPy type of a column on disk."""
    if kind != "text":
        return np.dtype(kind)
    n_bytes = _FIXED_BYTES.get(name) or max(1, plan.text_bytes.get(name, 1))
    return h5py.string_dtype("utf-8", n_bytes)


def to_column(values: object, dtype: np.dtype) -> np.ndarray:
    """Values as they are written; text is cut to the column's bytes at a whole character."""
    if dtype.kind != "S":
        return np.asarray(values, dtype=dtype)
    return np.array([_encode(str(v), dtype.itemsize) for v in values],  # type: ignore[attr-defined]
                    dtype=dtype)


def plain(value: object) -> object:
    """An attribute as a Python value rather than NumPy's."""
    return value.item() if isinstance(value, np.generic) else value


def encoded_length(text: str) -> int:
    """Bytes that a text takes in the file."""
    return len(text.encode("utf-8", "backslashreplace"))


def _encode(text: str, n_bytes: int) -> bytes:
    return text.encode("utf-8", "backslashreplace")[:n_bytes].decode("utf-8", "ignore").encode()


def _create(file: h5py.File, name: str, rows: int, dtype: np.dtype) -> h5py.Dataset:
    chunk = min(max(rows, 64), 1024)
    return file.create_dataset(name, shape=(rows,), maxshape=(None,), chunks=(chunk,),
                               dtype=dtype, dcpl=_allocate_early())


def _allocate_early() -> h5py.h5p.PropDCID:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    return properties
