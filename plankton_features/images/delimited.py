"""Text tables as Excel, R, PowerShell and people write them."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TextIO

from plankton_features.errors import InputError

SEPARATORS = ",;\t"
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32",
          codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}  # the first that fits: UTF-32's begins like UTF-16's
_WORKBOOKS = {b"PK\x03\x04": "an Excel workbook or another zip archive",
              b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind"}
#: Excel's separator, in a line above the header.
_DECLARED = re.compile(r'"?sep=([,;|\t])"?[,;\t]*\s*$', re.IGNORECASE)
#: PowerShell's type, in a line above the header.
_TYPE = "#TYPE "
#: Cells of known columns in a row of units or types, below the header.
_NO_VALUE = re.compile(r"-?|\[[^][]*\]|\([^()]*\)")


def read_table(table: Path, columns: Sequence[str], needed: int = 1) -> Iterator[tuple[str, ...]]:
    """Yield the values of some columns, row by row.

    Parameters
    ----------
    table : Path
        UTF-8, or UTF-16 as Excel ("Unicode text") and PowerShell write it. Columns are separated
        by comma, semicolon or tab, or by what a first line such as ``sep=;`` declares. Blank
        lines are passed over, and so is a row of units below the header: one that says nothing
        of `columns`.
    columns : sequence of str
        Names in lower case; in the header case does not matter.
    needed : int, default=1
        So many of the first must be in the header. The first must be filled in each row.

    Yields
    ------
    tuple of str
        One for each of `columns`, without spaces around it; empty where there is none.

    Raises
    ------
    InputError
        If it is not such a table. The message has the line and the cause.
    """
    for values, _ in TableRows(table, columns, needed):
        yield values


class TableRows:
    """The rows of a table with all their cells.

    Parameters
    ----------
    table, columns, needed
        See `read_table`.

    Attributes
    ----------
    header : list of str
        Names of all columns, as written.
    below : list of str
        Cells of the row of units below it, known when rows are read; empty if there is none.

    Raises
    ------
    InputError
        See `read_table`.
    """

    def __init__(self, table: Path, columns: Sequence[str], needed: int = 1):
        self._lines = (line for line in _lines(table, columns[0]) if any(line.fields))
        self.header = next(self._lines, _Line("", [], "")).fields
        self.below: list[str] = []
        self.places = _places(table, [name.lower() for name in self.header], columns, needed)
        self._first = columns[0]

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """Yield the values of the columns asked for, and all cells."""
        for n, line in enumerate(self._lines):
            fields = line.fields
            values = tuple("" if place is None or place >= len(fields) else fields[place]
                           for place in self.places)
            if n == 0 and all(map(_NO_VALUE.fullmatch, values)):
                self.below = fields
                continue
            _check_length(line, len(self.header))
            if not values[0]:
                raise InputError(f"{line.where} has no {self._first}. Fill it in or remove the "
                                 "line.")
            yield values, fields


class _Line(NamedTuple):
    """Where it is, for messages, its fields, and what separates them."""

    where: str
    fields: list[str]
    separator: str


def _lines(table: Path, first: str) -> Iterator[_Line]:
    """Yield the lines from the header on."""
    encoding = _encoding(table)
    try:
        with table.open(encoding=encoding, newline="") as file:
            above, separator = _begin(file, first)
            file.seek(0)
            for _ in range(above):
                file.readline()
            reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
            try:
                for fields in reader:
                    yield _Line(f"{table}: line {above + reader.line_num}",
                                [field.strip() for field in fields], separator)
            except csv.Error as error:
                raise InputError(f"{table}: line {above + reader.line_num}: expected a CSV table, "
                                 f"but: {error}. Check the quotes; columns are separated by "
                                 "comma, semicolon or tab.") from error
    except UnicodeError as error:
        raise InputError(f"{table}: expected a CSV table in UTF-8, but "
                         f"{_where_not(table, encoding)}. Save it again as 'CSV UTF-8'."
                         ) from error


def _encoding(table: Path) -> str:
    """By the mark at the begin, or by the zeros of UTF-16 without one; otherwise UTF-8."""
    if not table.is_file():  # a pipe can be read once only, and one that nobody fills never
        raise InputError(f"{table}: expected a table in a file, found none. Check the spelling.")
    try:
        with table.open("rb") as file:
            begin = file.read(4)
    except OSError as error:
        raise InputError(f"{table}: cannot be read: {error.strerror}.") from error
    for magic, kind in _WORKBOOKS.items():
        if begin.startswith(magic):
            raise InputError(f"{table}: expected a CSV table, got {kind}. In Excel, save the sheet "
                             "as 'CSV UTF-8'.")
    for mark, encoding in _MARKS.items():
        if begin.startswith(mark):
            return encoding
    zeros = begin[:1] == b"\0", begin[1:2] == b"\0"
    return {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get(zeros, "utf-8")


def _begin(file: TextIO, first: str) -> tuple[int, str]:
    """How many lines are above the header, and what separates columns."""
    for above, line in enumerate(file):
        if declared := _DECLARED.match(line):
            return above + 1, declared[1]
        if line.startswith(_TYPE) or not line.strip(SEPARATORS + ' "\r\n'):
            continue
        split = {s: next(csv.reader([line], delimiter=s, skipinitialspace=True))
                 for s in SEPARATORS}
        return above, max(SEPARATORS, key=lambda s: (
            first in [name.strip().lower() for name in split[s]], len(split[s])))
    return 0, SEPARATORS[0]


def _where_not(table: Path, encoding: str) -> str:
    """The first place that is not in this encoding, for a message."""
    if not encoding.startswith("utf-8"):
        return f"its begin says {encoding.upper()} and what follows is not"
    with table.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                before = line[max(0, error.start - 20):error.start].decode("ascii", "replace")
                return (f"in line {number} the byte {line[error.start]:02X} after '{before}' "
                        "is of another encoding")
    return "it has changed while it was read"


def _places(table: Path, header: list[str], columns: Sequence[str],
            needed: int) -> list[int | None]:
    """Where each of `columns` is in a row."""
    for name in columns:
        if header.count(name) > 1:
            raise InputError(f"{table}: expected one column named '{name}', got several. "
                             "Rename or remove the others.")
    if not set(columns[:needed]) <= set(header):
        wanted = " and ".join(f"'{name}'" for name in columns[:needed])
        also = ", ".join(columns[needed:])
        raise InputError(f"{table}: expected a column named {wanted} (and optionally "
                         f"{also}); got {_names(header)}")
    return [header.index(name) if name in header else None for name in columns]


def _names(header: list[str]) -> str:
    if not header:
        return "an empty file. Write the names of the columns into the first line."
    if len(header) == 1:
        return (f"a single column, '{header[0][:60]}'. Rename it, or separate columns by comma, "
                "semicolon or tab.")
    return f"{', '.join(header)}. Rename the column."


def _check_length(line: _Line, n_columns: int) -> None:
    """Refuse a row in which fields may have moved.

    Empty fields after the last column do no harm, but a comma within a number moves what follows.
    """
    fields = line.fields
    cut = line.separator == "," and any(a.lstrip("-").isdecimal() and b.isdecimal()
                                        for a, b in pairwise(fields))
    if any(fields[n_columns:]) or (len(fields) > n_columns and cut):
        raise InputError(f"{line.where} has {len(fields)} fields, the header has {n_columns}. Put "
                         "fields that hold the separator in quotes, also numbers with a comma.")
