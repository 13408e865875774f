"""The TensorFlow engine: one compiled function with a fixed batch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.network import build_network
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.weights import Weights, missing_weights
from plankton_features.errors import EngineError, WeightsError


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

        return self._function(tf.convert_to_tensor(canvases)).numpy


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
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


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
