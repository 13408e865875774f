"""Engines are tried apart, and whatever they do is told."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from plankton_features.diagnosis import apart, trying
from plankton_features.diagnosis.apart import try_apart
from plankton_features.diagnosis.trial import EngineTrial, PrecisionTrial, cosine
from plankton_features.embedding import Weights, efficientnet_lite, get_engine
from plankton_features.errors import EngineError, WeightsError

# In a process of its own


def test_a_missing_engine_is_not_tried(without):
    without("openvino")
    assert try_apart("openvino") == EngineTrial("openvino", failure="missing",
                                                problem="it is not installed")


@pytest.mark.parametrize(("code", "failure", "problem"), [
    ("raise ImportError('libcudart.so.12: cannot open shared object file')", "import",
     "ImportError: libcudart.so.12: cannot open shared object file"),
    ("raise TypeError('Descriptors cannot be created directly')", "import",
     "TypeError: Descriptors cannot be created directly"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGILL)", "crash",
     "the process was ended by SIGILL"),
    ("import os, signal\nos.write(2, b'x')\nos.kill(os.getpid(), signal.SIGSEGV)", "crash",
     "the process was ended by SIGSEGV"),
    ("import os\nos._exit(7)", "crash", "the process ended with code 7 (it said nothing)"),
])
def test_an_engine_that_cannot_be_imported_is_told(fake_package, code, failure, problem):
    fake_package("tensorflow", code)
    trial = try_apart("tensorflow")
    assert trial.failure == failure
    assert trial.problem.startswith(problem)
    assert not trial.works
    assert trial.version == ""


def test_an_engine_that_hangs_is_ended(fake_package, monkeypatch):
    monkeypatch.setattr(apart, "_LONGEST_SECONDS", 3.0)
    fake_package("openvino", "import time\ntime.sleep(60)")
    trial = try_apart("openvino")
    assert (trial.failure, trial.problem) == ("time", "no result after 3 s")


def test_another_backend_of_keras_is_told(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    trial = try_apart("tensorflow")
    assert trial.failure == "import"
    assert "backend 'jax', expected tensorflow" in trial.problem


@pytest.mark.tensorflow
@pytest.mark.slow
def test_the_engines_of_this_environment_agree():
    openvino, tensorflow = try_apart("openvino"), try_apart("tensorflow")
    for trial in (openvino, tensorflow):
        assert trial.works, trial.problem
        assert trial.version[0].isdigit()
        assert len(trial.vector) == 1248
        assert trial.precisions[0].images_per_second > 0
        assert trial.seconds > 0
    assert cosine(openvino.vector, tensorflow.vector) > 0.9999
    assert [one.precision for one in openvino.precisions] == ["float32", "bfloat16", "float16"]
    assert openvino.precisions[0].native
    for one in openvino.precisions[1:]:
        assert one.problem or one.similarity > 0.99
    assert tensorflow.on_gpu or len(tensorflow.precisions) == 1


# In this process, with engines that are not real


class Network:
    """An engine whose vectors are those of float32, moved a little in other numbers."""

    def __init__(self, name, device, precision, batch=None):
        self.name, self.device, self.precision, self.batch = name, device, precision, batch or 4
        self.seen = []

    def submit(self, canvases):
        self.seen.append(canvases)
        moved = 0.0 if self.precision == "float32" else 1.0
        return lambda: np.stack([[3.0, moved, float(canvas.mean())] for canvas in canvases])


@pytest.fixture
def fakes(monkeypatch):
    """Engines that compute on a device, except in some precisions: -> list of those opened."""

    def install(device="CPU", refused=(), capabilities=("FP32", "BF16"), sees=("CPU",)):
        def open_engine(recipe, weights, options):
            if recipe.precision in refused:
                raise EngineError(f"not in {recipe.precision}")
            opened.append(Network(options.engine, device, recipe.precision, options.batch))
            return opened[-1]

        opened = []
        core = SimpleNamespace(
            available_devices=list(sees),
            get_property=lambda name, what: {"FULL_DEVICE_NAME": f"maker's {name}",
                                             "OPTIMIZATION_CAPABILITIES": capabilities}[what])
        devices = [SimpleNamespace(name=f"/physical_device:{one}:0") for one in sees]
        config = SimpleNamespace(list_physical_devices=lambda: devices)
        module = SimpleNamespace(__version__="2.0.0-12345-abc", Core=lambda: core, config=config)
        for name in ("openvino", "tensorflow"):
            monkeypatch.setattr(type(get_engine(name)), "load", lambda entry: module)
        monkeypatch.setattr(trying, "open_engine", open_engine)
        monkeypatch.setattr(trying, "_SECONDS_OF_TIMING", 0.0)
        return opened

    return install


def test_openvino_is_tried_in_all_numbers(fakes):
    opened = fakes(refused=["float16"], sees=("CPU", "GPU"))
    trial = trying.try_here("openvino")
    assert trial.works
    assert trial.version == "2.0.0"
    assert trial.sees == ("CPU (maker's CPU)", "GPU (maker's GPU)")
    exact, narrow, refused = trial.precisions
    assert (exact.precision, exact.native, exact.similarity) == ("float32", True, 1.0)
    assert (narrow.precision, narrow.native) == ("bfloat16", True)
    mean = trial.vector[2]
    expected = (9 + mean**2) / math.hypot(3, mean) / math.hypot(3, 1, mean)
    assert narrow.similarity == pytest.approx(expected, abs=1e-12)
    assert refused == PrecisionTrial("float16", native=False, problem="not in float16")
    assert [one.batch for one in opened] == [4, 4]


def test_numbers_that_a_processor_emulates_are_told(fakes):
    fakes(capabilities=("FP32",))
    natives = [one.native for one in trying.try_here("openvino").precisions]
    assert natives == [True, False, False]


@pytest.mark.parametrize(("device", "tried"), [("CPU", 1), ("NVIDIA L4", 3)])
def test_tensorflow_is_tried_in_narrow_numbers_on_gpus_only(fakes, device, tried):
    fakes(device=device)
    trial = trying.try_here("tensorflow")
    assert len(trial.precisions) == tried
    assert trial.on_gpu is (device != "CPU")
    assert trial.precisions[0].native is None


def test_the_canvases_are_the_same_each_time(fakes):
    opened = fakes()
    assert trying.try_here("openvino").vector == trying.try_here("openvino").vector
    assert opened[0].seen[0].shape == (4, 128, 128, 3)
    assert opened[0].seen[0].dtype == np.uint8


def test_speed_is_images_by_time(fakes, monkeypatch):
    fakes()
    times = iter([0.0, 0.5, 1.0, 2.0])
    monkeypatch.setattr(trying, "_SECONDS_OF_TIMING", 1.5)
    monkeypatch.setattr(trying.time, "perf_counter", lambda: next(times))
    assert trying._speed(Network("x", "CPU", "float32"), np.zeros((4, 8, 8, 3))) == 8 / 2.0


def test_a_network_that_cannot_run_is_told(fakes):
    fakes(refused=["float32"])
    trial = trying.try_here("openvino")
    assert (trial.failure, trial.problem) == ("run", "not in float32")
    assert not trial.works
    assert trial.version == "2.0.0"


def test_an_engine_can_be_tried_without_weights(fakes, monkeypatch):
    fakes()
    monkeypatch.setattr(efficientnet_lite, "WEIGHTS_PACKAGE", "no_such_package")
    with pytest.raises(WeightsError):
        trying.make_recipe("fast")
    trial = trying.try_here("openvino")
    assert trial.works
    assert "RANDOM" in trial.weights


def test_trials_survive_json(fakes):
    import json
    from dataclasses import asdict

    fakes(refused=["float16"])
    trial = trying.try_here("openvino")
    assert EngineTrial.from_json(json.dumps(asdict(trial), allow_nan=False)) == trial


def test_errors_of_other_libraries_are_named():
    assert trying._named(ValueError("two\n lines")) == "ValueError: two lines"
    assert trying._named(EngineError("told")) == "told"
    assert trying._named(KeyError()) == "KeyError: KeyError"
    assert len(trying._named(ValueError("x" * 1000))) == 400
    assert isinstance(trying._recipe(get_engine("openvino"))[1], Weights)
