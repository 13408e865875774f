"""Format 2 of the feature file: names, types and how datasets are laid out."""

from __future__ import annotations

from dataclasses import dataclass, field

import h5py
import numpy as np

from plankton_features.store.columns import check_columns, link_name

#: What a feature file says of itself in its attribute ``format``.
FORMAT = "plankton_features"
#: The newest format that is written; also the newest that is read.
VERSION = 2
REASON_BYTES = 240
_FIXED_BYTES = {"sha256": 64, "stage": 8, "reason": REASON_BYTES}
_CHUNK_BYTES = 2**20
_EXTRA_CHUNK_BYTES = 2**16
_GROWN_ROWS = 256

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
#: The group with the extra columns of each table.
EXTRA = "columns"
#: Names that no extra column can have.
TAKEN = frozenset(name for columns in TABLES.values() for name in columns)


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
        Longest text of the columns ``path``, ``label``, ``group``, ``id``, and of extra ones, in
        bytes of UTF-8.
    columns : dict of str to str
        Extra columns of all tables, in their order: name to ``text``, ``int64`` or ``float64``.
    units : dict of str to str
        Of those extra columns that have one, such as ``m``.

    Raises
    ------
    InputError
        If an extra column cannot have its name or type, or a unit is of none.
    """

    n_images: int
    n_values: int
    batch: int = 1
    text_bytes: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_columns(self.columns, self.units, TAKEN)

    @property
    def block_rows(self) -> int:
        """Rows of a chunk of ``features`` and of a block: about 1 MiB, whole batches."""
        batches = max(1, round(_CHUNK_BYTES / (4 * self.n_values * self.batch)))
        return self.batch * batches

    @property
    def n_bytes(self) -> int:
        """Size of the vectors and columns of all images, in bytes."""
        text = sum(self.text_bytes.values()) + _FIXED_BYTES["sha256"] + 23
        numbers = 8 * sum(kind != "text" for kind in self.columns.values())
        return self.n_images * (4 * self.n_values + text + numbers)


def create_datasets(file: h5py.File, plan: Plan) -> dict[str, h5py.Dataset]:
    """Lay out an empty file of format 2.

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
        if plan.columns:
            made.update(_create_extra(file.create_group(f"{EXTRA}/{table}", track_order=True),
                                      rows, plan))
    chunk = (max(1, min(plan.block_rows, plan.n_images)), plan.n_values)
    made["features"] = file.create_dataset(
        "features", shape=(plan.n_images, plan.n_values), maxshape=(None, plan.n_values),
        chunks=chunk, dtype=np.float32, dcpl=_allocate_early())
    return made


def all_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """The datasets of a file of this package, by their names."""
    names = [f"{table}/{name}" for table, columns in TABLES.items() for name in columns]
    names += [f"{EXTRA}/{table}/{link}" for table in file.get(EXTRA, ())
              for link in file[EXTRA][table]]
    return {name: file[name] for name in [*names, "features"] if name not in LATER or name in file}


def column_type(name: str, kind: str, plan: Plan) -> np.dtype:
    """NumPy type of a column on disk."""
    if kind != "text":
        return np.dtype(kind)
    n_bytes = _FIXED_BYTES.get(name) or max(1, plan.text_bytes.get(name, 1))
    text_type: np.dtype = h5py.string_dtype("utf-8", n_bytes)
    return text_type


def to_column(values: object, dtype: np.dtype) -> np.ndarray:
    """Values as they are written; text is cut to the column's bytes at a whole character."""
    if dtype.kind != "S":
        return np.asarray(values, dtype=dtype)
    return np.array([_encode(str(v), dtype.itemsize) for v in values],  # type: ignore[attr-defined]
                    dtype=dtype)


def encoded_length(text: str) -> int:
    """Bytes that a text takes in the file."""
    return len(text.encode("utf-8", "backslashreplace"))


def _encode(text: str, n_bytes: int) -> bytes:
    return text.encode("utf-8", "backslashreplace")[:n_bytes].decode("utf-8", "ignore").encode()


def _create_extra(group: h5py.Group, rows: int, plan: Plan) -> dict[str, h5py.Dataset]:
    """Extra columns of a table; chunks are larger, so that many columns have a small structure."""
    made = {}
    for name, kind in plan.columns.items():
        dtype = column_type(name, kind, plan)
        chunk = max(64, min(rows, _EXTRA_CHUNK_BYTES // dtype.itemsize)) if rows else _GROWN_ROWS
        dataset = _create(group, link_name(name), rows, dtype, chunk)
        if unit := plan.units.get(name):
            dataset.attrs["unit"] = unit
        made[dataset.name.lstrip("/")] = dataset
    return made


def _create(file: h5py.Group, name: str, rows: int, dtype: np.dtype,
            chunk: int = 0) -> h5py.Dataset:
    chunk = chunk or min(max(rows, 64), 1024)
    return file.create_dataset(name, shape=(rows,), maxshape=(None,), chunks=(chunk,),
                               dtype=dtype, dcpl=_allocate_early())


def _allocate_early() -> h5py.h5p.PropDCID:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    return properties
