"""Catalogs from CSV tables."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from plankton_features.errors import InputError
from plankton_features.images.catalog import COLUMNS, Catalog
from plankton_features.images.delimited import read_table
from plankton_features.images.spelling import look_at

_SUFFIXES = (".csv", ".tsv", ".txt")


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
        ``id`` are optional, others are not read.

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
    rows = list(read_table(table, COLUMNS))
    if not rows:
        raise InputError(f"{table}: expected one row per image, got none.")
    paths, labels, groups, ids = zip(*rows, strict=True)
    local = [_local(table.parent, path) for path in paths]
    return Catalog.from_paths(local, root=table.parent, labels=labels, groups=groups, ids=ids)


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
