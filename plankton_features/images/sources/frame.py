"""Catalogs from tables of pandas."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plankton_features.errors import InputError
from plankton_features.images.catalog import COLUMNS, Catalog

if TYPE_CHECKING:
    import pandas as pd


def catalog_from_frame(frame: pd.DataFrame, root: str | os.PathLike[str] = ".",
                       units: dict[str, str] | None = None) -> Catalog:
    """Make a catalog of a DataFrame.

    Parameters
    ----------
    frame : DataFrame
        ``path`` is needed; ``label``, ``group`` and ``id`` are optional, others are kept as extra
        columns, see `columns_of_frame`.
    root : path-like, default="."
        Folder that paths start from.
    units : dict of str to str, optional
        Of extra columns.

    Returns
    -------
    Catalog
        In the table's order. Files need not exist.

    Raises
    ------
    InputError
        If a row has no path, or a column cannot be kept.
    """
    if "path" not in frame.columns:
        raise InputError(f"expected a column 'path' in the table, got "
                         f"{', '.join(map(str, frame.columns))[:200]}. Rename the column.")
    known = {name: ["" if missing else str(value) for value, missing in
                    zip(frame[name], frame[name].isna(), strict=True)]
             for name in COLUMNS if name in frame.columns}
    if not all(known["path"]):
        raise InputError(f"row {known['path'].index('')} of the table has no path. Fill it in or "
                         "remove the row.")
    return Catalog.from_paths(known["path"], root=root, labels=known.get("label"),
                              groups=known.get("group"), ids=known.get("id"),
                              columns=frame.drop(columns=list(known)), units=units)
