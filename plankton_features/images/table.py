"""Catalogs from CSV tables."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from plankton_features.errors import InputError
from plankton_features.images.catalog import COLUMNS, Catalog

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")


def catalog_from_table(table: Path) -> Catalog:
    """Read a catalog from a table of paths.

    Parameters
    ----------
    table : Path
        UTF-8 text with a header line, columns separated by comma, semicolon or tab. ``path`` is
        needed (relative to the table's folder, or absolute; Windows' backslashes are
        understood); ``label``, ``group`` and ``id`` are optional, others are not read. Blank
        lines are passed over.

    Returns
    -------
    Catalog
        In the table's order. Files need not exist.

    Raises
    ------
    InputError
        If it is not such a table, or has no row, or a row has no path or too many fields.
    """
    if table.suffix.lower() not in TABLE_SUFFIXES:
        raise InputError(f"{table}: expected a folder of images or a table (.csv, .tsv, .txt), "
                         f"got a file ending in '{table.suffix}'. Give the folder that holds it; "
                         "unpack an archive first.")
    try:
        rows = list(_rows(table))
    except (UnicodeError, OSError) as error:
        raise InputError(f"{table}: expected a CSV table in UTF-8, but: {error}. "
                         "Save it again as 'CSV UTF-8'.") from error
    if not rows:
        raise InputError(f"{table}: expected one row per image, got none.")
    paths, labels, groups, ids = zip(*rows, strict=True)
    local = [_local(table.parent, path) for path in paths]
    return Catalog.from_paths(local, root=table.parent, labels=labels, groups=groups, ids=ids)


def _rows(table: Path) -> Iterator[tuple[str, ...]]:
    """Yield (path, label, group, id) of each row that is not blank."""
    lines = _lines(table)
    _, header = next(lines, ("", []))
    header = [name.lower() for name in header]
    places = _places(table, header)
    for where, fields in lines:
        if any(fields):
            _check_row(where, fields, len(header), places[0])
            yield tuple("" if place is None or place >= len(fields) else fields[place]
                        for place in places)


def _lines(table: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield where each line is, for messages, and its fields."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        separator = max(",;\t", key=file.readline().count)
        file.seek(0)
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for fields in reader:
                yield f"{table}: line {reader.line_num}", [field.strip() for field in fields]
        except csv.Error as error:
            raise InputError(f"{table}: line {reader.line_num}: expected a CSV table, but: "
                             f"{error}. Check the quotes.") from error


def _places(table: Path, header: list[str]) -> list[int | None]:
    """Where each of `COLUMNS` is in a row."""
    for name in COLUMNS:
        if header.count(name) > 1:
            raise InputError(f"{table}: expected one column named '{name}', got several. "
                             "Rename or remove the others.")
    if "path" not in header:
        raise InputError(f"{table}: expected a column named 'path' (and optionally label, group, "
                         f"id); got {', '.join(header) or 'an empty file'}. Rename the column.")
    return [header.index(name) if name in header else None for name in COLUMNS]


def _check_row(where: str, fields: list[str], n_columns: int, path: int | None) -> None:
    if any(fields[n_columns:]):
        raise InputError(f"{where} has {len(fields)} fields, the header has {n_columns}. Put "
                         "fields that hold the separator in quotes.")
    if path is None or path >= len(fields) or not fields[path]:
        raise InputError(f"{where} has no path. Fill it in or remove the line.")


def _local(folder: Path, path: str) -> str:
    """A path as this system spells it."""
    if "\\" in path and not os.path.exists(folder / path):  # noqa: PTH110 (long names)
        return path.replace("\\", "/")
    return path
