"""The registry against Keras itself: sizes, layers, costs, addresses, digests, pixel values."""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
import pytest

from plankton_features.embedding import get_backbone, list_backbones
from plankton_features.embedding.backbone import check_canvas
from plankton_features.embedding.layers import (
    construct_backbone,
    find_layer,
    layer_names,
    layer_table,
    name_layers,
)
from plankton_features.embedding.views import normalize
from plankton_features.errors import InputError

FROM_KERAS = {
    "inception_v3": "inception_v3",
    "xception": "xception",
    "mobilenet_v2": "mobilenet_v2",
    "resnet50": "resnet50",
    "efficientnet_v2_b0": "efficientnet_v2",
    "efficientnet_v2_s": "efficientnet_v2",
    "convnext_tiny": "convnext",
    "mobilenet_v3_large": "mobilenet_v3",
    "densenet121": "densenet",
}
NETWORKS = [*FROM_KERAS, "efficientnet_lite0"]


@lru_cache
def table_of(name):
    """Layers at the canvas that a network was trained at."""
    return layer_table(name, get_backbone(name).canvas)


def test_all_networks_are_tested():
    assert {b.name for b in list_backbones()} == {*NETWORKS, "pixels"}


def test_an_unknown_backbone_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'vgg' is not known\. Choose one of: inception"):
        get_backbone("vgg")


@pytest.mark.parametrize("canvas", [31, 4097])
def test_canvases_have_limits(canvas):
    check_canvas(get_backbone("resnet50"), 32)
    check_canvas(get_backbone("resnet50"), 4096)
    with pytest.raises(InputError, match=f"resnet50 takes 32 to 4096 px, got {canvas}"):
        check_canvas(get_backbone("resnet50"), canvas)


@pytest.fixture
def downloads(monkeypatch):
    """What Keras would download: (name, address, digest), with nothing downloaded."""
    from keras.src.utils import file_utils

    seen = []

    def get_file(fname, origin, file_hash=None, **_):
        seen.append((fname, origin, file_hash or ""))
        return fname

    import keras

    monkeypatch.setattr(file_utils, "get_file", get_file)
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_, **__: None)
    return seen


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", FROM_KERAS)
def test_the_registry_says_what_keras_says(name, downloads):
    import keras

    known = get_backbone(name)
    factory = getattr(keras.applications, known.factory.split(":")[1])
    side = known.canvas
    model = factory(include_top=False, weights="imagenet", input_shape=(side, side, 3))
    assert downloads == [(known.weights_file, known.weights_url, known.weights_digest)]
    assert model.layers[-1].output is model.output
    assert layer_names(model)[-1] == known.last_layer
    assert model.output.shape[-1] == known.channels
    assert model.count_params() / 1e6 == pytest.approx(known.parameters, abs=0.05)
    with pytest.raises(ValueError, match="at least"):
        factory(include_top=False, weights=None, input_shape=(known.min_canvas - 1,) * 2 + (3,))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", NETWORKS)
def test_costs_add_up_to_the_registry(name):
    known = get_backbone(name)
    table = table_of(name)
    assert sum(row.multiply_adds for row in table) / 1e9 == pytest.approx(
        known.multiply_adds, abs=0.005)
    last = next(row for row in table if row.name == known.last_layer)
    assert last.channels == known.channels
    assert last.height == last.width > 1


@pytest.mark.tensorflow
@pytest.mark.parametrize(("name", "layer", "kind", "size", "expected"), [
    ("inception_v3", "conv2d", "Conv2D", 149, 149**2 * 27 * 32),
    ("xception", "block2_sepconv1", "SeparableConv2D", 147, 147**2 * (9 * 64 + 64 * 128)),
    ("mobilenet_v2", "expanded_conv_depthwise", "DepthwiseConv2D", 112, 112**2 * 9 * 32),
    ("convnext_tiny", "convnext_tiny_stem", "Sequential", 56, 56**2 * 48 * 96),
    ("convnext_tiny", "convnext_tiny_stage_0_block_0_pointwise_conv_1", "Dense", 56,
     56**2 * 96 * 384),
    ("resnet50", "conv1_relu", "Activation", 112, 0),
])
def test_costs_of_single_layers(name, layer, kind, size, expected):
    row = next(r for r in table_of(name) if r.name == layer)
    assert (row.kind, row.height, row.width) == (kind, size, size)
    assert row.multiply_adds == expected


