"""Names of bins and of their pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

_NEW = re.compile(r"D([0-9]{8}T[0-9]{6})_(IFCB[0-9]+)")
_OLD = re.compile(r"(IFCB[0-9]+)_([0-9]{4}_[0-9]{3}_[0-9]{6})")
_PICTURE = re.compile(r"(.+)_([0-9]{5,18})")


@dataclass(frozen=True)
class BinName:
    """What the name of a bin says.

    Attributes
    ----------
    text : str
        The name, ``D20220519T124533_IFCB134`` or of old instruments ``IFCB5_2012_028_081515``.
    instrument : str
        Such as ``IFCB134``.
    time : datetime
        UTC, to the second.
    old : bool
        Whether it is of an old instrument, whose files differ.
    """

    text: str
    instrument: str
    time: datetime
    old: bool

    @classmethod
    def parse(cls, text: str) -> BinName | None:
        """Read a name; None if it is no bin's.

        Parameters
        ----------
        text : str

        Returns
        -------
        BinName or None

        Examples
        --------
        >>> BinName.parse("IFCB5_2012_028_081515").time.isoformat()
        '2012-01-28T08:15:15+00:00'
        >>> BinName.parse("Copepoda")
        """
        new, old = _NEW.fullmatch(text), _OLD.fullmatch(text)
        if new:
            stamp, instrument, form = new[1], new[2], "%Y%m%dT%H%M%S"
        elif old:
            stamp, instrument, form = old[2], old[1], "%Y_%j_%H%M%S"
        else:
            return None
        try:
            time = datetime.strptime(stamp, form).replace(tzinfo=UTC)
        except ValueError:  # no such day or hour
            return None
        return cls(text, instrument, time, old is not None)


@lru_cache(maxsize=4096)
def is_bin_name(text: str) -> bool:
    """Whether this is the name of a bin."""
    return BinName.parse(text) is not None


def picture_id(name: str, target: int) -> str:
    """The id of a bin's picture, by which all programs for IFCB know it.

    Parameters
    ----------
    name : str
        Of the bin.
    target : int
        Number of its line in the ``.adc`` file, from 1.

    Returns
    -------
    str

    Examples
    --------
    >>> picture_id("D20220519T124533_IFCB134", 7)
    'D20220519T124533_IFCB134_00007'
    """
    return f"{name}_{target:05d}"


def split_picture_id(text: str) -> tuple[str, int] | None:
    """Name of the bin and target number of a picture's id; None if it is none.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of (str, int), or None

    Examples
    --------
    >>> split_picture_id("D20220519T124533_IFCB134_00007")
    ('D20220519T124533_IFCB134', 7)
    """
    match = _PICTURE.fullmatch(text)
    if match is None or not is_bin_name(match[1]):
        return None
    target = int(match[2])
    return (match[1], target) if picture_id(match[1], target) == text else None
