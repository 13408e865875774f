"""Pool activation maps, over views and positions together, to one vector an image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from plankton_features.embedding.recipe import VIEWS, Recipe

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
        positions and views; ``spp``: maximum over each cell, mean over views; cells row by row,
        grid after grid, the channels of one cell side by side.
    """
    if pooling == "avg":
        return _over_views(ops.mean(maps, axis=(1, 2)), views, ops.mean, ops)
    if pooling == "max":
        return _over_views(ops.max(maps, axis=(1, 2)), views, ops.max, ops)
    if pooling == "gem":
        return _gem(maps, views, power, ops)
    cells = [ops.max(cell, axis=(1, 2)) for level in levels for cell in _cells(maps, level)]
    return _over_views(ops.concatenate(cells, axis=1), views, ops.mean, ops)


def pool_maps(maps: Sequence[Any], poolings: Sequence[str], *, views: int, ops: Any,
              levels: tuple[int, ...] = (1, 2), power: float = 3.0) -> Any:
    """Pool several layers' maps, each in every way, side by side; see `pool`.

    Returns
    -------
    tensor of shape (batch, sum of the lengths of `vector_blocks`), float32
    """
    vectors = [pool(ops.cast(one, "float32"), kind, views=views, ops=ops, levels=levels,
                    power=power) for one in maps for kind in poolings]
    return ops.concatenate(vectors, axis=1) if len(vectors) > 1 else vectors[0]


def pool_arrays(maps: Sequence[np.ndarray], recipe: Recipe) -> np.ndarray:
    """Pool several layers' maps as a recipe says, in NumPy.

    Parameters
    ----------
    maps : sequence of ndarray of shape (views * batch, height, width, channels), float32
        One for each layer of the recipe; views are the slowest axis, as `make_views` gives them.
    recipe : Recipe

    Returns
    -------
    ndarray of shape (batch, sum of the lengths of `vector_blocks`), float32
    """
    return np.concatenate([
        pool(one, kind, views=VIEWS[recipe.views], ops=np, levels=recipe.spp_levels,
             power=recipe.gem_power) for one in maps for kind in recipe.pooling], axis=1)


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


def _gem(maps: Any, views: int, power: float, ops: Any) -> Any:
    def mean(values: Any, axis: int | tuple[int, int]) -> Any:
        # Powers of fractions of the maximum cannot overflow.
        top = ops.max(values, axis=axis, keepdims=True)
        parts = ops.mean(ops.power(values / top, power), axis=axis)
        return ops.max(values, axis=axis) * ops.power(parts, 1.0 / power)

    return _over_views(mean(ops.maximum(maps, _SMALLEST), (1, 2)), views, mean, ops)


def _over_views(values: Any, views: int, reduce: Any, ops: Any) -> Any:
    if views == 1:
        return values
    return reduce(ops.reshape(values, (views, -1, values.shape[-1])), axis=0)


def vector_blocks(layers: Sequence[str], channels: Sequence[int], poolings: Sequence[str],
                  spp_levels: Sequence[int]) -> list[tuple[str, int]]:
    """Name and length of the parts of a vector.

    Parameters
    ----------
    layers : sequence of str
    channels : sequence of int
        Of each layer's map.
    poolings : sequence of str
    spp_levels : sequence of int

    Returns
    -------
    list of (str, int)

    Examples
    --------
    >>> vector_blocks(["mixed5"], [768], ["avg", "spp"], [1, 2])
    [('mixed5_avg', 768), ('mixed5_spp', 3840)]
    """
    cells = {"spp": sum(level**2 for level in spp_levels)}
    return [(f"{layer}_{kind}", n * cells.get(kind, 1))
            for layer, n in zip(layers, channels, strict=True) for kind in poolings]
