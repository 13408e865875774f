"""The network of a recipe against the plain backbone and pooling in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from plankton_features.embedding.efficientnet_lite import efficientnet_lite0, weights_file
from plankton_features.embedding.network import build_network
from plankton_features.embedding.pooling import pool
from plankton_features.errors import InputError, WeightsError

pytestmark = pytest.mark.tensorflow

SIDE = 64
LITE = "sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


@pytest.fixture(scope="module")
def plain():
    return efficientnet_lite0(weights_file(), input_shape=(SIDE, SIDE, 3))


@pytest.fixture(scope="module")
def lite(make):
    """Build the network of EfficientNet-Lite0 with options of the recipe."""

    def build(batch=2, precision="float32", **options):
        recipe = make("efficientnet_lite0", LITE, **{"canvas": SIDE, **options})
        return build_network(recipe, weights_file(), batch=batch, precision=precision)

    return build


def maps_of(plain, canvases, layer):
    import keras

    cut = keras.Model(plain.input, plain.get_layer(layer).output)
    return np.asarray(cut((canvases.astype(np.float32) - 127) / 128, training=False))


def test_layers_and_poolings_stand_in_the_order_given(lite, plain, draw_canvases, difference):
    canvases = draw_canvases(2, SIDE)
    options = {"layers": ("top", "block3b_out"), "pooling": ("spp", "max", "gem", "avg"),
               "spp_levels": (1, 3), "gem_power": 2.0}
    network, blocks = lite(**options)
    got = np.asarray(network(canvases))
    assert got.dtype == np.float32
    assert blocks == [("top_spp", 12800), ("top_max", 1280), ("top_gem", 1280), ("top_avg", 1280),
                      ("block3b_out_spp", 400), ("block3b_out_max", 40), ("block3b_out_gem", 40),
                      ("block3b_out_avg", 40)]
    parts = [pool(maps_of(plain, canvases, layer), kind, views=1, ops=np, levels=(1, 3), power=2.0)
             for layer in options["layers"] for kind in options["pooling"]]
    ends = np.cumsum([n for _, n in blocks])
    assert got.shape == (2, ends[-1])
    for part, expected in zip(np.split(got, ends[:-1], axis=1), parts, strict=True):
        assert difference(part, expected) < 1e-5


@pytest.mark.parametrize("views", ["rot4", "d4"])
def test_views_are_pooled_together(lite, plain, draw_canvases, difference, views):
    canvases = draw_canvases(2, SIDE)
    network, _ = lite(views=views, pooling=("avg", "max", "gem", "spp"))
    turned = [np.rot90(canvases, k, axes=(1, 2)) for k in range(4)]
    turned += [t[:, :, ::-1] for t in turned] if views == "d4" else []
    maps = np.concatenate([maps_of(plain, t, "top") for t in turned])
    parts = [pool(maps, kind, views=len(turned), ops=np) for kind in ("avg", "max", "gem", "spp")]
    assert difference(np.asarray(network(canvases)), np.concatenate(parts, axis=1)) < 1e-5


def test_vectors_do_not_change_when_the_picture_turns(lite, draw_canvases, difference):
    canvases = draw_canvases(2, SIDE)
    network, _ = lite(views="d4", pooling=("avg", "max", "gem"))
    expected = np.asarray(network(canvases))
    for turned in (np.rot90(canvases, 1, axes=(1, 2)), canvases[:, ::-1]):
        assert difference(np.asarray(network(turned.copy())), expected) < 1e-5
    plain, _ = lite()
    mirrored = np.asarray(plain(canvases[:, ::-1].copy()))
    assert difference(mirrored, np.asarray(plain(canvases))) > 0.01


def test_the_batch_may_stay_open(lite, draw_canvases):
    network, _ = lite(batch=None)
    assert network.input_shape == (None, SIDE, SIDE, 3)
    assert network(draw_canvases(3, SIDE)).shape == (3, 1280)


@pytest.mark.parametrize(("precision", "dtype"), [("bfloat16", "bfloat16"), ("float16", "float16")])
def test_narrow_numbers_are_for_the_layers_only(lite, precision, dtype):
    import keras

    before = keras.config.dtype_policy().name
    network, _ = lite(precision=precision)
    trunk = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    assert trunk.get_layer("top_conv").compute_dtype == dtype
    assert trunk.get_layer("top_conv").kernel.dtype == "float32"
    assert network.output.dtype == "float32"
    assert keras.config.dtype_policy().name == before


def test_the_policy_of_others_comes_back_after_an_error(lite):
    import keras

    before = keras.config.dtype_policy().name
    with pytest.raises(InputError, match="layer 'mixed5'"):
        lite(precision="bfloat16", layers="mixed5")
    assert keras.config.dtype_policy().name == before


def test_missing_weights_are_not_replaced_by_others(make):
    recipe = make("efficientnet_lite0", LITE, canvas=SIDE)
    with pytest.raises(WeightsError, match=f"expected a file with the weights {LITE}, got none"):
        build_network(recipe, None, batch=1)
