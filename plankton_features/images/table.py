"""Catalogs from CSV tables."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pandas as pd

from plankton_features.errors import InputError
from plankton_features.images.catalog import Catalog, is_image_name

COLUMNS = ("path", "label", "group", "id")


def catalog_from_table(table: Path) -> Catalog:
    """Read a catalog from a table of paths.

    Parameters
    ----------
    table : Path
        Text with a header line, columns separated by comma, semicolon or tab. ``path`` is
        needed (relative to the table's folder, or absolute; Windows' backslashes are
        understood); ``label``, ``group`` and ``id`` are optional, others are not read.

    Returns
    -------
    Catalog
        In the table's order.

    Raises
    ------
    InputError
        If it is not such a table, or has no row, or a row has no path.
    """
    if is_image_name(table.name) or table.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(f"{table}: expected a folder of images or a table (.csv, .tsv, .txt), "
                         f"got a file ending in '{table.suffix}'. Give the folder that holds it; "
                         "unpack an archive first.")
    rows = _read(table)
    paths = [_local(table.parent, p) for p in rows["path"]]
    labels = [unicodedata.normalize("NFC", label) for label in rows["label"]]
    return Catalog.from_paths(
        paths, root=table.parent, labels=labels, groups=rows["group"], ids=rows["id"]
    )


def _read(table: Path) -> pd.DataFrame:
    try:
        header = table.open(encoding="utf-8-sig").readline()
        separator = max(",;\t", key=header.count)
        rows = pd.read_csv(table, sep=separator, dtype=str, keep_default_na=False,
                           encoding="utf-8-sig", skipinitialspace=True)
    except (ValueError, OSError) as error:  # includes pandas' parser errors and bad UTF-8
        reason = " ".join(str(error).split())
        raise InputError(f"{table}: expected a CSV table in UTF-8, but: {reason}. "
                         "Save it again as 'CSV UTF-8'.") from error
    rows.columns = [str(c).strip().lower() for c in rows.columns]
    if "path" not in rows.columns:
        raise InputError(f"{table}: expected a column named 'path' (and optionally label, group, "
                         f"id); got {', '.join(rows.columns)}. Rename the column.")
    rows = rows.reindex(columns=COLUMNS, fill_value="")
    rows = rows.apply(lambda column: column.str.strip())
    _check_paths(table, rows)
    return rows


def _check_paths(table: Path, rows: pd.DataFrame) -> None:
    if rows.empty:
        raise InputError(f"{table}: expected one row per image, got none.")
    blank = rows.index[rows["path"] == ""]
    if len(blank):
        raise InputError(f"{table}: line {blank[0] + 2} has no path ({len(blank)} such lines). "
                         "Fill it in or remove the line.")


def _local(folder: Path, path: str) -> str:
    """A path as this system spells it."""
    if "\\" in path and not (folder / path).exists():
        return path.replace("\\", "/")
    return path
