"""Numbers as text for people: .553, 95 %: .541 – .565, 15,159. Never "nan"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Stands where there is no number.
NONE = "–"


@dataclass(frozen=True)
class Score:
    """A number and its 95 % interval; None where there is none."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return self.low is not None and self.high is not None


def number(value: Any) -> float | None:
    """A finite number, or None.

    Examples
    --------
    >>> number("no"), number(float("nan")), number(3)
    (None, None, 3.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def as_score(value: Any) -> Score:
    """Of ``{"estimate", "low", "high"}``, of a bare number, or of nothing."""
    if isinstance(value, Mapping):
        return Score(*(number(value.get(part)) for part in ("estimate", "low", "high")))
    return Score(number(value))


def decimal(value: Any, places: int = 3) -> str:
    """A number as scientists print shares: without a zero before the point.

    Examples
    --------
    >>> decimal(0.5531), decimal(-0.02), decimal(1.25), decimal(None)
    ('.553', '−.020', '1.250', '–')
    """
    found = number(value)
    if found is None:
        return NONE
    text = f"{abs(found):.{places}f}"
    sign = "−" if found < 0 and float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def chance(value: Any) -> str:
    """A probability in two digits, that is 1 only if it is.

    Examples
    --------
    >>> chance(0.934), chance(0.9996), chance(1.0), chance(None)
    ('.93', '>.99', '1', '–')
    """
    found = number(value)
    if found is None or found == 1:
        return NONE if found is None else "1"
    return ">.99" if found > 0.99 else decimal(found, 2)


def signed(value: Any, places: int = 3) -> str:
    """Like `decimal`, with a plus sign: for differences.

    Examples
    --------
    >>> signed(0.02), signed(-0.02), signed(0.0001)
    ('+.020', '−.020', '.000')
    """
    text = decimal(value, places)
    return "+" + text if (number(value) or 0) > 0 and text.strip(".0") else text


def spread(score: Score, places: int = 3) -> str:
    """An interval.

    Examples
    --------
    >>> spread(Score(0.55, 0.541, 0.565)), spread(Score(0, -0.01, 0.01)), spread(Score(0.55))
    ('.541 – .565', '−.010 to .010', '')
    """
    if not score.has_interval:
        return ""
    low, high = decimal(score.low, places), decimal(score.high, places)
    return f"{low} to {high}" if "−" in low + high else f"{low} – {high}"


def whole(value: Any) -> str:
    """A count.

    Examples
    --------
    >>> whole(15159), whole(None)
    ('15,159', '–')
    """
    found = number(value)
    return NONE if found is None else f"{found:,.0f}"


def percent(value: Any) -> str:
    """A share in 0..1 as a percentage.

    Examples
    --------
    >>> percent(0.0347), percent(0.5), percent(0.0004)
    ('3.5\\u202f%', '50\\u202f%', '<0.1\\u202f%')
    """
    found = number(value)
    if found is None:
        return NONE
    if 0 < found < 0.0005:
        return "<0.1\u202f%"
    return f"{100 * found:.1f}".removesuffix(".0") + "\u202f%"


def listed(value: Any) -> str:
    """Any value of an option, as text.

    Examples
    --------
    >>> listed(None), listed(["a", "b"]), listed({"C": 0.1}), listed(0.30000000000000004)
    ('–', 'a, b', 'C = 0.1', '0.3')
    """
    if value is None or value == [] or value == {}:
        return NONE
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {listed(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(listed, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
