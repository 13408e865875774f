"""Groups from a column, a pattern, a folder or a date: the tow, sample, bin or day of an image."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.heads.validation.dates import dates_in
from plankton_features.heads.validation.folds import Folds
from plankton_features.heads.validation.labels import texts_of

#: Patterns with a name: an IFCB's bin (new, old), a scan of ZooProcess, a sample of a UVP6.
PATTERNS = {"ifcb": r"(D\d{8}T\d{6}_IFCB\d+|IFCB\d+_\d{4}_\d{3}_\d{6})",
            "zooscan": r"([^/\\]+_[^_/\\]+_\d+)_\d+(?:\.\w+)?$",
            "uvp6": r"([^/\\]+)_Images[/\\]"}
COLUMN = "column group"
COLUMNS = ("path", "id", "group")
MISSING = ("refuse", "alone", "drop")


@dataclass(frozen=True)
class Grouping:
    """How groups are found; without pattern, level or date the column ``group`` has them.

    Attributes
    ----------
    pattern : str, optional
        Regular expression that is searched for, or one of `PATTERNS`. What its first bracket
        with something in it took is the group; without brackets all that it matched.
    level : int, optional
        Folder of the path: 1 is the first one in the images' folder, -1 the one that holds the
        image.
    date : str, optional
        Format of a date that is searched for; see `dates_in`.
    unit : {"day", "hour", "month", "year"}
        Of the date.
    column : {"path", "id", "group"}
        Where pattern and date are searched for.
    missing : {"refuse", "alone", "drop"}
        What is done with images without a group: an error, each is a group of its own, or they
        are left out.

    Raises
    ------
    InputError
        If a value is none of these, or two ways are given.
    """

    pattern: str | None = None
    level: int | None = None
    date: str | None = None
    unit: str = "day"
    column: str = "path"
    missing: str = "refuse"

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.pattern, self.level, self.date)) > 1:
            raise InputError("--group-pattern, --group-level and --group-by-date exclude each "
                             "other.")
        if self.level == 0:
            raise InputError("group-level 0: count from 1 (the first folder) or from -1 (the one "
                             "that holds the image).")
        if self.column != "path" and self.pattern is None and self.date is None:
            raise InputError("--group-from goes with --group-pattern and --group-by-date only.")
        if self.unit != "day" and self.date is None:
            raise InputError("--date-unit goes with --group-by-date only.")
        for name, given, known in (("group-from", self.column, COLUMNS),
                                   ("missing-group", self.missing, MISSING)):
            if given not in known:
                raise InputError(f"{name} '{given}': expected one of {', '.join(known)}.")

    @property
    def way(self) -> str:
        """For a person, such as ``group-level 1``."""
        of = f" of {self.column}" if self.column != "path" else ""
        if self.pattern is not None:
            return f"group-pattern '{self.pattern}'{of}"
        if self.date is not None:
            return f"group-by-date '{self.date}'{of}"
        return COLUMN if self.level is None else f"group-level {self.level}"


@dataclass(frozen=True)
class Groups:
    """Groups of images, and how many images have none.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
        Group of each image that is kept; empty for one that is alone.
    rows : ndarray of int64, shape (n,)
        Which images are kept.
    without : int
        Images without a group.
    examples : tuple of str
        Paths of the first of them.
    grouping : Grouping
    """

    names: NDArray[np.object_]
    rows: NDArray[np.int64]
    without: int
    examples: tuple[str, ...]
    grouping: Grouping

    @property
    def summary(self) -> str:
        """For a person: ``12 groups``, or ``3 days from 2014-01-15 to 2014-01-17``."""
        named = sorted(set(self.names) - {""})
        kind = "group" if self.grouping.date is None else self.grouping.unit
        told = f"{len(named):,} {kind}{'' if len(named) == 1 else 's'}"
        if self.grouping.date is not None and len(named) > 1:
            told += f" from {named[0]} to {named[-1]}"
        return told + (f", {self.without:,} without" if self.without else "")

    @property
    def dropped(self) -> str:
        """A sentence about images that are left out; empty if none are."""
        if not self.without or self.grouping.missing != "drop":
            return ""
        return (f"Left out, since {self.grouping.way} gives no group for them: {self.without:,} of "
                f"{self.without + len(self.rows):,} images, such as {', '.join(self.examples)}.")


def find_groups(images: Mapping[str, Any], grouping: Grouping | None = None, *,
                folder: str | os.PathLike[str] | None = None) -> Groups | None:
    """Find the group of each image.

    Parameters
    ----------
    images : DataFrame or mapping of str to sequence of str
        With columns ``path``, ``id`` and ``group``, such as `FeatureFile.images`.
    grouping : Grouping, optional
        By default the column ``group``.
    folder : path-like, optional
        Of the images, or a table in it: where levels of absolute paths begin.

    Returns
    -------
    Groups or None
        None if they are to come from the column ``group`` and it is empty.

    Raises
    ------
    InputError
        If images have no group and `grouping` does not say what is done with them, or all are in
        one group; if the pattern or the format of the date is wrong, or an absolute path does not
        lie in `folder`.

    Examples
    --------
    >>> images = {"path": ["a/D20140117T003426_IFCB014_00002.png",
    ...                    "b/IFCB1_2009_216_075913_00007.png", "b/new.png"]}
    >>> found = find_groups(images, Grouping(pattern="ifcb", missing="alone"))
    >>> found.names.tolist(), found.without
    (['D20140117T003426_IFCB014', 'IFCB1_2009_216_075913', ''], 1)
    >>> find_groups(images, Grouping(date="ifcb", missing="drop")).names.tolist()
    ['2014-01-17', '2009-08-04']
    """
    grouping = grouping or Grouping()
    told = texts_of(_names(images, grouping, folder)).tolist()
    names = np.array([unicodedata.normalize("NFC", name) for name in told], object)
    has = names != ""
    if grouping.way == COLUMN and not has.any():
        return None
    paths = list(images["path"])
    bare = np.flatnonzero(~has)
    examples = tuple(str(paths[i]) for i in bare[:3])
    if len(bare) and (grouping.missing == "refuse" or not has.any()):
        raise _refused(grouping, len(bare), len(names), examples)
    if len(bare) == 0 and len(set(names)) == 1 and len(names) > 1:
        raise InputError(f"{grouping.way}: all {len(names):,} images are in one group, "
                         f"'{names[0]}'. A group is a tow, a sample, a day: choose another way, "
                         "or --ungrouped for scores that are too good.")
    rows = np.flatnonzero(has) if grouping.missing == "drop" else np.arange(len(names))
    return Groups(names[rows], rows, len(bare), examples, grouping)


def lost_groups(folds: Folds) -> list[str]:
    """What groups do not keep together, as sentences.

    Parameters
    ----------
    folds : Folds

    Returns
    -------
    list of str
    """
    told, n_rows, n_units = [], len(folds.units), int(folds.units.max()) + 1
    if folds.without_group:
        told.append(f"There is no group for {folds.without_group:,} of {n_rows:,} images. Each "
                    "counts as a group of its own, so others of its tow or sample may be in "
                    "training and test rows, and the scores are optimistic.")
    if folds.hardly_grouped:
        told.append(f"Nearly every image is a group of its own ({n_units:,} groups of {n_rows:,} "
                    "images), so groups keep hardly anything together and the scores may be "
                    "optimistic. Do the groups hold the number of the image?")
    return told


def _names(images: Mapping[str, Any], grouping: Grouping,
           folder: str | os.PathLike[str] | None) -> Sequence[Any]:
    if grouping.level is not None:
        return _at_level(images["path"], grouping.level, folder)
    if grouping.pattern is not None:
        return _by_pattern(texts_of(images[grouping.column]).tolist(), grouping.pattern)
    if grouping.date is not None:
        texts = texts_of(images[grouping.column]).tolist()
        return dates_in(texts, grouping.date, grouping.unit)
    names: Sequence[Any] = images["group"]
    return names


def _by_pattern(texts: Sequence[str], pattern: str) -> list[str]:
    """What the first bracket that took something took, of the first match that has one."""
    try:
        search = re.compile(PATTERNS.get(pattern, pattern)).finditer
    except re.error as error:
        raise InputError(f"group-pattern '{pattern}': not a regular expression "
                         f"({error}).") from error
    taken = ((part for match in search(text) for part in match.groups() or (match.group(),)
              if part) for text in texts)
    return [next(parts, "") for parts in taken]


def _at_level(paths: Sequence[str], level: int,
              folder: str | os.PathLike[str] | None) -> list[str]:
    start = _parts(os.fspath(folder)) if folder is not None else []
    if start and start[-1].lower().endswith((".csv", ".tsv", ".txt")):
        start = start[:-1]
    names = []
    for path in paths:
        parts = _parts(path)[:-1]
        outside = parts[:1] == [".."] or _is_absolute(path)
        if outside and level > 0:
            if not start or parts[:len(start)] != start:
                raise InputError(
                    f"group-level {level}: '{path}' does not lie in the images' folder"
                    f"{f' ({folder})' if start else ''}, so its folders cannot be counted from "
                    "there. Count from the end (-1 is the folder that holds the image), or use "
                    "--group-pattern.")
            parts = parts[len(start):]
        enough = abs(level) <= len(parts)
        names.append(parts[level - 1 if level > 0 else level] if enough else "")
    return names


def _parts(path: str) -> list[str]:
    """Folders and name of a path, without roots and dots."""
    return [part for part in posixpath.normpath(path.replace("\\", "/")).split("/")
            if part not in ("", ".")]


def _is_absolute(path: str) -> bool:
    return path[:1] in ("/", "\\") or bool(re.match(r"[A-Za-z]:[/\\]", path))


def _refused(grouping: Grouping, without: int, n: int, examples: tuple[str, ...]) -> InputError:
    if grouping.date is not None:
        why = ("No date is there, an impossible one (month 13), or several that differ: give "
               "more of the text around it in the format.")
    elif grouping.pattern is not None:
        why = "Every image needs one: change the pattern."
    elif grouping.level is not None:
        why = "They lie in fewer folders."
    else:
        why = "Every image needs one: fill the column in."
    rest = "" if without == n else (
        " Or say what is done with them: --missing-group drop leaves them out; alone makes each "
        "a group of its own, though others of its tow or sample may then be on both sides of a "
        "split.")
    return InputError(f"{grouping.way}: no group for {without:,} of {n:,} images, such as "
                      f"{', '.join(repr(path) for path in examples)}. {why}{rest}")
