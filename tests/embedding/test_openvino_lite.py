"""EfficientNet-Lite0 in OpenVINO's own operators is the Keras network."""

import os
import subprocess
import sys

import numpy as np
import pytest

from plankton_features import make_recipe
from plankton_features.embedding import EngineOptions, open_engine, openvino_ops
from plankton_features.embedding.efficientnet_lite import weights_file
from plankton_features.embedding.openvino_lite import openvino_lite
from plankton_features.embedding.openvino_setup import import_openvino
from plankton_features.embedding.torch_weights import read_state_dict
from plankton_features.errors import InputError, WeightsError


def run(model, pixels):
    model.reshape({0: list(pixels.shape)})
    compiled = import_openvino().Core().compile_model(
        model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([pixels])[0]


@pytest.mark.tensorflow
@pytest.mark.parametrize("options", [
    {"preset": "fast"},
    {"views": "d4", "canvas": 96, "pooling": ("avg", "max", "gem", "spp"), "spp_levels": (2, 3),
     "layers": ("top", "block1a_out", "block3a_expand_relu6")},
    {"views": "rot4", "canvas": 131, "pooling": ("avg",),
     "layers": ("stem_conv", "stem_bn", "block2a_depthwise_bn", "block4c_project_conv",
                "block7a_out")},
], ids=["fast", "all views and poolings", "odd canvas, layers within blocks"])
def test_vectors_are_those_of_keras(options):
    recipe, weights, _ = make_recipe(backbone="efficientnet_lite0", **options)
    model, blocks = openvino_lite(recipe, weights_file())
    pixels = np.random.default_rng(0).integers(
        0, 256, (2, recipe.canvas, recipe.canvas, 3)).astype(np.uint8)
    engine = open_engine(recipe, weights, EngineOptions("tensorflow", batch=2))
    expected = engine.submit(pixels)()
    assert blocks == engine.blocks
    np.testing.assert_allclose(run(model, pixels), expected, rtol=1e-4,
                               atol=1e-5 * np.abs(expected).max())


def test_a_layer_that_is_not_there():
    recipe, _, _ = make_recipe(backbone="efficientnet_lite0", layers=("block9a_out",))
    with pytest.raises(InputError, match="layer 'block9a_out': efficientnet_lite0 has no such"):
        openvino_lite(recipe, weights_file())


@pytest.mark.parametrize("name", ["_blocks.3._bn1.bias", "_conv_head.weight",
                                  "_blocks.0._depthwise_conv.weight"])
@pytest.mark.parametrize("how", ["missing", "short"])
def test_weights_of_another_network_are_refused(monkeypatch, name, how):
    state = read_state_dict(weights_file())
    if how == "missing":
        del state[name]
    else:
        state[name] = state[name][:-1]
    monkeypatch.setattr("plankton_features.embedding.openvino_lite.read_state_dict",
                        lambda _: state)
    recipe, _, _ = make_recipe(backbone="efficientnet_lite0")
    with pytest.raises(WeightsError, match="is missing or of another shape"):
        openvino_lite(recipe, weights_file())


@pytest.mark.parametrize("cut", [
    np.s_[:, 1:3], np.s_[..., 2:3], np.s_[:, 0:2, 1:4], np.s_[0:1, ..., 0:1]], ids=str)
def test_slices_are_numpys(cut):
    values = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    given = openvino_ops.parameter(values.shape, "float32")
    model = import_openvino().Model([given[cut].node], [given.node], "slice")
    np.testing.assert_array_equal(run(model, values), values[cut])


def test_nothing_of_it_needs_tensorflow(tmp_path):
    """The first run on a machine: nothing in the cache."""
    code = ("import sys; import numpy as np\n"
            "from plankton_features import make_recipe\n"
            "from plankton_features.embedding import EngineOptions, open_engine\n"
            "recipe, weights, _ = make_recipe(preset='fast')\n"
            "engine = open_engine(recipe, weights, EngineOptions('openvino', batch=1))\n"
            "engine.submit(np.zeros((1, recipe.canvas, recipe.canvas, 3), np.uint8))()\n"
            "print([name for name in ('tensorflow', 'keras') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PLANKTON_FEATURES_CACHE": str(tmp_path)})
    assert done.stdout.strip() == "[]"
