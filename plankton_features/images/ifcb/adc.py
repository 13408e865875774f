"""The ``.adc`` file: a line for each trigger, which says where its picture lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

#: A day of an instrument has some 100 bins, a large one some 10,000 triggers of 250 bytes.
MAX_BYTES = 64 * 2**20
_MOST_SHOWN = 40
#: Whole numbers up to here are exact as floating point ones.
_MOST = 2**53
_FEW_DIGITS = 15


@dataclass(frozen=True)
class Layout:
    """Which column is which, from 0.

    Attributes
    ----------
    x : int
        Of the first of x, y, width, height and start byte, which follow each other.
    most : int
        So many columns at most.
    """

    x: int
    most: int

    @property
    def least(self) -> int:
        """Columns that are needed."""
        return self.x + 5


#: 15 columns, and often an empty one.
OLD = Layout(9, 16)
#: 24 columns, of some instruments 26.
NEW = Layout(13, 1000)


class Target(NamedTuple):
    """A trigger with a picture.

    `number` is that of its line, from 1; `x` and `y` are places in the camera's frame, in pixels;
    the pixels begin at byte `start` of the ``.roi`` file.
    """

    number: int
    trigger: int
    x: int
    y: int
    width: int
    height: int
    start: int

    @property
    def end(self) -> int:
        """The byte after the last."""
        return self.start + self.width * self.height


@dataclass(frozen=True)
class Adc:
    """What an ``.adc`` file says.

    Attributes
    ----------
    rows : dict of int to list of str
        Fields by the number of their line, from 1; without blank lines.
    targets : list of Target
        Triggers with a picture, in the order of lines.
    damaged : dict of int to str
        What is wrong with the lines that cannot be read.
    """

    rows: dict[int, list[str]]
    targets: list[Target]
    damaged: dict[int, str]


def parse_adc(data: bytes, layout: Layout) -> Adc:
    """Read the lines of an ``.adc`` file.

    Parameters
    ----------
    data : bytes
        Numbers separated by commas, no header. Whole ones may be written ``796`` or ``796.0``.
    layout : Layout

    Returns
    -------
    Adc

    Examples
    --------
    >>> line = b"1,0,0,0,0,0,0,0,0,796,703,176.0,122,1,0,"
    >>> parse_adc(line, OLD).targets[0].end
    21473
    """
    lines = data.decode("ascii", "replace").split("\n")
    rows = {n: line.split(",") for n, line in enumerate(lines, start=1)
            if line and not line.isspace()}
    targets, damaged = [], {}
    for number, fields in rows.items():
        try:
            target = _target(number, fields, layout)
        except ValueError as error:
            damaged[number] = str(error)
        else:
            if target.width and target.height:
                targets.append(target)
    return Adc(rows, targets, damaged)


def number_at(fields: list[str], column: int) -> float:
    """The number in a column; NaN if there is none."""
    try:
        return float(fields[column])
    except (IndexError, ValueError):
        return math.nan


def _target(number: int, fields: list[str], layout: Layout) -> Target:
    if not layout.least <= len(fields) <= layout.most:
        expected = (f"{layout.least} or more" if len(fields) < layout.least
                    else f"{layout.most} at most")
        raise ValueError(f"its line has {len(fields)} columns, expected {expected}")
    trigger, x, y, width, height, start = map(
        _whole, (fields[0], *fields[layout.x:layout.least]))
    if min(x, y, width, height, start) < 0:
        raise ValueError(f"its line says {width} x {height} px at {x}, {y}, from byte {start}")
    return Target(number, trigger, x, y, width, height, start)


def _whole(field: str) -> int:
    if field.isdecimal() and len(field) < _FEW_DIGITS:  # nearly all
        return int(field)
    try:
        value = float(field)
        whole = int(value)
    except (ValueError, OverflowError):
        whole, value = 0, math.nan
    if whole != value or abs(whole) > _MOST:
        shown = "".join(c if c.isprintable() else "?" for c in field[:_MOST_SHOWN])
        raise ValueError(f"its line has '{shown}' where a whole number should be")
    return whole
