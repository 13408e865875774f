"""Filters of 3 x 3 pixels by shifted slices, on small pictures many times faster than others."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", np.float32, np.bool_)


def smoothed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3 x 3 pixels weighted 1, 2, 1 in both directions; the border goes on outside.

    Parameters
    ----------
    values : ndarray of shape (height, width), float32

    Returns
    -------
    ndarray of shape (height, width), float32
    """
    wide = padded(values, 1)
    wide[0], wide[-1] = wide[1], wide[-2]
    wide[:, 0], wide[:, -1] = wide[:, 1], wide[:, -2]
    rows = wide[:-2] + wide[2:] + 2 * wide[1:-1]
    sums: NDArray[np.float32] = rows[:, :-2] + rows[:, 2:] + 2 * rows[:, 1:-1]
    return sums * np.float32(1 / 16)


def grown(values: NDArray[Value]) -> NDArray[Value]:
    """Largest of each pixel and its eight neighbours, shape (height, width); at least 0."""
    wide = padded(values, 1)
    rows = np.maximum(np.maximum(wide[:-2], wide[2:]), wide[1:-1])
    return np.maximum(np.maximum(rows[:, :-2], rows[:, 2:]), rows[:, 1:-1])


def most_within_three(values: NDArray[Value]) -> NDArray[Value]:
    """Largest of the 7 x 7 pixels around each, shape (height, width); at least 0."""
    wide = padded(values, 3)
    for _ in range(2):  # along one direction, then along the other: of two, of four, of seven
        wide = np.maximum(wide[:-1], wide[1:])
        wide = np.maximum(wide[:-2], wide[2:])
        wide = np.maximum(wide[:-3], wide[3:]).T
    return wide


def padded(values: NDArray[Value], width: int) -> NDArray[Value]:
    """With zeros around, shape (height + 2 width, width + 2 width); np.pad takes longer."""
    height, across = values.shape
    wide = np.zeros((height + 2 * width, across + 2 * width), values.dtype)
    wide[width:-width, width:-width] = values
    return wide


def eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose eight neighbours are all of the mask; outside of the picture all are."""
    return ~grown(~mask)


def border(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The outermost pixels, each once, shape (n,)."""
    height, width = values.shape
    sides = values[1:-1, :: max(1, width - 1)]
    return np.concatenate((values[:: max(1, height - 1)].ravel(), sides.ravel()))
