"""Catalogs from CSV tables."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from plankton_features.errors import InputError
from plankton_features.images.catalog import COLUMNS, Catalog
from plankton_features.images.columns import column_of_cells, header_names, packed
from plankton_features.images.delimited import TableRows
from plankton_features.images.spelling import look_at

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = (".csv", ".tsv", ".txt")
_PACKED_ROWS = 4096


def is_table_name(path: str | os.PathLike[str]) -> bool:
    """Whether a file's ending is a table's; case does not matter."""
    return PurePath(path).suffix.lower() in _SUFFIXES


def catalog_from_table(table: Path) -> Catalog:
    """Read a catalog from a table of paths.

    Parameters
    ----------
    table : Path
        Text with a header line, see `read_table`. ``path`` is needed (relative to the table's
        folder, or absolute; Windows' backslashes are understood); ``label``, ``group`` and
        ``id`` are optional. Others are kept as extra columns, see `header_names` for their names
        and units and `column_of_cells` for their types.

    Returns
    -------
    Catalog
        In the table's order. Files need not exist.

    Raises
    ------
    InputError
        If it is not such a table, or has no row, or a row has no path or too many fields.
    """
    if not is_table_name(table):
        raise InputError(f"{table}: expected a folder of images or a table (.csv, .tsv, .txt), "
                         f"got a file ending in '{table.suffix}'. Give the folder that holds it; "
                         "unpack an archive other than .zip first; save a sheet of Excel as 'CSV "
                         "UTF-8'.")
    rows = TableRows(table, COLUMNS)
    known: list[tuple[str, ...]] = []
    extra = _Cells([n for n in range(len(rows.header)) if n not in rows.places])
    for values, fields in rows:
        known.append(values)
        extra.add(fields)
    if not known:
        raise InputError(f"{table}: expected one row per image, got none.")
    paths, labels, groups, ids = zip(*known, strict=True)
    local = [_local(table.parent, path) for path in paths]
    columns, units = extra.columns(rows.header, rows.below)
    return Catalog.from_paths(local, root=table.parent, labels=labels, groups=groups, ids=ids,
                              columns=columns, units=units)


class _Cells:
    """Cells of some columns, packed while they come.

    Parameters
    ----------
    places : list of int
        Of these columns among the fields of a row.
    """

    def __init__(self, places: list[int]):
        self.places = places
        self._rows: list[list[str]] = []
        self._n = 0
        self._parts: list[list[np.ndarray]] = [[] for _ in places]

    def add(self, fields: list[str]) -> None:
        """Take the cells of a row, which may end early."""
        self._n += 1
        self._rows.append([*fields, *[""] * (self.places[-1] + 1 - len(fields))]
                          if self.places else [])
        if len(self._rows) == _PACKED_ROWS:
            self._pack()

    def columns(self, header: list[str], below: list[str]) -> tuple[pd.DataFrame, dict[str, str]]:
        """Typed columns and their units; a column without name and cells is none."""
        import pandas as pd

        self._pack()
        found, units = {}, {}
        below = [*below, *[""] * len(header)]
        names = header_names([header[n] if n in self.places else "" for n in range(len(header))],
                             [below[n] if n in self.places else "" for n in range(len(header))])
        for place, parts in zip(self.places, self._parts, strict=True):
            name, unit = names[place]
            array = column_of_cells(cell for part in parts for cell in part.tolist())
            parts.clear()
            if header[place] or not array.isna().all():
                found[name] = array
                units.update({name: unit} if unit else {})
        return pd.DataFrame(found, index=range(self._n)), units

    def _pack(self) -> None:
        for place, parts in zip(self.places, self._parts, strict=True):
            cells = [row[place] for row in self._rows]
            if any("\0" in cell for cell in cells):
                raise InputError("a cell of the table has a zero byte, which is no text. Save it "
                                 "again as 'CSV UTF-8'.")
            parts.append(packed(cells))
        self._rows.clear()


def _is_there(path: Path) -> bool:
    try:
        look_at(str(path))
    except (OSError, ValueError):  # also a name that is too long
        return False
    return True


def _local(folder: Path, path: str) -> str:
    """A path as this system spells it."""
    if "\\" in path and not _is_there(folder / path):
        return path.replace("\\", "/")
    return path
