"""Names in Unicode's composed form (NFC) or not: one name to a person, two to most disks."""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from pathlib import PurePath


def composed(name: str) -> str:
    """A name in Unicode's composed form."""
    return unicodedata.normalize("NFC", name)


def as_on_disk(path: str) -> str:
    """A path as the disk spells it, if it is there in another normal form; otherwise as given.

    Parameters
    ----------
    path : str

    Returns
    -------
    str
        The path itself if it is there, if nothing of that name is, or if two of them are.
    """
    if path.isascii() or os.path.lexists(path):
        return path
    pure = PurePath(path)
    here = pure.anchor
    for name in pure.parts[bool(here):]:
        step = os.path.join(here, name)  # noqa: PTH118
        if not os.path.lexists(step):
            same = _names_in(here or ".").get(composed(name), ())
            if len(same) != 1:
                return path
            step = os.path.join(here, same[0])  # noqa: PTH118
        here = step
    return here


def look_at(path: str) -> os.stat_result:
    """What the system knows of a file, in whichever normal form its name is.

    Raises
    ------
    OSError, ValueError
        If it cannot be looked at.
    """
    try:
        return os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return os.stat(as_on_disk(path))  # noqa: PTH116


def _names_in(folder: str) -> dict[str, tuple[str, ...]]:
    try:
        return _listed(folder, os.stat(folder).st_mtime_ns)  # noqa: PTH116
    except (OSError, ValueError):
        return {}


@lru_cache(maxsize=256)
def _listed(folder: str, changed: int) -> dict[str, tuple[str, ...]]:
    """Composed form to the names in a folder, as it is since its last change."""
    found: dict[str, tuple[str, ...]] = {}
    for name in os.listdir(folder):  # noqa: PTH208
        if not name.isascii():
            found[composed(name)] = (*found.get(composed(name), ()), name)
    return found
