"""Blocks of the backbones, and what is trained of them."""

import numpy as np
import pytest

from plankton_features.embedding.network import load_backbone
from plankton_features.embedding.presets import assemble
from plankton_features.errors import InputError
from plankton_features.finetuning.blocks import (
    cut,
    describe_trained,
    first_trained,
    layer_blocks,
    trained_layers,
)


class Trunk:
    name = "net"


NAMES = ["image", "conv", "block1_conv", "block1_bn", "block1_out", "block2_conv", "out"]


@pytest.mark.parametrize(("unfreeze", "first"), [
    ("all", 0), ("none", 7), ("0", 7), ("1", 6), ("2", 5), ("3", 2), ("4", 0),
    ("block1_bn", 3), ("index:4", 4)])
def test_where_training_begins(unfreeze, first):
    assert first_trained(Trunk, NAMES, unfreeze) == first


@pytest.mark.parametrize(("unfreeze", "told"), [
    ("5", "net has 4 blocks. For a layer by its index write index:5"),
    ("249", "write index:249"), ("index:7", "no such layer"), ("mixed9", "no such layer"),
    ("-1", "no such layer"), ("", "no such layer")])
def test_what_is_not_there_is_refused(unfreeze, told):
    with pytest.raises(InputError, match=told):
        first_trained(Trunk, NAMES, unfreeze)


def test_blocks_of_names():
    assert layer_blocks(NAMES) == ["stem", "stem", "block1", "block1", "block1", "block2", "top"]
    assert layer_blocks(["a", "mixed0", "b", "mixed9_0", "mixed9"]) == [
        "mixed0", "mixed0", "mixed9", "mixed9", "mixed9"]


def test_what_is_trained_in_words():
    assert describe_trained(NAMES, 7) == "classification layers only"
    assert describe_trained(NAMES, 0) == "all layers"
    assert describe_trained(NAMES, 5) == "block2 to top (the last 2 of 7 layers)"
    assert describe_trained(NAMES, 6) == "top (the last 1 of 7 layers)"


@pytest.mark.tensorflow
def test_the_top_two_inception_blocks_begin_at_layer_249():
    """The layer from which Keras' own example of fine-tuning trains InceptionV3."""
    layers = trained_layers(assemble("inception_v3", "random:0", {"canvas": 75,
                                                                  "layers": "mixed10"}), "2")
    assert len(layers) == 311
    assert next(one.index for one in layers if one.trained) == 249
    assert {one.block for one in layers if one.trained} == {"mixed9", "mixed10"}
    assert layers[248].name == "mixed8"


pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("start", [0, 1, 4, 6, 10, 11])
@pytest.mark.parametrize("layers", [("top",), ("block2_out", "top"), ("block1_out", "block3_out")])
def test_lower_then_upper_is_the_trunk(bench, start, layers):
    import keras

    backbone = load_backbone(bench.recipe, None)
    trunk = keras.Model(backbone.input, [backbone.get_layer(name).output for name in layers])
    start = min(start, len(trunk.layers))
    pixels = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    whole = listed(trunk(pixels))
    parted = cut(trunk, start)
    values = parted.above(parted.below(pixels))
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(whole, values, strict=True))
    assert [layer.trainable for layer in trunk.layers] == [i >= start
                                                           for i in range(len(trunk.layers))]


def test_cut_inside_branches_keeps_every_edge():
    """A skip connection and two inner maps cross the cut."""
    import keras

    image = keras.Input((4, 4, 3), name="image")
    a = keras.layers.Conv2D(3, 1, name="a")(image)
    b = keras.layers.Conv2D(3, 1, name="b")(a)
    c = keras.layers.Conv2D(3, 1, name="c")(b)
    trunk = keras.Model(image, [keras.layers.Add(name="sum")([a, c]), b])
    parted = cut(trunk, [layer.name for layer in trunk.layers].index("c"))
    pixels = np.ones((1, 4, 4, 3), np.float32)
    edge = parted.below(pixels)
    assert len(edge) == 2
    for one, other in zip(trunk(pixels), parted.above(edge), strict=True):
        assert np.array_equal(one.numpy(), other.numpy())


def listed(value):
    return value if isinstance(value, list | tuple) else [value]
