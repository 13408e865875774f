"""Dates in names and columns: the hour, day, month or year of sampling as a group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from plankton_features.errors import InputError

#: Characters of an ISO date that tell the unit, and what a format must have for it.
UNITS = {"hour": (13, ("Y", "m", "d", "H")), "day": (10, ("Y", "m", "d")),
         "month": (7, ("Y", "m")), "year": (4, ("Y",))}
#: Formats with a name: those of IFCB bins, new and old.
FORMATS = {"ifcb": ("D%Y%m%dT%H%M%S_IFCB", "_%Y_%j_%H%M%S")}
#: Years that a number is believed to be.
YEARS = range(1900, 2100)

_DIGITS = {"Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{2}", "d": r"\d{2}", "j": r"\d{3}",
           "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,6}"}
#: Ten digits from 2001-09-09 to 2033-05-18, or thirteen with milliseconds.
_UNIX = re.compile(r"(?<!\d)1\d{9}(?:\d{3})?(?!\d)")


def dates_in(texts: Sequence[str], date_format: str, unit: str = "day") -> list[str]:
    """The date that each text holds.

    Parameters
    ----------
    texts : sequence of str
        Such as paths.
    date_format : str
        As in `datetime.strptime`, with ``%Y %y %m %d %j %H %M %S %f`` and other text as it is; a
        number must not go on before or after it. Or ``unix`` for seconds since 1970 in ten digits
        (UTC; thirteen digits are milliseconds), or ``ifcb`` for the names of bins.
    unit : {"hour", "day", "month", "year"}

    Returns
    -------
    list of str
        Such as ``2014-01-17``; empty where there is no date, an impossible one (month 13, or a
        year before 1900 or after 2099), or where there are several that differ.

    Raises
    ------
    InputError
        If there is no such unit, or the format does not tell it.

    Examples
    --------
    >>> dates_in(["a/tow_20140117_3.png", "a/20141331.png", "a/3.png"], "%Y%m%d")
    ['2014-01-17', '', '']
    >>> dates_in(["1401170034"], "unix", "hour")
    ['2014-05-27T05']
    """
    if unit not in UNITS:
        raise InputError(f"date-unit '{unit}': expected one of {', '.join(UNITS)}.")
    readers = [_Unix()] if date_format == "unix" else [
        _reader(one, unit) for one in FORMATS.get(date_format, (date_format,))]
    length = UNITS[unit][0]
    found = ({when[:length] for reader in readers for when in reader.dates(text)}
             for text in texts)
    return [dates.pop() if len(dates) == 1 else "" for dates in found]


class _Unix:
    def dates(self, text: str) -> Iterator[str]:
        for match in _UNIX.finditer(text):
            yield datetime.fromtimestamp(int(match.group()[:10]), UTC).isoformat()


@dataclass
class _Format:
    """Finds dates of one format; a date is worked out once, however many names hold it."""

    pattern: re.Pattern[str]
    date_format: str

    def __post_init__(self) -> None:
        self.known: dict[str, str] = {}

    def dates(self, text: str) -> Iterator[str]:
        for match in self.pattern.finditer(text):
            if match.group() not in self.known:
                self.known[match.group()] = self._read(match)
            if when := self.known[match.group()]:
                yield when

    def _read(self, match: re.Match[str]) -> str:
        try:
            when = datetime.strptime(match.group(), self.date_format)
        except ValueError:  # month 13
            return ""
        day = when.timetuple().tm_yday
        rolled = int(match.groupdict().get("j", day)) != day  # day 366 of a year of 365
        return "" if rolled or when.year not in YEARS else when.isoformat()


def _reader(date_format: str, unit: str) -> _Format:
    parts = [part for part in re.split(r"(%.)", date_format) if part]
    patterns = {f"%{name}": f"(?P<{name}>{digits})" for name, digits in _DIGITS.items()}
    if unknown := [part for part in parts if "%" in part and part not in (*patterns, "%%")]:
        raise _wrong(date_format, f"'{unknown[0]}' is not known")
    names = [part[1] for part in parts if part in patterns]
    if len(set(names)) < len(names):
        raise _wrong(date_format, "a part is there twice")
    have = {"Y" if name == "y" else name for name in names} | set("md" if "j" in names else "")
    if missing := [f"%{name}" for name in UNITS[unit][1] if name not in have]:
        raise _wrong(date_format, f"the {unit} needs {' and '.join(missing)}")
    before, after = ((r"(?<!\d)", "")[parts[0] not in patterns],
                     (r"(?!\d)", "")[parts[-1] not in patterns])
    inner = "".join(patterns.get(part, re.escape(part.replace("%%", "%"))) for part in parts)
    return _Format(re.compile(before + inner + after, re.ASCII), date_format)


def _wrong(date_format: str, what: str) -> InputError:
    return InputError(f"group-by-date '{date_format}': {what}. Expected unix, "
                      f"{', '.join(FORMATS)}, or a format such as %Y%m%d of "
                      f"{' '.join('%' + name for name in _DIGITS)} and other text.")
