"""The convex hull of a mask, and what is measured on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]

_SIDES = np.array([(0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)])


@dataclass(frozen=True, eq=False)
class Hull:
    """Convex hull of the middles of pixels.

    Attributes
    ----------
    corners : ndarray of shape (n, 2), int64
        Row and column of each corner, in turn around; one or two of a point or a line.
    """

    corners: NDArray[np.int64]

    def n_pixels(self) -> int:
        """Pixels whose middles are in the hull or on its edge, by Pick's theorem."""
        steps = _steps(self.corners)
        on_edge = int(np.gcd(steps[:, 0], steps[:, 1]).sum())
        (y, x), (down, right) = self.corners.T, steps.T
        return (abs(int((y * right - x * down).sum())) + on_edge) // 2 + 1

    def feret(self) -> tuple[float, float]:
        """Largest and smallest distance of two parallel lines that hold the object.

        Pixels reach half a pixel from their middles along rows and columns.

        Returns
        -------
        largest, smallest : float
            In pixels.
        """
        ends = (self.corners[:, None] + _SIDES).reshape(-1, 2)
        ends = ends[np.lexsort(ends.T[::-1])].tolist()
        corners = _around(_chain(ends, 1), _chain(ends, -1))
        apart = corners[:, None] - corners
        largest = math.sqrt(float((apart**2).sum(axis=2).max()))
        steps = _steps(corners)
        steps /= np.hypot(steps[:, 0], steps[:, 1])[:, None]
        across = steps[:, :1] * apart[:, :, 1] - steps[:, 1:] * apart[:, :, 0]
        return largest, float(np.abs(across).max(axis=1).min())


def hull_of(mask: NDArray[np.bool_]) -> Hull:
    """Convex hull of a mask that is not empty, shape (height, width).

    Only the first and the last pixel of a row can be corners.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    lines = mask[rows]
    first, last = lines.argmax(axis=1), mask.shape[1] - 1 - lines[:, ::-1].argmax(axis=1)
    return Hull(_around(_chain(_bends(rows, first, 1), 1), _chain(_bends(rows, last, -1), -1)))


def _bends(y: NDArray[np.int64], x: NDArray[np.int64], side: int) -> list[Point]:
    """Points at which a line down through all of them turns as a hull does, and its two ends."""
    down, right = np.diff(y), np.diff(x)
    bends = side * (down[:-1] * right[1:] - right[:-1] * down[1:]) > 0
    kept = [0, *(np.flatnonzero(bends) + 1).tolist(), len(y) - 1]
    return list(zip(y[kept].tolist(), x[kept].tolist(), strict=True))


def _around(left: list[Point], right: list[Point]) -> NDArray[Any]:
    """Corners (n, 2) in turn, down on the left and up on the right, each once."""
    return np.array(list(dict.fromkeys((*left, *reversed(right)))))


def _chain(points: list[Point], side: int) -> list[Point]:
    """Corners of the hull down through points in order, on the left (1) or on the right (-1)."""
    chain: list[Point] = []
    for y, x in points:
        while len(chain) > 1:
            (y0, x0), (y1, x1) = chain[-2], chain[-1]
            if side * ((y1 - y0) * (x - x0) - (x1 - x0) * (y - y0)) > 0:
                break
            chain.pop()
        chain.append((y, x))
    return chain


def _steps(corners: NDArray[Any]) -> NDArray[Any]:
    """From each corner to the next, around."""
    steps: NDArray[Any] = np.concatenate((corners[1:], corners[:1])) - corners
    return steps