@pytest.mark.parametrize(("backbone", "canvas", "message"), [
    ("pixels", 64, "pixels is not a network"),
    ("resnet50", 31, "resnet50 takes 32"),
])
def test_layers_that_cannot_be_listed(backbone, canvas, message):
    with pytest.raises(InputError, match=message):
        layer_table(backbone, canvas)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", FROM_KERAS)
def test_pixels_are_scaled_as_keras_scales_them(name):
    import keras

    pixels = np.random.default_rng(0).integers(0, 256, (2, 7, 7, 3), np.uint8)
    expected = getattr(keras.applications, FROM_KERAS[name]).preprocess_input(
        pixels.astype(np.float32))
    got = np.asarray(normalize(pixels, get_backbone(name).normalization, keras.ops))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.tensorflow
def test_layer_names_do_not_depend_on_what_was_built_before():
    import keras

    known = get_backbone("inception_v3")
    for kind in (keras.layers.Conv2D(1, 1), keras.layers.Activation("relu")):
        assert kind.name  # counted
    later = layer_names(construct_backbone(known, 75))
    keras.utils.clear_session()  # counts begin anew, as in a new process
    first = construct_backbone(known, 75)
    assert layer_names(first) == [layer.name for layer in first.layers] == later
    assert len(set(later)) == len(later)
    assert {"conv2d", "conv2d_93", "mixed10"} <= set(later)


@pytest.mark.tensorflow
def test_layers_are_found_by_name_and_by_index():
    model = construct_backbone(get_backbone("mobilenet_v3_large"), 32)
    names = layer_names(model)
    for name in ("activation_3", "conv", "expanded_conv_project"):
        assert find_layer(model, name) is find_layer(model, str(names.index(name)))
    with pytest.raises(InputError, match=r"layer 'mixed5': .* has no such layer. --list-layers"):
        find_layer(model, "mixed5")
    with pytest.raises(InputError, match=f"layer '{len(names)}': .* has no such layer"):
        find_layer(model, str(len(names)))


@pytest.mark.tensorflow
def test_a_layer_without_a_map_is_refused():
    model = construct_backbone(get_backbone("efficientnet_v2_b0"), 32)
    with pytest.raises(InputError, match="'block4a_se_squeeze': gives no map"):
        find_layer(model, "block4a_se_squeeze")


@pytest.mark.tensorflow
def test_indices_become_names():
    row = table_of("inception_v3")[-1]
    assert name_layers("inception_v3", ["mixed5", str(row.index)]) == ("mixed5", "mixed10")


def test_names_stay_as_they_are_without_building_anything(monkeypatch):
    monkeypatch.setattr("plankton_features.embedding.layers.construct_backbone", None)
    assert name_layers("inception_v3", ["mixed5", "mixed10"]) == ("mixed5", "mixed10")


def test_pixels_have_no_layers_to_count():
    with pytest.raises(InputError, match="pixels is not a network"):
        name_layers("pixels", ["0"])


@pytest.mark.tensorflow
def test_building_leaves_the_random_numbers_of_others_alone():
    import tensorflow as tf

    def numbers(between):
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        tf.random.set_seed(1)
        before = float(tf.random.uniform([]))
        between()
        return before, random.random(), np.random.random(), float(tf.random.uniform([]))  # noqa: NPY002

    built = numbers(lambda: construct_backbone(get_backbone("efficientnet_lite0"), 32))
    assert built == numbers(lambda: None)
