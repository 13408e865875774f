"""The TensorFlow engine: one compiled function with a fixed batch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.network import build_network
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.weights import Weights
from plankton_features.errors import WeightsError


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
    """

    name = "tensorflow"
    depth = 2

    def __init__(self, recipe: Recipe, weights: Weights | None, batch: int, threads: int | None):
        if weights is None:
            raise WeightsError(missing_weights(recipe))
        import_keras()
        import tensorflow as tf

        if threads:
            with suppress(RuntimeError):  # already computing: keeps the threads it has
                tf.config.threading.set_intra_op_parallelism_threads(threads)
        network, self.blocks = build_network(recipe, weights.file, batch=batch,
                                             precision=recipe.precision)
        self.batch = batch
        self.precision = recipe.precision
        gpus = tf.config.list_physical_devices("GPU")
        self.device = "GPU" if gpus else "CPU"
        shape = (batch, recipe.canvas, recipe.canvas, 3)
        self._function = tf.function(
            lambda canvases: network(canvases, training=False),
            input_signature=[tf.TensorSpec(shape, tf.uint8)],
            jit_compile=True,
        )
        self._function(np.zeros(shape, np.uint8))

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """See `Engine.submit`; on a GPU it returns before the result is there."""
        return self._function(canvases).numpy


def missing_weights(recipe: Recipe) -> str:
    """Message for a recipe whose weights are not on this machine."""
    return (f"{recipe.backbone}: no file with {recipe.weights} is on this machine. "
            "Pass the weight file that made these features with --weights FILE.")
