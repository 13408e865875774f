"""The baseline without a network."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import block_reduce

from plankton_features.embedding import Weights, open_engine
from plankton_features.errors import EngineError, InputError, WeightsError


@pytest.mark.parametrize("side", [8, 64, 70])
def test_thumbnails_are_mean_greys(make, draw_canvases, side):
    canvases = draw_canvases(3, side)
    engine = open_engine(make(canvas=side), None)
    step = side // 8
    used = canvases[:, : 8 * step, : 8 * step].astype(np.float64).mean(axis=3)
    expected = block_reduce(used, (1, step, step), np.mean).reshape(3, 64) / 255
    got = engine.submit(canvases)()
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert engine.blocks == [("thumbnail_avg", 64)]


def test_poolings_stand_side_by_side(make, draw_canvases):
    engine = open_engine(make(pooling=("max", "spp"), spp_levels=(1, 2), views="rot4"), None)
    assert engine.blocks == [("thumbnail_max", 64), ("thumbnail_spp", 320)]
    assert engine.submit(draw_canvases(2, 64))().shape == (2, 384)


def test_it_has_no_layers_to_choose(make):
    with pytest.raises(InputError, match="has only 'thumbnail', got mixed5"):
        open_engine(make(layers="mixed5"), None)


def test_it_computes_in_float32_only(make):
    with pytest.raises(EngineError, match="float32 only, asked for bfloat16"):
        open_engine(make(precision="bfloat16"), None)


def test_weights_must_be_those_of_the_recipe(make):
    with pytest.raises(WeightsError, match=r"other.h5: expected the recipe's weights none, got"):
        open_engine(make(), Weights("sha256:0", "other.h5"))
