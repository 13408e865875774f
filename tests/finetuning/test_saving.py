"""The file of a trained network: plain Keras' and ours say the same of a picture."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from plankton_features.embedding import EngineOptions, Weights, open_engine, resolve_weights
from plankton_features.embedding.classifier_network import saved_form
from plankton_features.embedding.model_file import is_model_file, read_description
from plankton_features.errors import WeightsError
from plankton_features.finetuning.evaluating import embed
from plankton_features.finetuning.saving import in_float32, write_network

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def written(request, bench, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    trained = bench.train(folder / "work", unfreeze="all", precision=request.param, hidden=5,
                          base_rate=0.01, metric="loss")
    network = in_float32(trained.network)
    recipe = write_network(network, ["a", "b", "c"], folder / "m.keras")
    return trained, network, recipe, folder / "m.keras"


def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)


def test_plain_keras_opens_it(written):
    import keras

    _, network, _, path = written
    model = keras.models.load_model(path)
    assert {layer.compute_dtype for layer in model.get_layer("trunk").layers} == {"float32"}
    expected = saved_form(network)(pictures()).numpy()
    assert np.allclose(model(pictures()).numpy(), expected, atol=1e-6)
    assert expected.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_float32_has_the_weights_that_were_trained(written):
    trained, network, _, _ = written
    for old, new in ((trained.network.trunk, network.trunk), (trained.network.top, network.top)):
        assert all(np.array_equal(a.numpy(), b.numpy())
                   for a, b in zip(old.weights, new.weights, strict=True))


@pytest.mark.parametrize("name", ["tensorflow", "openvino"])
def test_vectors_are_those_that_the_layers_were_trained_on(written, name, tmp_path, monkeypatch):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setenv("PLANKTON_FEATURES_CACHE", str(tmp_path))
    _, network, recipe, path = written
    engine = open_engine(recipe, Weights(recipe.weights, "", path), EngineOptions(name, batch=2))
    found = embed(engine, pictures(), np.arange(5))
    maps = network.trunk(network.normalized(pictures()), training=False)
    assert np.allclose(found, network.pooled(maps).numpy(), atol=1e-4)


def test_the_recipe_names_the_arrays(written):
    _, _, recipe, path = written
    assert recipe.weights == resolve_weights("tiny", str(path)).identity
    assert is_model_file(path)
    told = read_description(path)
    assert told["classes"] == ["a", "b", "c"]
    assert told["hidden"] == 5
    assert "weights" not in told["recipe"]


def test_another_backbone_does_not_take_it(written):
    with pytest.raises(WeightsError, match="a fine-tuned tiny, expected efficientnet_lite0"):
        resolve_weights("efficientnet_lite0", str(written[3]))


def test_layers_above_the_pooled_ones_are_not_in_it(bench, tmp_path):
    from plankton_features.errors import InputError

    trained = bench.train(tmp_path / "work", epochs=0)
    network = replace(trained.network, recipe=replace(bench.recipe, layers=("block2_out",)))
    from plankton_features.embedding.classifier_network import assemble_network
    from plankton_features.embedding.network import load_backbone

    network = assemble_network(network.recipe, load_backbone(bench.recipe, None), 3)
    recipe = write_network(network, ["a", "b", "c"], tmp_path / "m.keras")
    with pytest.raises(InputError, match="layer 'top'"):
        open_engine(replace(recipe, layers=("top",)),
                    Weights(recipe.weights, "", tmp_path / "m.keras"),
                    EngineOptions("tensorflow"))
