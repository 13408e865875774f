"""What EcoTaxa's import would refuse, told before anything is sent there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from plankton_features.errors import InputError
from plankton_features.images.ecotaxa.fields import (
    FIXED,
    MOST_FREE,
    MOST_TABLES,
    NUMBER,
    TEXT,
    WITH_ID,
    prefix_of,
)
from plankton_features.images.ecotaxa.row_checks import Rows
from plankton_features.images.ecotaxa.table import Column, Table, name_of
from plankton_features.images.sources.ecotaxa_bundle import Bundle
from plankton_features.images.spelling import as_on_disk
from plankton_features.progress import StepCallback, ignore_steps


class Problem(NamedTuple):
    """Something that EcoTaxa's import would refuse, or read as something else.

    Attributes
    ----------
    table : str
        Its path in the folder or archive; empty for what concerns all.
    line : int
        Of the table, from 1; 0 if no line is meant.
    column : str
        Empty if no column is meant.
    what : str
        What is wrong and what to do, as sentences.
    """

    table: str
    line: int
    column: str
    what: str

    def __str__(self) -> str:
        place = (self.table, f"line {self.line}" if self.line else "", self.column)
        return ": ".join(filter(None, (", ".join(filter(None, place)), self.what)))


def check_ecotaxa(path: str | os.PathLike[str], *, update: bool = False,
                  progress: StepCallback = ignore_steps) -> list[Problem]:
    """Find what EcoTaxa's import would refuse in a folder or zip archive.

    Taxa and persons are not looked up, as only EcoTaxa knows them, and neither is what the project
    holds already: its columns count for the limits too.

    Parameters
    ----------
    path : path-like
    update : bool, default=False
        The import will update objects that are there: pictures are not needed.
    progress : callable
        Of (tables done, tables, table).

    Returns
    -------
    list of Problem
        By table and line; empty if there is none. The same wrong value of a column is told once in
        a table.

    Raises
    ------
    InputError
        If there is neither a folder nor a zip archive at `path`.

    References
    ----------
    Rules of the import: https://github.com/ecotaxa/ecotaxa_back, ``py/BO/TSVFile.py`` and
    ``Bundle.py``.
    """
    root = Path(as_on_disk(os.fspath(path)))
    if not (root.is_dir() or root.is_file()):
        raise InputError(f"{root}: expected a folder or zip archive of EcoTaxa tables and "
                         "pictures, found nothing there. Check the spelling.")
    bundle = Bundle(root)
    paths = bundle.table_paths()
    problems = list(_of_bundle(paths))
    project = _Project()
    rows = Rows(bundle, update=update)
    for n, name in enumerate(paths):
        progress(n, len(paths), name)
        try:
            table = bundle.table(name)
            found = [*_of_head(table), *project.add(table), *_of_columns(table, update=update)]
            found += rows.problems(table, project.types)
        except InputError as error:
            found = [(0, "", str(error).removeprefix(f"{name}: "))]
        problems += [Problem(name, *one) for one in found]
    return problems


_Found = tuple[int, str, str]


def _of_bundle(paths: list[str]) -> Iterator[Problem]:
    if not paths:
        yield Problem("", 0, "", "No table was found. EcoTaxa looks for files named ecotaxa*.tsv "
                                 "or ecotaxa*.txt, in all folders. Rename the table.")
    if len(paths) > MOST_TABLES:
        yield Problem("", 0, "", f"There are {len(paths):,} tables, and EcoTaxa takes up to "
                                 f"{MOST_TABLES:,} at once. Import them in parts.")
    for path in paths:
        name = path.rpartition("/")[2]
        if not (name.startswith("ecotaxa") and name.endswith((".tsv", ".txt"))):
            yield Problem(path, 0, "", "EcoTaxa does not find a table of this name. Let it begin "
                                       "with ecotaxa and end with .tsv, in lower case.")


def _of_head(table: Table) -> Iterator[_Found]:
    if table.encoding == "utf-8":
        yield 1, "", ("The file is UTF-8 without a mark at its begin (BOM), and EcoTaxa would read "
                      "each accent as two letters. Save it as UTF-8 with BOM.")
    if not table.has_types:
        yield 2, "", ("The second line is not one of types, and EcoTaxa would take the first "
                      "object for it. Add a line with [f] or [t] for each column.")


def _of_columns(table: Table, *, update: bool) -> Iterator[_Found]:
    names = [column.name for column in table.columns]
    needed = ["object_id"] if update else ["object_id", "img_file_name"]
    for name in needed:
        if name not in names:
            yield 1, name, "This column is missing, and every object needs it. Add it."
    for prefix in WITH_ID:
        if f"{prefix}_id" not in [*names, *needed] and any(
                prefix_of(name) == prefix for name in names):
            yield 1, f"{prefix}_id", (f"This column is missing, and there are others that begin "
                                      f"with {prefix}_. Add it.")
    seen: set[str] = set()
    for column in table.columns:
        if what := _of_name(column, seen):
            yield 1, column.name, what
        elif what := _of_type(column) if table.has_types else "":
            yield 2, column.name, what
        seen.add(name_of(column.spelled))


def _of_name(column: Column, seen: set[str]) -> str:
    name = name_of(column.spelled)
    if not name:
        return "A column has no name. Remove it, or name it."
    if name in seen:
        return (f"'{column.spelled.strip()}' is there already, as EcoTaxa makes no difference of "
                "capitals. Rename one of them.")
    if not (prefix := prefix_of(name)):
        return ("EcoTaxa knows columns that begin with object_, sample_, acq_ and process_ only. "
                "Rename it so, or remove it.")
    if prefix == "img" and name not in FIXED:
        return "Of pictures, EcoTaxa takes img_file_name and img_rank only. Remove the column."
    return ""


def _of_type(column: Column) -> str:
    free = prefix_of(column.name) == "object" and column.name not in FIXED
    if free and column.type not in (TEXT, NUMBER):
        return f"The type is '{column.type}', expected [f] (number) or [t] (text). Correct it."
    return ""


class _Project:
    """Free columns of all tables together: EcoTaxa gives each a place in the project."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self._taken: Counter[tuple[str, str]] = Counter()

    def add(self, table: Table) -> Iterator[_Found]:
        """Take a table's columns; yield those for which there is no room."""
        for column in table.columns:
            prefix = prefix_of(column.name)
            kind = column.type if prefix == "object" else TEXT
            if column.name in {**FIXED, **self.types} or (prefix, kind) not in MOST_FREE:
                continue
            self.types[column.name] = kind
            self._taken[prefix, kind] += 1
            most = MOST_FREE[prefix, kind]
            if self._taken[prefix, kind] > most:
                what = "numbers" if kind == NUMBER else "text"
                yield 1, column.name, (f"A project has room for {most} free columns of {prefix} "
                                       f"with {what}, and this is one more. Leave some out.")
