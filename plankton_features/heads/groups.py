"""Groups from paths: the tow, sample or bin that a name or a folder tells of."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError


def groups_from_pattern(paths: Sequence[str], pattern: str) -> NDArray[np.object_]:
    """Group of each path by a regular expression.

    Parameters
    ----------
    paths : sequence of str
    pattern : str
        Searched for in each path; its first bracketed part is the group, or all that it matches.

    Returns
    -------
    ndarray of str, shape (n,)

    Raises
    ------
    InputError
        If it is no regular expression, or a path does not match.

    Examples
    --------
    >>> groups_from_pattern(["copepod/tow12_001.png", "diatom/tow7_9.png"], r"tow(\\d+)").tolist()
    ['12', '7']
    """
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise InputError(f"group-pattern '{pattern}': not a regular expression "
                         f"({error}).") from error
    found = [search(path) for path in paths]
    if missed := [path for path, match in zip(paths, found, strict=True) if match is None]:
        raise InputError(f"group-pattern '{pattern}': {len(missed)} of {len(paths)} paths do not "
                         f"match, such as '{missed[0]}'. Every image needs a group.")
    return np.array([(m.group(1) if m.re.groups else m.group()) or "" for m in found if m], object)


def groups_from_level(paths: Sequence[str], level: int) -> NDArray[np.object_]:
    """Group of each path by a folder.

    Parameters
    ----------
    paths : sequence of str
    level : int
        1 is the first folder of a path, -1 the one that holds the image.

    Returns
    -------
    ndarray of str, shape (n,)

    Raises
    ------
    InputError
        If a path has not so many folders.

    Examples
    --------
    >>> groups_from_level(["tow1/copepod/a.png", "tow2/copepod/b.png"], 1).tolist()
    ['tow1', 'tow2']
    """
    folders = [re.split(r"[/\\]", path)[:-1] for path in paths]
    for path, names in zip(paths, folders, strict=True):
        if not 1 <= abs(level) <= len(names):
            raise InputError(f"group-level {level}: '{path}' has {len(names)} folders. Count from "
                             "1 (the first) or from -1 (the one that holds the image).")
    return np.array([names[level - 1 if level > 0 else level] for names in folders], object)
