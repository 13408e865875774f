"""One EcoTaxa table, as EcoTaxa, instruments' programs and spreadsheets write them."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from plankton_features.errors import InputError, one_line
from plankton_features.images.ecotaxa.fields import NUMBER, TEXT
from plankton_features.images.spelling import composed

MOST_COLUMNS = 5_000
#: Characters of a line.
MOST_LINE = 4 * 2**20
MOST_BYTES = 8 * 2**30
#: Characters of a cell, so that a feature file can keep it.
MOST_CELL = 16_000
_BLOCK = 2**20
#: What reading raises, of a file within an archive too.
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error)
_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TYPES = (TEXT, NUMBER)


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    name : str
        In lower case and Unicode's composed form. A further column of the same name has ``.2``
        (``.3`` and so on) at its end, and one without name is empty.
    spelled : str
        As it stands in the table.
    type : str
        What the row of types says, ``[f]`` or ``[t]`` where it is right; empty without such a row.
        As it stands there.
    """

    name: str
    spelled: str
    type: str


class Row(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    line : int
        Of the file, where the row begins; 1 is the header's.
    cells : list of str
        As they stand there, one for each column; empty where the line ends before.
    wrong : str
        Why its cells cannot be those of its columns; empty if they can.
    """

    line: int
    cells: list[str]
    wrong: str = ""


@dataclass(frozen=True)
class Table:
    """What the head of a table says.

    Attributes
    ----------
    name : str
        For messages.
    encoding : {"utf-8-sig", "ascii", "utf-8", "latin-1"}
        By the mark at the begin, or else the first that all of it is in.
    columns : tuple of Column
    has_types : bool
        Whether the second line is a row of types. EcoTaxa's import takes any second line for one;
        its exports have it or not.
    open : callable
        Opens the file for reading bytes.
    """

    name: str
    encoding: str
    columns: tuple[Column, ...]
    has_types: bool
    open: Callable[[], BinaryIO]

    def rows(self) -> Iterator[Row]:
        """Yield the rows below header and types; blank lines are passed over.

        Raises
        ------
        InputError
            If it cannot be read, or a quote or a line has no end. The message has the line.
        """
        records = _records(self.name, self.encoding, self.open)
        next(records, None)
        if self.has_types:
            next(records, None)
        for line, cells in records:
            yield self._row(line, cells)

    def place(self, name: str) -> int | None:
        """Where the column of a name is; None if there is none."""
        return next((i for i, column in enumerate(self.columns) if column.name == name), None)

    def _row(self, line: int, cells: list[str]) -> Row:
        n = len(self.columns)
        wrong = ""
        if any(cell.strip() for cell in cells[n:]):
            wrong = f"it has {len(cells)} cells, the header has {n}"
        elif n > 1 and any(cell.count("\t") >= n - 1 and "\n" in cell.replace("\r", "\n")
                           for cell in cells):
            wrong = "a cell holds whole lines: is a quote missing at its end, or one too many?"
        elif any("\0" in cell or len(cell) > MOST_CELL for cell in cells):
            wrong = f"a cell has a zero byte, or more than {MOST_CELL:,} characters"
        elif any(cell.strip() for cell, column in zip(cells, self.columns, strict=False)
                 if not column.name):
            wrong = "it has a value in a column without name"
        return Row(line, (cells + [""] * (n - len(cells)))[:n], wrong)


def open_table(name: str, open_file: Callable[[], BinaryIO]) -> Table:
    """Read the head of a table.

    Parameters
    ----------
    name : str
        For messages.
    open_file : callable
        Opens the file for reading bytes, from its begin each time.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If it cannot be read, is no text, or has no header.
    """
    encoding = _encoding(name, open_file)
    records = _records(name, encoding, open_file)
    _, header = next(records, (1, []))
    _, second = next(records, (2, []))
    if not any(cell.strip() for cell in header):
        raise InputError(f"{name}: expected the names of columns in the first line, found none. "
                         "Export the table again.")
    if len(header) > MOST_COLUMNS:
        raise InputError(f"{name}: expected up to {MOST_COLUMNS:,} columns, got {len(header):,}. "
                         "EcoTaxa takes some 700; leave out what nobody needs.")
    has_types = is_type_row(second)
    types = list(second) if has_types else []
    types += [""] * (len(header) - len(types))
    columns = tuple(Column(column, spelled, kind) for column, spelled, kind
                    in zip(_names(header), header, types, strict=False))
    return Table(name, encoding, columns, has_types, open_file)


def is_type_row(cells: list[str]) -> bool:
    """Whether cells are types, ``[f]`` or ``[t]``; some may be odd or missing."""
    given = [cell.strip().lower() for cell in cells if cell.strip()]
    return sum(cell in _TYPES for cell in given) * 2 > len(given)


def name_of(spelled: str) -> str:
    """The name of a column, without blanks around it, in lower case and composed form."""
    return composed(spelled.strip(" \t\r\n").lower())


def _names(header: list[str]) -> list[str]:
    names: list[str] = []
    seen: dict[str, int] = {}
    for spelled in header:
        name = name_of(spelled)
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name}.{seen[name]}" if name and seen[name] > 1 else name)
    return names


def _encoding(name: str, open_file: Callable[[], BinaryIO]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    marked, plain, lines, n_bytes = False, True, 1, 0
    try:
        with open_file() as file:
            block = file.read(_BLOCK)
            if block.startswith(_OTHER_MARKS) or b"\0" in block[:4]:
                raise InputError(f"{name}: expected a table in UTF-8 or latin-1, got UTF-16 or no "
                                 "text. Save it again as text (tab delimited) in UTF-8.")
            marked = block.startswith(codecs.BOM_UTF8)
            while block:
                decoder.decode(block)
                plain &= block.isascii()
                lines += block.count(b"\n")
                n_bytes += len(block)
                if n_bytes > MOST_BYTES:
                    raise InputError(f"{name}: has more than {MOST_BYTES:,} bytes. Export it split "
                                     "by sample.")
                block = file.read(_BLOCK)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        if marked:
            line = lines + error.object[:error.start].count(b"\n")
            raise InputError(f"{name}: line {line}: begins as UTF-8, and the byte "
                             f"{error.object[error.start]:02X} here is of another encoding. Save "
                             "the table again in UTF-8.") from error
        return "latin-1"
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error
    return "utf-8-sig" if marked else "ascii" if plain else "utf-8"


def _records(name: str, encoding: str,
             open_file: Callable[[], BinaryIO]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line that each record begins at, and its cells; blank lines are passed over."""
    try:
        with open_file() as file, io.TextIOWrapper(file, encoding, newline="") as text:
            lines = _Lines(name, text)
            reader = csv.reader(lines, delimiter="\t", quotechar='"')
            for cells in reader:
                if lines.ended:  # before the record was
                    raise InputError(f"{name}: line {lines.begin}: a quote has no end, so that all "
                                     "lines below would be one cell. Remove it, or close it.")
                if cells:
                    yield lines.begin, cells
                lines.begin = lines.read + 1
    except csv.Error as error:
        raise InputError(f"{name}: line {lines.begin}: {one_line(error)}. Check the quotes; cells "
                         "are separated by tabs.") from error
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error


class _Lines:
    """Lines of a text, of bounded length."""

    def __init__(self, name: str, text: io.TextIOWrapper):
        self.name, self.text = name, text
        self.begin, self.read, self.ended = 1, 0, False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.text.readline(MOST_LINE)
        if len(line) == MOST_LINE and not line.endswith(("\n", "\r")):
            raise InputError(f"{self.name}: line {self.read + 1} has more than {MOST_LINE:,} "
                             "characters. This is no EcoTaxa table.")
        if not line:
            self.ended = True
            raise StopIteration
        self.read += 1
        return line


def _unreadable(name: str, error: Exception) -> InputError:
    why = getattr(error, "strerror", None) or one_line(error)
    return InputError(f"{name}: cannot be read: {why}. Copy it again, or check its permissions.")
