"""Blocks of the backbones, and what is trained of them."""

import pytest

from plankton_features.embedding.presets import assemble
from plankton_features.errors import InputError
from plankton_features.finetuning.blocks import (
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
