"""The parts of a cut trunk give together what the whole gives."""

import numpy as np
import pytest

from plankton_features.embedding.network import load_backbone
from plankton_features.finetuning.cutting import cut

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
