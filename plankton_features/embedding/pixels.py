"""A backbone without a network: 8 x 8 grey thumbnails, the baseline that a network must beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plankton_features.embedding.network import make_views, vector_blocks
from plankton_features.embedding.pooling import pool
from plankton_features.embedding.recipe import VIEWS, Recipe

_CELLS = 8


class PixelsEngine:
    """Engine of the backbone ``pixels``; see `Engine` for the attributes.

    Each canvas becomes the mean grey, 0..1, of the cells of an 8 x 8 grid, a map of one position
    and 64 channels. Rows and columns of the canvas beyond a multiple of 8 are left out.
    """

    name = "numpy"
    precision = "float32"
    device = "CPU"
    depth = 1

    def __init__(self, recipe: Recipe, batch: int):
        self.batch = batch
        self._recipe = recipe
        self.blocks = vector_blocks(recipe, [_CELLS * _CELLS])

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """See `Engine.submit`."""
        vectors = self._embed(canvases)
        return lambda: vectors

    def _embed(self, canvases: np.ndarray) -> np.ndarray:
        recipe = self._recipe
        maps = np.concatenate([_thumbnails(v) for v in make_views(canvases, recipe.views, np)])
        vectors = [pool(maps, kind, views=VIEWS[recipe.views], ops=np, levels=recipe.spp_levels,
                        power=recipe.gem_power) for kind in recipe.pooling]
        return np.concatenate(vectors, axis=1)


def _thumbnails(canvases: np.ndarray) -> np.ndarray:
    n, side = canvases.shape[:2]
    step = side // _CELLS
    used = canvases[:, : step * _CELLS, : step * _CELLS]
    cells = used.reshape(n, _CELLS, step, _CELLS, step * 3)
    means = cells.mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
    return means.reshape(n, 1, 1, _CELLS * _CELLS)
