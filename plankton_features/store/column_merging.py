"""Which extra columns several feature files have together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plankton_features.errors import MismatchError
from plankton_features.store.columns import described
from plankton_features.store.reader import FeatureFile
from plankton_features.store.schema import TABLES

#: Whole numbers up to here are exact as float64.
_MOST_EXACT = 2**53


def merged_columns(files: Sequence[FeatureFile]) -> tuple[dict[str, str], dict[str, str]]:
    """Types and units of the columns of all files, in the order in which they come first.

    Parameters
    ----------
    files : sequence of FeatureFile

    Returns
    -------
    columns, units : dict of str to str

    Raises
    ------
    MismatchError
        If two columns of one name differ in type or unit.
    """
    columns: dict[str, str] = {}
    units: dict[str, str] = {}
    for name in dict.fromkeys(name for file in files for name in file.extra_columns):
        holders = [file for file in files if name in file.extra_columns]
        filled = [file for file in holders if _has_values(file, name)] or holders[:1]
        kinds = {file.extra_columns[name] for file in filled}
        if len({file.units.get(name, "") for file in filled}) > 1 or not (
                len(kinds) == 1 or (kinds == {"int64", "float64"} and _all_exact(filled, name))):
            raise _mismatch(name, filled)
        columns[name] = "float64" if len(kinds) > 1 else kinds.pop()
        if unit := filled[0].units.get(name):
            units[name] = unit
    return columns, units


def _has_values(file: FeatureFile, name: str) -> bool:
    return any(file.table(table, name)[name].notna().any() for table in TABLES)


def _all_exact(files: Sequence[FeatureFile], name: str) -> bool:
    """Whether all whole numbers of a column are exact as float64."""
    return all((np.abs(file.table(table, name)[name].dropna().to_numpy(np.int64)) <= _MOST_EXACT)
               .all() for file in files if file.extra_columns[name] == "int64"
               for table in TABLES)


def _mismatch(name: str, files: Sequence[FeatureFile]) -> MismatchError:
    found = [described(file.extra_columns, file.units)[name] for file in files]
    first = found[0]
    number = next((i for i, other in enumerate(found) if other != first), 0)
    return MismatchError(
        f"column {name!r}: {first} in {files[0].path}, {found[number]} in {files[number].path}. "
        "Columns of one name must be of one type and unit: correct or rename it in the table of "
        "one of them, run extract-features --update for that file, and merge again.",
        {name: (first, found[number])})
