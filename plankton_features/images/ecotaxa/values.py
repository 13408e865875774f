"""Numbers, places and times as they are written in EcoTaxa's tables."""

from __future__ import annotations

import datetime
import math
import re

_DEGREES = re.compile(r"(-?)(\d+)°(\d+) (\d+)")
_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
_NOT_KNOWN = ("nan", "na")


def number(text: str) -> float | None:
    """A number; None if there is none (empty, ``nan``, ``NA``).

    Parameters
    ----------
    text : str
        In Python's syntax, or with a comma for the point, as EcoTaxa once wrote them.

    Raises
    ------
    ValueError
        If it is something else, or minus infinity, which EcoTaxa refuses.

    Examples
    --------
    >>> number(" 1.5e3 "), number("0,25"), number("NaN")
    (1500.0, 0.25, None)
    """
    text = text.strip()
    if not text or text.lower() in _NOT_KNOWN:
        return None
    value = float(text.replace(",", ".") if _COMMA.fullmatch(text) else text)
    if value == -math.inf:
        raise ValueError("minus infinity")
    return value


def degrees(text: str, most: float) -> float | None:
    """A latitude or longitude in decimal degrees; None if there is none.

    Parameters
    ----------
    text : str
        A number, or ``43°41 30``: degrees, minutes and sixtieths of minutes, as UVPapp writes.
        A sign holds for all of it, which EcoTaxa's own reading of negative ones gets wrong.
    most : float
        90 or 180.

    Raises
    ------
    ValueError
        If it is something else, or beyond `most`.

    Examples
    --------
    >>> degrees("43°30 45", 90), degrees("-17°30 0", 180)
    (43.5125, -17.5)
    """
    if parts := _DEGREES.fullmatch(text.strip()):
        sign, *whole = parts.groups()
        value: float | None = sum(int(part) / 60**i for i, part in enumerate(whole))
        value = -value if sign and value else value
    else:
        value = number(text)
    if value is not None and not -most <= value <= most:
        raise ValueError(f"beyond {most:g} degrees")
    return value


def date(text: str) -> str | None:
    """A date as ``YYYY-MM-DD``; None if there is none.

    Parameters
    ----------
    text : str
        ``YYYYMMDD`` or ``YYYY-MM-DD``.

    Raises
    ------
    ValueError
        If it is something else, or no day of the calendar.

    Examples
    --------
    >>> date("20200205"), date("2020-02-05")
    ('2020-02-05', '2020-02-05')
    """
    text = text.strip()
    if not text:
        return None
    dashed = text[4:5] == text[7:8] == "-"
    parts = (text[:4], text[5:7], text[8:]) if dashed else (text[:4], text[4:6], text[6:])
    year, month, day = _whole(parts, (4, 2, 2))
    return datetime.date(year, month, day).isoformat()


def time(text: str) -> str | None:
    """A time of day as ``HH:MM:SS``; None if there is none.

    Parameters
    ----------
    text : str
        ``HH:MM:SS``, or ``HHMM`` or ``HHMMSS``. Spreadsheets cut zeros at the front, so EcoTaxa
        fills up to four digits there, and then to six at the end.

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> time("420"), time("111823"), time("9:05:00".zfill(8))
    ('04:20:00', '11:18:23', '09:05:00')
    """
    text = text.strip()
    if not text:
        return None
    if text[2:3] == text[5:6] == ":":
        parts = (text[:2], text[3:5], text[6:])
    else:
        text = text.zfill(4).ljust(6, "0")
        parts = (text[:2], text[2:4], text[4:])
    hour, minute, second = _whole(parts, (2, 2, 2))
    return datetime.time(hour, minute, second).isoformat()


def _whole(parts: tuple[str, ...], lengths: tuple[int, ...]) -> list[int]:
    if any(len(part) != n or not part.isascii() or not part.isdecimal()
           for part, n in zip(parts, lengths, strict=True)):
        raise ValueError("not so many digits as expected")
    return [int(part) for part in parts]
