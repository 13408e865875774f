"""Pool activation maps, over views and positions together, to one vector an image."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

_SMALLEST = 1e-6


def pool(maps: Any, pooling: str, *, views: int, ops: Any, levels: tuple[int, ...] = (1, 2),
         power: float = 3.0) -> Any:
    """Pool one layer's maps.

    Parameters
    ----------
    maps : tensor of shape (views * batch, height, width, channels), float32
        Views are the slowest axis.
    pooling : {"avg", "max", "gem", "spp"}
    views : int
    ops : module
        `keras.ops` for tensors, or `numpy` where its names agree.
    levels : tuple of int, default=(1, 2)
        Cells per side of the grids of ``spp``.
    power : float, default=3.0
        Exponent of ``gem``; values under 1e-6 count as 1e-6.

    Returns
    -------
    tensor of shape (batch, channels), for ``spp`` (batch, channels * sum of squared levels)
        ``avg``: mean; ``max``: maximum; ``gem``: (mean of x ** power) ** (1 / power), all over
        positions and views; ``spp``: maximum over each cell, mean over views.
    """
    if pooling == "avg":
        return _over_views(ops.mean(maps, axis=(1, 2)), views, ops.mean, ops)
    if pooling == "max":
        return _over_views(ops.max(maps, axis=(1, 2)), views, ops.max, ops)
    if pooling == "gem":
        powers = ops.mean(ops.power(ops.maximum(maps, _SMALLEST), power), axis=(1, 2))
        return ops.power(_over_views(powers, views, ops.mean, ops), 1.0 / power)
    cells = [ops.max(cell, axis=(1, 2)) for level in levels for cell in _cells(maps, level)]
    return _over_views(ops.concatenate(cells, axis=1), views, ops.mean, ops)


def cell_bounds(length: int, level: int) -> list[tuple[int, int]]:
    """Start and end of each of `level` cells along a side of `length` positions.

    Cells cover the side whatever its length: they overlap where it does not divide, and repeat
    where it is shorter than the grid.

    Examples
    --------
    >>> cell_bounds(5, 2)
    [(0, 3), (2, 5)]
    """
    edges = np.arange(level + 1) * length / level
    return [(int(np.floor(a)), int(np.ceil(b))) for a, b in pairwise(edges)]


def _cells(maps: Any, level: int) -> list[Any]:
    rows, columns = (cell_bounds(maps.shape[axis], level) for axis in (1, 2))
    return [maps[:, top:bottom, left:right] for top, bottom in rows for left, right in columns]


def _over_views(values: Any, views: int, reduce: Any, ops: Any) -> Any:
    if views == 1:
        return values
    return reduce(ops.reshape(values, (views, -1, values.shape[-1])), axis=0)
