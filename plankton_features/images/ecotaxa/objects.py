"""The objects of EcoTaxa's tables, each with the picture that is shown of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from plankton_features.errors import InputError, one_line
from plankton_features.images.ecotaxa import values
from plankton_features.images.ecotaxa.table import Row, Table
from plankton_features.images.sources.ecotaxa_bundle import Bundle, of_object

#: Ranks from here on are of pictures that EcoTaxa keeps beside the shown ones.
_KEPT_RANK = 100
_NEEDED = ("object_id", "img_file_name")


class Shown(NamedTuple):
    """The picture of an object, and the row that names it.

    Attributes
    ----------
    rank : int
        The lowest of the object's pictures.
    path : str
        In the bundle.
    size : int
        In bytes; -1 if there is no such file.
    table : int
        Position in `Objects.tables`.
    line : int
    cells : list of str
    """

    rank: int
    path: str
    size: int
    table: int
    line: int
    cells: list[str]


@dataclass
class Object:
    """An object: the picture that is shown, and the ranks of all its pictures."""

    shown: Shown
    ranks: set[int]


@dataclass
class Objects:
    """What a bundle's tables hold.

    Attributes
    ----------
    tables : list of Table
        Those that could be opened and name pictures.
    found : list of Object
        In the order of tables and lines.
    faults : dict of str to str
        What could not be used: a table, or a line of one, and why.
    """

    tables: list[Table] = field(default_factory=list)
    found: list[Object] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def cell(self, one: Object, name: str) -> str:
        """What stands in a column for an object, without blanks around it; empty if nothing."""
        place = self.places[one.shown.table].get(name)
        return "" if place is None else one.shown.cells[place].strip()

    @property
    def places(self) -> list[dict[str, int]]:
        """Of each table, where the column of a name is."""
        for table in self.tables[len(self._places):]:
            self._places.append({column.name: i for i, column in enumerate(table.columns)})
        return self._places

    _places: list[dict[str, int]] = field(default_factory=list, repr=False)


def read_objects(bundle: Bundle) -> Objects:
    """Read all tables of a bundle.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    Objects
        An object is what has one sample, acquisition and ``object_id``; its further lines are
        further pictures. Lines that cannot be read, name no picture or one that is outside, or that
        are there twice, are faults.

    Raises
    ------
    InputError
        If no table could be used; the message is that of the first.
    """
    reading = _Reading(bundle)
    for path in bundle.table_paths():
        try:
            table = bundle.table(path)
            reading.take(table)
        except InputError as error:
            reading.objects.faults[path] = one_line(error, 300).removeprefix(f"{path}: ")
    objects = reading.objects
    if not objects.found:
        why = next((f"{path}: {reason}" for path, reason in objects.faults.items()),
                   "there is no line below the header")
        raise InputError(f"{bundle}: expected EcoTaxa tables with objects and pictures; {why}. An "
                         "export needs its images: choose 'general' or 'backup' with images.")
    return objects


class _Reading:
    """Takes one table after the other."""

    def __init__(self, bundle: Bundle):
        self.bundle, self.objects = bundle, Objects()
        self._by_key: dict[tuple[str, str, str], Object] = {}
        self._pictures: dict[str, tuple[tuple[str, str, str], str]] = {}
        self._same: dict[str, str] = {}

    def take(self, table: Table) -> None:
        missing = [name for name in _NEEDED if table.place(name) is None]
        if missing:
            raise InputError(f"{table.name}: has no column {' and '.join(missing)}")
        self.objects.tables.append(table)
        for row in table.rows():
            try:
                self._take_row(table, row)
            except ValueError as error:
                self.objects.faults[f"{table.name}, line {row.line}"] = str(error)

    def _take_row(self, table: Table, row: Row) -> None:
        if row.wrong:
            raise ValueError(row.wrong)
        place = self.objects.places[-1]
        sample, acquisition, object_id, name, rank = (
            row.cells[place[column]].strip() if column in place else ""
            for column in ("sample_id", "acq_id", *_NEEDED, "img_rank"))
        if not object_id:
            raise ValueError("object_id is empty")
        key, where = (sample, acquisition, object_id), f"{table.name}, line {row.line}"
        path, size = self.bundle.place(table.name, name)
        for known in (path, further := of_object(path, object_id)):
            if self._pictures.get(known, (None, ""))[0] == key:
                raise ValueError(f"object '{object_id}' with this picture is there already: "
                                 f"{self._pictures[known][1]}")
        path = further if path in self._pictures else path
        self._pictures[path] = key, where
        one = self._by_key.get(key)
        shown = Shown(_rank(rank, one.ranks if one else set()), path, size,
                      len(self.objects.tables) - 1, row.line, self._shared(row.cells))
        if one is None:
            one = self._by_key[key] = Object(shown, {shown.rank})
            self.objects.found.append(one)
            return
        one.ranks.add(shown.rank)
        if shown.rank < one.shown.rank:
            one.shown = shown

    def _shared(self, cells: list[str]) -> list[str]:
        """Cells of which equal ones are one text: most of a table's say the same in each row."""
        if len(self._same) > 1_000_000:
            self._same.clear()
        return [self._same.setdefault(cell, cell) for cell in cells]


def _rank(text: str, taken: set[int]) -> int:
    """A picture's rank, as EcoTaxa would give it: one that is taken becomes the next free one."""
    given = None
    with suppress(ValueError, OverflowError):
        value = values.number(text)
        given = None if value is None else int(value)
    if given is not None and given not in taken:
        return given
    return max((rank for rank in taken if rank < _KEPT_RANK), default=-1) + 1


def column_names(objects: Objects) -> Iterator[str]:
    """Names of all columns, in the order in which tables have them."""
    seen: set[str] = set()
    for table in objects.tables:
        for column in table.columns:
            if column.name and column.name not in seen:
                seen.add(column.name)
                yield column.name
