"""A backbone without a network: 8 x 8 grey thumbnails, the baseline that a network must beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.pooling import pool_arrays, vector_blocks
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.views import make_views
from plankton_features.errors import EngineError, InputError

_CELLS = 8


class PixelsEngine:
    """Engine of the backbone ``pixels``; see `Engine` for the attributes.

    Each canvas becomes the mean grey, 0..1, of the cells of an 8 x 8 grid, a map of one position
    and 64 channels. Rows and columns of the canvas beyond a multiple of 8 are left out.

    Parameters
    ----------
    recipe : Recipe
    batch : int

    Raises
    ------
    InputError
        If the recipe names layers, of which there are none.
    EngineError
        If the recipe asks for other numbers than float32.
    """

    name = "numpy"
    precision = "float32"
    device = "CPU"
    depth = 1

    def __init__(self, recipe: Recipe, batch: int):
        _check_recipe(recipe)
        self.batch = batch
        self._recipe = recipe
        self.blocks = vector_blocks(recipe.layers, [_CELLS * _CELLS], recipe.pooling,
                                    recipe.spp_levels)

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """See `Engine.submit`."""
        vectors = self._embed(canvases)
        return lambda: vectors

    def _embed(self, canvases: np.ndarray) -> np.ndarray:
        views = make_views(canvases, self._recipe.views, np)
        return pool_arrays([np.concatenate([_thumbnails(view) for view in views])], self._recipe)


def _check_recipe(recipe: Recipe) -> None:
    only = get_backbone(recipe.backbone).last_layer
    if recipe.layers != (only,):
        raise InputError(f"layers: backbone {recipe.backbone} has only '{only}', got "
                         f"{', '.join(recipe.layers)}.")
    if recipe.precision != PixelsEngine.precision:
        raise EngineError(f"backbone {recipe.backbone} computes in {PixelsEngine.precision} only, "
                          f"asked for {recipe.precision}.")


def _thumbnails(canvases: np.ndarray) -> np.ndarray:
    """Mean grey of the cells, (n, 1, 1, cells) float32, from exact whole-number sums."""
    n, side = canvases.shape[:2]
    step = side // _CELLS
    used = canvases[:, : step * _CELLS, : step * _CELLS]
    rows = used.reshape(n, _CELLS, step, -1).sum(axis=2, dtype=np.uint32)
    cells = rows.reshape(n, _CELLS * _CELLS, step * 3).sum(axis=2, dtype=np.uint32)
    grey: np.ndarray = (cells / np.float32(255 * 3 * step**2)).astype(np.float32)
    return grey.reshape(n, 1, 1, -1)
