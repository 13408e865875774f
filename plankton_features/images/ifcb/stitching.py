"""Pictures of old instruments that were cut in two, put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plankton_features.images.ifcb.adc import Target

#: Boxes that share no more than so many pixels in a direction are of two objects.
_SHARED = 2


def together(targets: Sequence[Target]) -> list[list[Target]]:
    """Which pictures are parts of one object.

    Consecutive pictures of one trigger whose boxes overlap by more than two pixels in both
    directions are, as pyifcb and ifcbkit take them. Of more than two that follow each other so,
    these two keep the first two; here all of them are put together.

    Parameters
    ----------
    targets : sequence of Target
        Of an old instrument, in the order of lines.

    Returns
    -------
    list of list of Target
        The parts of each object, mostly one.
    """
    objects: list[list[Target]] = []
    for target in targets:
        if objects and _overlap(objects[-1][-1], target):
            objects[-1].append(target)
        else:
            objects.append([target])
    return objects


def joint_box(parts: Sequence[Target]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the box around several, in pixels."""
    left, top = min(part.x for part in parts), min(part.y for part in parts)
    right = max(part.x + part.width for part in parts)
    bottom = max(part.y + part.height for part in parts)
    return left, top, right - left, bottom - top


def stitched(parts: Sequence[Target], pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The picture of an object from those of its parts.

    Parameters
    ----------
    parts : sequence of Target
    pictures : sequence of ndarray of shape (height, width), uint8
        In the same order; where they overlap, the later one is seen.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Of the joint box. What no part covers has the mean of those pixels that touch it from
        above, below, left or right.
    """
    left, top, width, height = joint_box(parts)
    joint = np.zeros((height, width), np.uint8)
    covered = np.zeros((height, width), bool)
    for part, picture in zip(parts, pictures, strict=True):
        place = np.s_[part.y - top:part.y - top + part.height,
                      part.x - left:part.x - left + part.width]
        joint[place], covered[place] = picture, True
    gap = np.pad(~covered, 1)
    beside = gap[:-2, 1:-1] | gap[2:, 1:-1] | gap[1:-1, :-2] | gap[1:-1, 2:]
    edge = joint[covered & beside]
    if edge.size:
        joint[~covered] = round(float(edge.mean()))
    return joint


def _overlap(a: Target, b: Target) -> bool:
    return (a.trigger == b.trigger
            and a.x < b.x + b.width - _SHARED and b.x < a.x + a.width - _SHARED
            and a.y < b.y + b.height - _SHARED and b.y < a.y + a.height - _SHARED)
