"""Weights from files of every kind, and from seeds."""

from __future__ import annotations

import hashlib
import random
import zipfile

import numpy as np
import pytest

from plankton_features.embedding import get_backbone
from plankton_features.embedding.efficientnet_lite import weights_file
from plankton_features.embedding.layers import construct_backbone
from plankton_features.embedding.network import fill_from_file, fill_randomly
from plankton_features.errors import WeightsError

pytestmark = pytest.mark.tensorflow

NETWORK = get_backbone("mobilenet_v2")
SIDE = 32


def build(name="mobilenet_v2"):
    return construct_backbone(get_backbone(name), SIDE)


def build_with_head(classes=3):
    import keras

    return keras.applications.MobileNetV2(weights=None, input_shape=(SIDE, SIDE, 3),
                                          classes=classes)


def assert_same_weights(got, expected):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def source(fill_all):
    """A network whose weights all differ from those it began with."""
    return fill_all(build(), 5)


@pytest.fixture(scope="module")
def files(source, write_keras_h5, save_with_keras, tmp_path_factory):
    """The same weights in every kind of file."""
    folder = tmp_path_factory.mktemp("weights")
    written = {suffix: folder / f"w{suffix}" for suffix in (".h5", ".weights.h5", ".keras")}
    write_keras_h5(source, written[".h5"])
    save_with_keras(source, written[".weights.h5"])
    save_with_keras(source, written[".keras"])
    return written


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", ".keras"])
def test_each_kind_of_file_gives_the_weights_back(source, files, suffix):
    model = build()
    fill_from_file(model, NETWORK, files[suffix])
    assert_same_weights(model.get_weights(), source.get_weights())


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_a_network_with_its_classification_layers_gives_the_trunk(fill_all, save_with_keras,
                                                                tmp_path, suffix):
    whole = fill_all(build_with_head(), 6)
    file = save_with_keras(whole, tmp_path / f"whole{suffix}")
    model = build()
    fill_from_file(model, NETWORK, file)
    assert_same_weights(model.get_weights(), whole.get_weights()[: len(model.weights)])


def test_a_keras_file_runs_no_code(fill_all, save_with_keras, tmp_path):
    import keras

    trunk = fill_all(build(), 7)
    marker = tmp_path / "marker"
    lines = keras.layers.Lambda(eval(f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"))
    save_with_keras(keras.Model(trunk.input, lines(trunk.output)), tmp_path / "lambda.keras")
    marker.unlink()  # left by building it
    with zipfile.ZipFile(tmp_path / "lambda.keras") as archive:
        assert b"__lambda__" in archive.read("config.json")
    model = build()
    fill_from_file(model, NETWORK, tmp_path / "lambda.keras")
    assert_same_weights(model.get_weights(), trunk.get_weights())
    assert not marker.exists()


def wrong_file(kind, folder, files, write_keras_h5):
    file = folder / "wrong.h5"
    if kind == "with its classification layers":
        return write_keras_h5(build_with_head(), file)
    if kind == "another network":
        return write_keras_h5(build("mobilenet_v3_large"), file)
    if kind == "text":
        file.write_text("not weights")
        return file
    if kind == "empty":
        file.write_bytes(b"")
        return file
    suffix = kind.split()[-1]
    file = folder / f"wrong{suffix}"
    content = files[suffix].read_bytes()
    file.write_bytes(content[: len(content) // 2])
    return file


@pytest.mark.parametrize("kind", [
    "with its classification layers", "another network", "text", "empty", "half a .h5",
    "half a .weights.h5", "half a .keras",
])
def test_wrong_files_are_refused_with_what_is_expected(tmp_path, files, write_keras_h5, kind):
    file = wrong_file(kind, tmp_path, files, write_keras_h5)
    with pytest.raises(WeightsError, match="does not hold weights of mobilenet_v2 without") as e:
        fill_from_file(build(), NETWORK, file)
    message = str(e.value)
    assert message.startswith(str(file))
    assert "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5" in message
    assert "--backbone" in message
    assert "\n" not in message
    assert len(message) < 600


def test_new_layouts_of_another_network_are_refused(files):
    with pytest.raises(WeightsError, match="does not hold weights of mobilenet_v3_large"):
        fill_from_file(build("mobilenet_v3_large"), get_backbone("mobilenet_v3_large"),
                       files[".weights.h5"])


def test_torch_files_are_read_for_efficientnet_lite0_only():
    lite = get_backbone("efficientnet_lite0")
    model = construct_backbone(lite, SIDE)
    before = [w.copy() for w in model.get_weights()]
    fill_from_file(model, lite, weights_file())
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    with pytest.raises(WeightsError, match="does not hold weights of mobilenet_v2"):
        fill_from_file(build(), NETWORK, weights_file())


def test_efficientnet_lite0_takes_keras_files_too(tmp_path, fill_all, save_with_keras):
    lite = get_backbone("efficientnet_lite0")
    source = fill_all(construct_backbone(lite, SIDE), 8)
    save_with_keras(source, tmp_path / "lite.weights.h5")
    model = construct_backbone(lite, SIDE)
    fill_from_file(model, lite, tmp_path / "lite.weights.h5")
    assert_same_weights(model.get_weights(), source.get_weights())
    with pytest.raises(WeightsError, match="the one that comes with the package"):
        fill_from_file(model, lite, _text(tmp_path))


def _text(folder):
    (folder / "text.h5").write_text("not weights")
    return folder / "text.h5"


def digest(model):
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16]


def test_a_seed_means_the_same_weights_in_every_process():
    model = build()
    fill_randomly(model, 7)
    assert digest(model) == "968552019a6e1ca7"


def test_random_weights_depend_on_the_seed_and_on_nothing_else():
    import keras

    one = build()
    fill_randomly(one, 1)
    keras.utils.clear_session()
    random.seed(99)
    other = build()
    fill_randomly(other, 1)
    assert digest(one) == digest(other)
    fill_randomly(other, 2)
    assert digest(one) != digest(other)


def test_random_weights_leave_random_numbers_of_others_alone():
    model = build()
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    fill_randomly(model, 3)
    assert states == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


@pytest.mark.parametrize("name", ["inception_v3", "mobilenet_v2"])
def test_random_kernels_have_the_spread_of_their_inputs(name):
    known = get_backbone(name)
    model = construct_backbone(known, known.min_canvas)
    first = {w.path: np.asarray(w) for w in model.weights if len(w.shape) == 1}
    fill_randomly(model, 0)
    for layer in model.layers:
        for weight in layer.trainable_weights:
            value = np.asarray(weight)
            if value.ndim == 1:
                np.testing.assert_array_equal(value, first[weight.path])
            elif value.size > 5000:
                inputs = 9 if "Depthwise" in type(layer).__name__ else value[..., 0].size
                assert value.var() * inputs == pytest.approx(1, rel=0.1)
