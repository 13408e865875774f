"""Engines: what runs the network. All take a fixed batch of uint8 canvases."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Protocol

import numpy as np

from plankton_features.embedding.recipe import VIEWS, Recipe
from plankton_features.embedding.recipe_checks import as_plain, check_choice, check_whole
from plankton_features.embedding.weights import Weights
from plankton_features.errors import EngineError, WeightsError

ENGINES = ("auto", "tensorflow", "openvino")
VIEWS_PER_CALL = {"CPU": 16, "GPU": 256}


class Engine(Protocol):
    """What extraction needs of an engine.

    Attributes
    ----------
    name : str
        ``tensorflow``, ``openvino`` or ``numpy``.
    precision : str
        Numbers that it really computes with.
    device : str
        ``CPU`` or the name of the GPU.
    batch : int
        Images in each call.
    blocks : list of (str, int)
        Name and length of the parts of a vector; n_values is their sum.
    depth : int
        Calls that may be under way at once.
    """

    name: str
    precision: str
    device: str
    batch: int
    blocks: list[tuple[str, int]]
    depth: int

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """Start embedding (batch, canvas, canvas, 3) uint8; the callable waits for the result.

        The result is (batch, n_values) float32. `canvases` must not change before it is there.
        """
        ...


@dataclass(frozen=True)
class EngineOptions:
    """How to run, as far as it does not change what is computed.

    Parameters
    ----------
    engine : {"auto", "tensorflow", "openvino"}, default="auto"
        ``auto``: a GPU if TensorFlow sees one, else OpenVINO where it is installed, else
        TensorFlow.
    batch : int, optional
        Images in each call; by default 16 divided by the number of views, on a GPU 256.
    threads : int, optional
        Threads that compute; by default all cores.

    Raises
    ------
    InputError
        If a value is not one of those allowed.
    """

    engine: str = "auto"
    batch: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        check_choice("engine", self.engine, ENGINES)
        for name in ("batch", "threads"):
            if getattr(self, name) is not None:
                check_whole(name, as_plain(getattr(self, name)), 1)


def open_engine(recipe: Recipe, weights: Weights | None,
                options: EngineOptions | None = None) -> Engine:
    """Make an engine ready.

    Parameters
    ----------
    recipe : Recipe
    weights : Weights or None
        None if only the converted network of an earlier run can be used.
    options : EngineOptions, optional

    Returns
    -------
    Engine

    Raises
    ------
    EngineError
        If this machine cannot run it, or would compute with other numbers than asked for.
    WeightsError, InputError
        If the network cannot be built, or the weights are not the recipe's.
    """
    options = options or EngineOptions()
    if weights is not None and weights.identity != recipe.weights:
        raise WeightsError(f"{weights.source}: expected the recipe's weights {recipe.weights}, got "
                           f"{weights.identity}.")
    if recipe.backbone == "pixels":
        from plankton_features.embedding.pixels import PixelsEngine

        return PixelsEngine(recipe, options.batch or default_batch(recipe))
    if choose_engine(options.engine) == "openvino":
        from plankton_features.embedding.openvino_engine import OpenVINOEngine

        batch = options.batch or default_batch(recipe)
        return OpenVINOEngine(recipe, weights, batch, options.threads)
    from plankton_features.embedding.tensorflow_engine import TensorFlowEngine

    batch = options.batch or default_batch(recipe, "GPU" if gpu_names() else "CPU")
    return TensorFlowEngine(recipe, weights, batch, options.threads)


def default_batch(recipe: Recipe, device: str = "CPU") -> int:
    """Images in each call, so that about `VIEWS_PER_CALL` views of them are computed together."""
    return max(1, VIEWS_PER_CALL[device] // VIEWS[recipe.views])


def choose_engine(engine: str) -> str:
    """Resolve ``auto``, and see that the engine is installed.

    Raises
    ------
    EngineError
        If it is not.
    """
    if engine == "auto":
        if not _is_installed("openvino") and not _is_installed("tensorflow"):
            raise EngineError("no engine is installed, and images become features only with one. "
                              "Install one (pip install openvino).")
        return "tensorflow" if gpu_names() or not _is_installed("openvino") else "openvino"
    if not _is_installed(engine):
        other = "tensorflow" if engine == "openvino" else "openvino"
        raise EngineError(f"engine {engine}: the package is not installed. Install it "
                          f"(pip install {engine}), or use --engine {other}.")
    return engine


def gpu_names() -> list[str]:
    """GPUs that TensorFlow sees. TensorFlow is imported only if there may be one."""
    if not _gpu_possible() or not _is_installed("tensorflow"):
        return []
    from plankton_features.embedding.keras_setup import import_keras

    import_keras()
    import tensorflow as tf

    return [device.name for device in tf.config.list_physical_devices("GPU")]


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _gpu_possible() -> bool:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    if sys.platform == "darwin":
        return any(d.metadata["Name"] == "tensorflow-metal" for d in distributions())
    return any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))
