"""Tables of images as programs write them, with what they say, and damage to them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from forging.images import damage

Row = tuple[str, str, str, str]
"""Path, label, group and id of an image."""
_COLUMNS = ("path", "label", "group", "id")
_TAXA = ("Calanus", "Oithona, juv.", "Кладоцера", "Ceratium [furca]", 'the "big" one', "œuf",
         "Acartia*", "a;b", "x\ty", "détritus")
_OTHER = {"depth (m)": "12,5", "comment": 'said "so", twice', "size, µm": "1.234,5"}
#: Byte order mark or none; the last is what Excel calls Unicode text.
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")


@dataclass(frozen=True)
class Table:
    """A file, and the rows that it says.

    Attributes
    ----------
    content : bytes
    rows : list of Row
        Empty texts where the table has no such column.
    """

    content: bytes
    rows: list[Row]


def styled(rng: np.random.Generator) -> Table:
    """A sound table in one of the ways in which Excel, R and PowerShell write them.

    Any order of columns, further columns, any separator, quotes where needed or everywhere, line
    ends of three systems, a byte order mark, a first line that declares the separator, blank lines.
    """
    columns = ["path", *(name for name in _COLUMNS[1:] if rng.random() < 0.7)]
    names = list(rng.permutation([*columns, *(name for name in _OTHER if rng.random() < 0.4)]))
    rows = [_row(rng, i) for i in range(int(rng.integers(1, 12)))]
    separator = str(rng.choice([",", ";", "\t"]))
    written = io.StringIO(newline="")
    quoting = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL][rng.integers(2)]
    if len(names) == 1:  # nothing else would say that a comma is no separator
        quoting = csv.QUOTE_ALL
    end = str(rng.choice(["\n", "\r\n"]))
    writer = csv.writer(written, delimiter=separator, quoting=quoting, lineterminator=end)
    if rng.random() < 0.2:
        written.write(f"sep={separator}{end}")
    writer.writerow([name.upper() if rng.random() < 0.1 else name for name in names])
    for row in rows:
        values = {**_OTHER, **dict(zip(_COLUMNS, row, strict=True))}
        writer.writerow([values[name] for name in names])
        if rng.random() < 0.1:
            writer.writerow([""] * len(names) if rng.random() < 0.5 else [])
    said = [tuple(v if n in columns else "" for n, v in zip(_COLUMNS, row, strict=True))
            for row in rows]
    return Table(written.getvalue().encode(str(rng.choice(_ENCODINGS))), said)


def damaged(rng: np.random.Generator) -> bytes:
    """A sound table with damage done to it."""
    return damage(styled(rng).content, rng)


def _row(rng: np.random.Generator, i: int) -> Row:
    taxon = str(rng.choice(_TAXA))
    return (f"station {rng.integers(3)}/img,{i}.png", taxon if rng.random() < 0.9 else "",
            f"tow {rng.integers(4)}", f"{rng.integers(10**6)}_{i}")
