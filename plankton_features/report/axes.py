"""Scales of drawings: where a number lies, and the round numbers beside an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from plankton_features.report.numbers import decimal

_STEPS = (1, 2, 5, 10)
_MOST_POWERS = 5


class Scale(NamedTuple):
    """From one number to another, with round numbers and their texts in between."""

    least: float
    most: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a number lies: 0 at the least, 1 at the most.

        Examples
        --------
        >>> Scale(0.0, 4.0, ()).share(1.0), round(Scale(1.0, 100.0, (), True).share(10.0), 6)
        (0.25, 0.5)
        """
        low, high, at = (math.log(v) if self.logarithmic else v
                         for v in (self.least, self.most, value))
        return (at - low) / (high - low)


def scale_of(values: Iterable[float | None], log_from: float = math.inf) -> Scale:
    """The scale that numbers are drawn on.

    Parameters
    ----------
    values : iterable of float or None
        None is left out; without a number the scale goes from 0 to 1.
    log_from : float
        The scale is logarithmic if all are above 0 and the largest is more than so many times the
        smallest.

    Returns
    -------
    Scale

    Examples
    --------
    >>> [text for _, text in scale_of([0.31, 1.92, None]).ticks]
    ['0', '.5', '1.0', '1.5', '2.0']
    >>> [text for _, text in scale_of([0.05, 0.0004], log_from=10).ticks]
    ['.001', '.01']
    """
    found = [v for v in values if v is not None] or [0.0, 1.0]
    low, high = min(found), max(found)
    if low > 0 and high / low > log_from:
        return _log(low, high)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(high) * 0.1 or 0.5
        low, high = max(low - room, min(low, 0.0)), high + room
    return _linear(low, high)


def epoch_ticks(first: int, last: int, most: int = 6) -> list[int]:
    """Round numbers between two whole ones, and the first.

    Examples
    --------
    >>> epoch_ticks(1, 1), epoch_ticks(1, 5), epoch_ticks(1, 20)
    ([1], [1, 2, 3, 4, 5], [1, 5, 10, 15, 20])
    >>> epoch_ticks(1, 9), epoch_ticks(1, 200)
    ([2, 4, 6, 8], [1, 50, 100, 150, 200])
    """
    step = max(1, round(_step((last - first) / (most - 1))))
    ticks = [n for n in range(first, last + 1) if n % step == 0]
    return ticks if ticks and ticks[0] - first <= step / 2 else [first, *ticks]


def small_text(value: float) -> str:
    """A number that may be tiny, such as a learning rate.

    Examples
    --------
    >>> small_text(0.05), small_text(0.00012), small_text(0.00001), small_text(0), small_text(2)
    ('.05', '.00012', '1e−5', '0', '2')
    """
    text = f"{value:.3g}"
    for long, short in (("e+0", "e"), ("e+", "e"), ("e-0", "e−"), ("e-", "e−")):
        text = text.replace(long, short)
    return text.removeprefix("0") if text.startswith("0.") else text


def _step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... and of their tenths that is not less."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in _STEPS if m * power >= least * (1 - 1e-9))


def _linear(low: float, high: float) -> Scale:
    step = _step((high - low) / 4)
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    values = [float(f"{k * step:.12g}") for k in range(start, end + 1)]
    return Scale(values[0], values[-1], tuple((v, _tick(v, places)) for v in values))


def _tick(value: float, places: int) -> str:
    if value == 0:
        return "0"
    return decimal(value, places) if places <= 4 and abs(value) < 1e5 else small_text(value)


def _log(low: float, high: float) -> Scale:
    """Powers of ten; where there is one only, 2 and 5 times them too."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    within = [10.0**k for k in range(first, last + 1) if low * 0.999 <= 10.0**k <= high * 1.001]
    ticks = within[:: -(-len(within) // _MOST_POWERS)]
    if len(ticks) < 2:
        ticks = [m * 10.0**k for k in range(first, last + 1) for m in _STEPS[:3]
                 if low * 0.999 <= m * 10.0**k <= high * 1.001]
    return Scale(low / 1.1, high * 1.1, tuple((v, small_text(v)) for v in ticks), True)
