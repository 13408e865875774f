"""Choosing, opening and running engines."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from plankton_features.embedding import (
    EngineOptions,
    engine_entry,
    keras_setup,
    open_engine,
    openvino_engine,
    resolve_weights,
    tensorflow_engine,
)
from plankton_features.embedding.engines import choose_engine, default_batch
from plankton_features.embedding.openvino_setup import import_openvino
from plankton_features.errors import EngineError, InputError, WeightsError

ENGINES = ("tensorflow", "openvino")
SIDE = 32  # of the canvases of the engines in `opened`


# Options and choice


@pytest.mark.parametrize(("options", "message"), [
    ({"engine": "onnx"}, "engine: expected one of auto, tensorflow, openvino; got 'onnx'"),
    ({"batch": 0}, "batch: expected a whole number, 1 or more; got 0"),
    ({"batch": 2.5}, "batch"),
    ({"threads": 0}, "threads: expected a whole number, 1 or more; got 0"),
    ({"threads": -1}, "threads"),
])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        EngineOptions(**options)


@pytest.mark.parametrize(("views", "batch"), [("none", 16), ("rot4", 4), ("d4", 2)])
def test_default_batch_counts_views(make, views, batch):
    assert default_batch(make(views=views)) == batch
    assert open_engine(make(views=views), None).batch == batch


def install(monkeypatch, *packages, gpus=()):
    monkeypatch.setattr(engine_entry.importlib.util, "find_spec",
                        lambda name: object() if name in packages else None)
    monkeypatch.setattr(tensorflow_engine, "_gpu_possible", lambda: bool(gpus))
    if "tensorflow" in packages:
        monkeypatch.setattr(tensorflow_engine, "import_keras", lambda: None)


@pytest.mark.parametrize(("packages", "chosen"), [
    (("openvino", "tensorflow"), "openvino"),
    (("openvino",), "openvino"),
    (("tensorflow",), "tensorflow"),
])
def test_auto_without_a_gpu(monkeypatch, packages, chosen):
    install(monkeypatch, *packages)
    assert choose_engine("auto") == chosen


def test_without_engines_auto_says_what_to_install(monkeypatch):
    install(monkeypatch)
    with pytest.raises(EngineError, match=r"no engine is installed.*pip install openvino"):
        choose_engine("auto")


def test_auto_with_a_gpu(monkeypatch):
    monkeypatch.setattr(tensorflow_engine, "gpu_names", lambda: ["/physical_device:GPU:0"])
    assert choose_engine("auto") == "tensorflow"
    assert choose_engine("openvino") == "openvino"


def test_a_gpu_that_tensorflow_is_missing_for_counts_for_nothing(monkeypatch):
    install(monkeypatch, "openvino", gpus=["GPU:0"])
    assert choose_engine("auto") == "openvino"


def test_a_hidden_gpu_is_not_looked_for(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert tensorflow_engine.gpu_names() == []


@pytest.mark.parametrize(("engine", "other"), [ENGINES, ENGINES[::-1]])
def test_a_missing_engine_is_named_with_the_other(monkeypatch, engine, other):
    install(monkeypatch, other)
    with pytest.raises(EngineError, match=f"pip install {engine}.*--engine {other}"):
        choose_engine(engine)


def test_openvino_that_cannot_be_loaded_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EngineError, match=r"OpenVINO cannot be imported.*--engine tensorflow"):
        import_openvino()


def test_tensorflow_that_cannot_be_loaded_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(EngineError, match=r"TensorFlow cannot be imported.*pip install tensorflow"):
        keras_setup.import_keras()


def test_another_backend_of_keras_is_refused_before_it_is_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(EngineError, match=r"backend 'jax', expected tensorflow.*KERAS_BACKEND="):
        keras_setup.import_keras()


@pytest.mark.tensorflow
def test_another_backend_of_an_imported_keras_is_refused(monkeypatch):
    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(EngineError, match="backend 'torch', expected tensorflow"):
        keras_setup.import_keras()


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_that_are_not_here_are_named(make, own_cache, engine):
    recipe = make("mobilenet_v2", "sha256:" + "0" * 64, canvas=SIDE)
    with pytest.raises(WeightsError, match=r"no file with sha256:0.*--weights FILE"):
        open_engine(recipe, None, EngineOptions(engine))


def test_other_weights_than_the_recipe_says_are_refused(recipe):
    with pytest.raises(WeightsError, match="expected the recipe's weights random:3, got random:4"):
        open_engine(recipe, resolve_weights("mobilenet_v2", "random:4"))


# Running


@pytest.mark.tensorflow
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_say_what_they_are(opened, engine):
    one = opened[engine]
    assert (one.name, one.precision, one.batch) == (engine, "float32", 3)
    assert one.blocks == [("out_relu_avg", 1280)]
    assert one.depth >= 1
    assert one.device


@pytest.mark.tensorflow
@pytest.mark.parametrize("engine", ENGINES)
def test_as_many_calls_as_the_depth_may_be_under_way(opened, draw_canvases, engine):
    one = opened[engine]
    batches = [draw_canvases(3, SIDE, seed) for seed in range(5)]
    alone = [one.submit(batch)() for batch in batches]
    assert len({vectors.tobytes() for vectors in alone}) == 5
    waiting, together = [], []
    for batch in batches:
        if len(waiting) == one.depth:
            together.append(waiting.pop(0)())
        waiting.append(one.submit(batch))
    together += [result() for result in waiting]
    for got, expected in zip(together, alone, strict=True):
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == np.float32


@pytest.mark.tensorflow
@pytest.mark.parametrize("engine", ENGINES)
def test_results_do_not_change_afterwards(opened, draw_canvases, engine):
    one = opened[engine]
    canvases = draw_canvases(3, SIDE)
    before = canvases.copy()
    first = one.submit(canvases)()
    kept = first.copy()
    np.testing.assert_array_equal(canvases, before)
    canvases[:] = 0
    for _ in range(one.depth + 1):
        one.submit(canvases)()
    np.testing.assert_array_equal(first, kept)


@pytest.mark.tensorflow
def test_float16_works_in_tensorflow(make, weights, opened, draw_canvases, difference):
    recipe = make("mobilenet_v2", "random:3", canvas=SIDE, precision="float16")
    engine = open_engine(recipe, weights, EngineOptions("tensorflow", batch=3))
    canvases = draw_canvases(3, SIDE)
    got = engine.submit(canvases)()
    expected = opened["tensorflow"].submit(canvases)()
    assert engine.precision == "float16"
    assert 0 < difference(got, expected) < 0.02


@pytest.mark.tensorflow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_openvino_computes_in_the_numbers_asked_for_or_refuses(make, weights, opened, precision):
    recipe = make("mobilenet_v2", "random:3", canvas=SIDE, precision=precision)
    problem = ""
    try:
        engine = open_engine(recipe, weights, EngineOptions("openvino", batch=3))
    except EngineError as error:
        problem = str(error)
    refused = f"asked for {precision}, but this processor would compute in" in problem
    assert refused or engine.precision == precision


@pytest.mark.tensorflow
def test_openvino_refuses_numbers_that_it_would_replace(make, weights, opened, monkeypatch):
    monkeypatch.setattr(openvino_engine, "_precision", lambda compiled: "bfloat16")
    with pytest.raises(EngineError, match=r"asked for float32.*would compute in bfloat16"):
        open_engine(make("mobilenet_v2", "random:3", canvas=SIDE), weights,
                    EngineOptions("openvino"))


@pytest.mark.tensorflow
@pytest.mark.parametrize("views", ["rot4", "d4"])
def test_views_and_exchanged_channels_convert(make, draw_canvases, difference, views):
    """OpenVINO 2026.4 confuses the two unless channels are exchanged by slices."""
    recipe = make("resnet50", "random:0", canvas=SIDE + 1, layers="conv1_relu", views=views)
    found = resolve_weights("resnet50", "random")
    vectors = [open_engine(recipe, found, EngineOptions(name, batch=2)).submit(
        draw_canvases(2, SIDE + 1))() for name in ENGINES]
    assert difference(*vectors) < 1e-5


@pytest.mark.tensorflow
def test_networks_that_ask_for_their_batch_convert(make, draw_canvases, difference):
    recipe = make("efficientnet_v2_b0", "random:0", canvas=SIDE, layers="block4a_se_excite")
    found = resolve_weights("efficientnet_v2_b0", "random")
    vectors = [open_engine(recipe, found, EngineOptions(name, batch=2)).submit(
        draw_canvases(2, SIDE))() for name in ENGINES]
    assert difference(*vectors) < 1e-5


@pytest.fixture
def failing_compiler(monkeypatch):
    """Make compiling fail where a function says so; returns what was tried."""
    import tensorflow as tf

    real, tried = tensorflow_engine._try_compile, []

    def fail_for(refused):
        def compile_one(network, shape, *, xla):
            tried.append(xla)
            if xla in refused:
                raise tf.errors.UnimplementedError(None, None, "no such kernel")
            return real(network, shape, xla=xla)

        monkeypatch.setattr(tensorflow_engine, "_try_compile", compile_one)
        return tried

    return fail_for


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(tensorflow_engine, "_device", lambda: "a GPU")


@pytest.mark.tensorflow
@pytest.mark.usefixtures("on_gpu")
def test_xla_computes_the_same(recipe, weights, opened, draw_canvases, difference,
                               failing_compiler):
    tried = failing_compiler([])
    engine = open_engine(recipe, weights, EngineOptions("tensorflow", batch=3))
    canvases = draw_canvases(3, SIDE)
    assert tried == [True]
    assert difference(engine.submit(canvases)(), opened["tensorflow"].submit(canvases)()) < 1e-5


@pytest.mark.tensorflow
def test_xla_is_for_gpus(recipe, weights, failing_compiler):
    tried = failing_compiler([])
    open_engine(recipe, weights, EngineOptions("tensorflow", batch=3))
    assert tried == [False]


@pytest.mark.tensorflow
@pytest.mark.usefixtures("on_gpu")
def test_what_xla_lacks_runs_without_it(recipe, weights, opened, draw_canvases, difference,
                                        failing_compiler):
    tried = failing_compiler([True])
    engine = open_engine(recipe, weights, EngineOptions("tensorflow", batch=3))
    canvases = draw_canvases(3, SIDE)
    assert tried == [True, False]
    assert difference(engine.submit(canvases)(), opened["tensorflow"].submit(canvases)()) < 1e-5


@pytest.mark.tensorflow
def test_what_cannot_run_at_all_is_one_clear_error(recipe, weights, failing_compiler):
    failing_compiler([True, False])
    with pytest.raises(EngineError, match=r"cannot run the network .no such kernel.*--batch"):
        open_engine(recipe, weights, EngineOptions("tensorflow", batch=3))


def test_nothing_heavy_is_imported_for_the_room():
    code = ("import sys, plankton_features.embedding; "
            "print([m for m in ('tensorflow', 'keras', 'openvino') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env=os.environ)
    assert done.stdout.strip() == "[]"
