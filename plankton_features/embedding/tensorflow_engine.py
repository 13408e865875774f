"""The TensorFlow engine: one compiled function with a fixed batch."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.engine_entry import EngineEntry, EngineOptions
from plankton_features.embedding.engines import default_batch
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.network import build_network
from plankton_features.embedding.recipe import PRECISIONS, Recipe
from plankton_features.embedding.weights import Weights, missing_weights
from plankton_features.errors import EngineError, WeightsError


class TensorFlowEntry(EngineEntry):
    """What is known of TensorFlow before it is opened."""

    name, title, package = "tensorflow", "TensorFlow", "tensorflow"
    packages = ("tensorflow", "keras")
    purpose = ("OpenVINO needs it when it first runs a recipe of any network but "
               "EfficientNet-Lite0; fine-tuning always does.")
    precisions = PRECISIONS
    devices = ("CPU", "GPU")
    priority, gpu_priority = 10, 30
    settings = (("KERAS_BACKEND", "tensorflow"),)

    def sees_gpu(self) -> bool:
        """TensorFlow is imported only if there may be one."""
        return bool(gpu_names())

    def open(self, recipe: Recipe, weights: Weights | None,
             options: EngineOptions) -> TensorFlowEngine:
        """See `TensorFlowEngine`."""
        batch = options.batch or default_batch(recipe, "GPU" if self.sees_gpu() else "CPU")
        return TensorFlowEngine(recipe, weights, batch, options.threads)

    def load(self) -> Any:
        """TensorFlow itself, after Keras."""
        import_keras()
        import tensorflow

        return tensorflow

    def list_devices(self, module: Any) -> tuple[str, ...]:
        """As TensorFlow names them."""
        return tuple(device.name.removeprefix("/physical_device:")
                     for device in module.config.list_physical_devices())

    def precisions_to_try(self, device: str) -> tuple[str, ...]:
        """On CPUs, TensorFlow compiles narrow numbers for long and gains nothing by them."""
        return () if device == "CPU" else super().precisions_to_try(device)

    def gpu_advice(self, maker: str) -> tuple[str, ...]:
        """What TensorFlow needs to compute on a GPU."""
        if maker == "amd":
            return ("TensorFlow's own packages use no GPUs of AMD; AMD publishes "
                    "tensorflow-rocm, which was not tested with this package.",)
        if maker == "apple":
            return ("Apple's plug-in tensorflow-metal would use it. It was not tested with this "
                    "package: if you install it, run this command again to see whether its "
                    "vectors are right.",)
        if sys.platform == "win32":
            return ("On Windows itself TensorFlow uses no GPU since 2.11. It does in WSL2: "
                    "install that, and within it this package, in the folder of its repository.",
                    "wsl --install", 'python -m pip install . "tensorflow[and-cuda]"')
        return ("NVIDIA's libraries are missing, or the driver is too old for them. Install them, "
                "and run this command again:", 'python -m pip install "tensorflow[and-cuda]"')


TENSORFLOW = TensorFlowEntry()


class TensorFlowEngine:
    """Runs a recipe's network in TensorFlow; see `Engine` for the attributes.

    Parameters
    ----------
    recipe : Recipe
    weights : Weights or None
    batch : int
    threads : int or None
        Threads that compute, None for all cores. TensorFlow takes it only before its first
        computation in a process.

    Raises
    ------
    EngineError
        If TensorFlow is missing or cannot run the network.
    WeightsError, InputError
        If the network cannot be built.
    """

    name = "tensorflow"
    depth = 2

    def __init__(self, recipe: Recipe, weights: Weights | None, batch: int, threads: int | None):
        if weights is None:
            raise WeightsError(missing_weights(recipe.backbone, recipe.weights))
        import_keras()
        _limit_threads(threads)
        network, self.blocks = build_network(recipe, weights.file, batch=batch,
                                             precision=recipe.precision)
        self.batch = batch
        self.precision = recipe.precision
        self.device = _device()
        self._function = _compile(network, (batch, recipe.canvas, recipe.canvas, 3),
                                  xla=self.device != "CPU" or recipe.precision != "float32")

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """See `Engine.submit`; on a GPU it returns before the result is there."""
        import tensorflow as tf

        result: Callable[[], np.ndarray] = self._function(tf.convert_to_tensor(canvases)).numpy
        return result


def gpu_names() -> list[str]:
    """GPUs that TensorFlow sees. TensorFlow is imported only if there may be one."""
    if not _gpu_possible() or not TENSORFLOW.is_installed():
        return []
    import_keras()
    import tensorflow as tf

    return [device.name for device in tf.config.list_physical_devices("GPU")]


def _gpu_possible() -> bool:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    if sys.platform == "darwin":
        return any(d.metadata["Name"] == "tensorflow-metal" for d in distributions())
    return any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))


def _limit_threads(threads: int | None) -> None:
    import tensorflow as tf

    if threads:
        with suppress(RuntimeError):  # already computing: keeps the threads it has
            tf.config.threading.set_intra_op_parallelism_threads(threads)


def _device() -> str:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


def _compile(network: Any, shape: tuple[int, ...], xla: bool) -> Any:
    """Compile, with XLA if asked for and if it can be had.

    On CPUs it takes up to 20 times as long for convolutions of single channels, but rounds
    narrow numbers less often. It lacks some operations on some devices, and on GPUs
    needs CUDA's own compiler.
    """
    import tensorflow as tf

    if xla:
        with suppress(tf.errors.OpError):
            return _try_compile(network, shape, xla=True)
    try:
        return _try_compile(network, shape, xla=False)
    except tf.errors.OpError as error:
        raise EngineError(f"engine tensorflow: cannot run the network ({error.message[:200]}). A "
                          "smaller --batch needs less memory.") from error


def _try_compile(network: Any, shape: tuple[int, ...], *, xla: bool) -> Any:
    import tensorflow as tf

    function = tf.function(lambda canvases: network(canvases, training=False), jit_compile=xla)
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.uint8))
    concrete(tf.zeros(shape, tf.uint8))
    return concrete
