"""Exports agree with the network, and files are all new or all as they were."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from plankton_features.embedding.classifier_network import saved_form
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.views import normalize
from plankton_features.errors import EngineError, InputError, StoreError
from plankton_features.finetuning import export_formats, exporting
from plankton_features.finetuning.canvases import in_colour
from plankton_features.finetuning.export_formats import FORMATS
from plankton_features.finetuning.exporting import (
    EXPORTS,
    TOLERANCE,
    check_exports,
    export_files,
    export_model,
    export_tuned,
)
from plankton_features.finetuning.saving import in_float32

SIDE = 24


def needs(name):
    """Skip without a format's packages; they are not imported, as that is the library's part."""
    for package in FORMATS[name].packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install {FORMATS[name].install}")


def fill(model, seed=3):
    """Weights that all differ from their first values, and clear decisions."""
    rng = np.random.default_rng(seed)
    for weight in (w for w in model.weights if "seed" not in w.name):
        low, high = (0.7, 1.3) if {"gamma", "moving_variance"} & {weight.name} else (-0.5, 0.5)
        weight.assign(rng.uniform(low, high, weight.shape).astype(np.float32))
    return model


def plain_backbone(layers, x):
    x = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    return layers.ReLU(6.0)(layers.BatchNormalization()(x))


def rich_backbone(layers, x):
    """What converters stumble on: captured constants, compiled convolutions, erfc, resizing."""
    x = layers.Normalization(mean=[9.0, 8.0, 7.0], variance=[99.0, 88.0, 77.0])(x)
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.Conv2D(8, 7, padding="same", groups=8)(x)
    x = layers.Activation("gelu")(layers.LayerNormalization()(x))
    x = layers.Conv2D(8, 3, activation="hard_swish")(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.multiply([x, layers.Conv2D(8, 1, activation="hard_sigmoid")(gate)])


def build(backbone=plain_backbone, normalization="caffe"):
    keras = import_keras()
    layers = keras.layers
    inner = keras.Input((None, None, 3))
    trunk = keras.Model(inner, backbone(layers, inner))
    canvases = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    maps = trunk(normalize(canvases, normalization, keras.ops), training=False)
    hidden = layers.Dense(6, activation="relu")(layers.GlobalAveragePooling2D()(maps))
    return fill(keras.Model(canvases, layers.Dense(4, activation="softmax")(
        layers.Dropout(0.5)(hidden))))


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def canvases():
    return np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


@pytest.fixture
def stem(tmp_path):
    """Not the name of a file; its folder is empty."""
    return tmp_path / "my.model"


def content(stem):
    return {path.name: path.read_bytes() for path in stem.parent.iterdir()}


@pytest.fixture
def older(stem):
    """Files of earlier exports: their content by name."""
    for name in EXPORTS:
        for file in export_files(name, stem):
            file.write_text(f"older {file.name}")
    return content(stem)


@pytest.fixture
def patch_format(monkeypatch):
    """Change how a format is written or read: (name, write=..., read=...)."""

    def patch(name, **changes):
        monkeypatch.setitem(FORMATS, name, replace(FORMATS[name], **changes))

    return patch


def test_the_parts_name_the_same_formats():
    assert list(EXPORTS) == list(FORMATS) == ["json", "onnx", "openvino"]
    assert EXPORTS["onnx"] == FORMATS["onnx"].description


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", EXPORTS)
def test_each_format_gives_the_networks_probabilities(model, canvases, stem, older, name, capsys):
    needs(name)
    (made,) = export_model(model, [name], stem, canvases)
    assert (made.format, made.files) == (name, export_files(name, stem))
    assert made.largest_difference < 1e-6
    now = content(stem)
    assert set(now) == set(older)
    assert {file for file in now if now[file] != older[file]} == {f.name for f in made.files}
    expected = np.asarray(model(canvases, training=False))
    assert expected.std() > 0.1
    for n in (1, 5):  # any batch
        got = FORMATS[name].read(*made.files, canvases[:n])
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected[:n], rtol=0, atol=1e-6)
    assert capsys.readouterr() == ("", "")


@pytest.mark.tensorflow
@pytest.mark.parametrize("normalization", ["tf", "lite", "caffe", "torch", "none"])
def test_architectures_hold_every_normalization(canvases, stem, normalization):
    (made,) = export_model(build(normalization=normalization), ["json"], stem, canvases)
    assert made.largest_difference == 0


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", EXPORTS)
def test_layers_that_converters_stumble_on(canvases, stem, name):
    needs(name)
    (made,) = export_model(build(rich_backbone, "none"), [name], stem, canvases)
    assert made.largest_difference < 1e-5


@pytest.mark.tensorflow
def test_the_onnx_file_has_names_and_no_dependence_on_its_reader(model, canvases, stem,
                                                                 monkeypatch):
    needs("onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # then it is OpenVINO that reads
    (made,) = export_model(model, ["onnx"], stem, canvases)
    assert made.largest_difference < 1e-6
    import onnx

    network = onnx.load(made.files[0])
    onnx.checker.check_model(network, full_check=True)
    shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
              for v in (*network.graph.input, *network.graph.output)}
    assert shapes == {"canvases": ["batch", SIDE, SIDE, 3], "probabilities": ["batch", 4]}


@pytest.mark.tensorflow
def test_several_formats_at_once(model, canvases, stem):
    made = export_model(model, ["openvino", "json", "openvino"], stem, canvases)
    assert [one.format for one in made] == ["openvino", "json"]
    assert sorted(content(stem)) == ["my.model.bin", "my.model.json", "my.model.weights.h5",
                                     "my.model.xml"]
    assert export_model(model, [], stem, canvases) == []


WRONG = {
    "0.00011, expected at most 0.0001": lambda right: right + np.float32(1.1 * TOLERANCE),
    "nan": lambda right: right * np.float32("nan"),
    "inf": lambda right: right[:, :3],
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("shown", WRONG)
def test_a_wrong_export_leaves_what_was_there(model, canvases, stem, older, patch_format, shown):
    right = np.asarray(model(canvases, training=False))
    patch_format("openvino", read=lambda *_: WRONG[shown](right))
    with pytest.raises(EngineError, match=rf"export openvino: .* differ .* up to {shown}.*Leave "
                                          "openvino out"):
        export_model(model, ["json", "openvino"], stem, canvases)
    assert content(stem) == older


@pytest.mark.tensorflow
@pytest.mark.parametrize(("part", "done"), [("write", "converted"), ("read", "read back")])
def test_what_a_converter_or_runtime_cannot_do_is_named(model, canvases, stem, patch_format, part,
                                                        done):
    def refuse(*_):
        raise RuntimeError("no such\noperation")

    patch_format("openvino", **{part: refuse})
    with pytest.raises(EngineError, match=rf"openvino: .* cannot be {done} \(no such operation\)"):
        export_model(model, ["json", "openvino"], stem, canvases)
    assert content(stem) == {}


@pytest.mark.tensorflow
def test_an_interrupted_export_leaves_what_was_there(model, canvases, stem, older, patch_format):
    def interrupt(*_):
        raise KeyboardInterrupt

    patch_format("openvino", read=interrupt)
    with pytest.raises(KeyboardInterrupt):
        export_model(model, ["json", "openvino"], stem, canvases)
    assert content(stem) == older


def test_unknown_formats_and_missing_packages(monkeypatch):
    with pytest.raises(InputError, match=r"'tflite' is not known.* json, onnx, openvino\."):
        export_model(None, ["json", "tflite"], Path("nowhere/x"), None)
    with pytest.raises(InputError, match="'tflite' is not known"):
        export_model(None, "tflite", Path("nowhere/x"), None)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(EngineError,
                       match=r'tf2onnx is not installed.*pip install "plankton_features\[onnx\]"'):
        check_exports(["json", "onnx"])
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EngineError, match=r"export openvino: .*pip install openvino"):
        check_exports(["openvino"])
    check_exports(["json"])


@pytest.mark.tensorflow
@pytest.mark.parametrize("wrong", [
    lambda x: x[:0], lambda x: x.astype(np.float32), lambda x: x[:, 1:], lambda x: x[0]])
def test_canvases_that_do_not_fit(model, canvases, stem, wrong):
    with pytest.raises(InputError, match=r"at least one canvas, uint8 of shape \(24, 24, 3\)"):
        export_model(model, ["json"], stem, wrong(canvases))


@pytest.mark.tensorflow
def test_a_full_disk_is_named_before_the_work(model, canvases, small_disk, patch_format):
    folder = small_disk("1m")
    patch_format("json", write=None)
    with pytest.raises(StoreError, match=r"x\.json: the disk is full\. Free some space"):
        export_model(model, ["json"], folder / "x", canvases)
    assert not list(folder.iterdir())


@pytest.mark.tensorflow
def test_a_disk_that_fills_up_meanwhile(model, canvases, small_disk, monkeypatch):
    folder = small_disk("8k")
    monkeypatch.setattr(exporting, "_BYTES_PER_FORMAT", 0)
    monkeypatch.setattr(exporting, "_BYTES_PER_WEIGHT", 0)
    with pytest.raises(StoreError, match=r"x\.xml: cannot be written \(.*Free some space"):
        export_model(model, ["openvino"], folder / "x", canvases)
    assert not list(folder.iterdir())


@pytest.mark.tensorflow
def test_settings_of_tensorflow_and_logging_are_put_back(model, canvases, stem):
    import logging

    import tensorflow as tf

    with export_formats._functions_inlined(), export_formats._silent("tf2onnx"):
        assert tf.config.functions_run_eagerly()
        assert not logging.getLogger("tf2onnx.any").isEnabledFor(logging.CRITICAL)
    assert not tf.config.functions_run_eagerly()
    assert logging.getLogger("tf2onnx.any").isEnabledFor(logging.CRITICAL)


@pytest.mark.tensorflow
def test_what_fine_tuning_gives_is_exported_as_it_is(bench, tmp_path):
    network = in_float32(bench.train(tmp_path / "work", unfreeze="none").network)
    tuned = SimpleNamespace(trained=SimpleNamespace(network=network),
                            gathered=SimpleNamespace(canvases=bench.canvases))
    (made,) = export_tuned(tuned, "json", tmp_path / "out")
    assert [file.name for file in made.files] == ["out.json", "out.weights.h5"]
    model = import_keras().models.model_from_json((tmp_path / "out.json").read_text())
    model.load_weights(tmp_path / "out.weights.h5")
    canvases = in_colour(bench.canvases[-5:])
    assert np.allclose(model(canvases), saved_form(network)(canvases), atol=1e-6)
