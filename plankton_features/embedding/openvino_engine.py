"""The OpenVINO engine, on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.engine_entry import EngineEntry, EngineOptions
from plankton_features.embedding.engines import default_batch
from plankton_features.embedding.openvino_cache import converted_network
from plankton_features.embedding.openvino_setup import import_openvino
from plankton_features.embedding.recipe import PRECISIONS, Recipe
from plankton_features.embedding.weights import Weights
from plankton_features.errors import EngineError

_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}


class OpenVINOEntry(EngineEntry):
    """What is known of OpenVINO before it is opened."""

    name, title, package = "openvino", "OpenVINO", "openvino"
    purpose = "It is the faster engine on CPUs."
    precisions = PRECISIONS
    priority = 20
    needs = ("tensorflow",)
    keeps_networks = True

    def open(self, recipe: Recipe, weights: Weights | None,
             options: EngineOptions) -> OpenVINOEngine:
        """See `OpenVINOEngine`."""
        return OpenVINOEngine(recipe, weights, options.batch or default_batch(recipe),
                              options.threads)

    def load(self) -> Any:
        """OpenVINO, without its reports of use."""
        return import_openvino()

    def list_devices(self, module: Any) -> tuple[str, ...]:
        """Short and full names."""
        core = module.Core()
        return tuple(f"{name} ({core.get_property(name, 'FULL_DEVICE_NAME')})"
                     for name in core.available_devices)

    def is_native(self, module: Any, precision: str) -> bool:
        """Whether it would not emulate these numbers."""
        return _CAPABILITIES[precision] in module.Core().get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES")


OPENVINO = OpenVINOEntry()


class OpenVINOEngine:
    """Runs a recipe's network in OpenVINO; see `Engine` for the attributes.

    Parameters
    ----------
    recipe : Recipe
    weights : Weights or None
        None is enough if the converted network is in the cache.
    batch : int
    threads : int or None
        Threads that compute, None for all cores.

    Raises
    ------
    EngineError
        If this processor would compute with other numbers than the recipe's, OpenVINO cannot
        run the network, or the cache cannot be written.
    WeightsError, InputError
        If the network cannot be built.
    """

    name = "openvino"
    device = "CPU"
    depth = 2

    def __init__(self, recipe: Recipe, weights: Weights | None, batch: int, threads: int | None):
        converted = converted_network(recipe, weights)
        shape = [batch, recipe.canvas, recipe.canvas, 3]
        compiled = _compile(converted.file, shape, recipe.precision, threads)
        self.batch = batch
        self.blocks = converted.blocks
        self.precision = _precision(compiled)
        _check_precision(self.precision, recipe.precision)
        self._requests = [compiled.create_infer_request() for _ in range(self.depth)]
        self._turn = 0

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """See `Engine.submit`; fetch results in order, with at most `depth` under way."""
        request = self._requests[self._turn]
        self._turn = (self._turn + 1) % self.depth
        request.start_async([canvases], share_inputs=True)

        def result() -> np.ndarray:
            request.wait()
            return np.array(request.get_output_tensor(0).data)

        return result


def _compile(file: Path, shape: list[int], precision: str, threads: int | None) -> Any:
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _HINTS[precision],
                               "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    try:
        core = import_openvino().Core()
        model = core.read_model(file)
        model.reshape({0: shape})
        return core.compile_model(model, "CPU", options)
    except RuntimeError as error:
        raise EngineError(f"engine openvino: cannot run the network ({str(error)[:200]}). A "
                          "smaller --batch needs less memory; or use --engine tensorflow."
                          ) from error


def _precision(compiled: Any) -> str:
    """Numbers that a compiled network really computes with."""
    hint = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    return {short: name for name, short in _HINTS.items()}.get(hint, str(hint))


def _check_precision(effective: str, asked: str) -> None:
    if effective != asked:
        raise EngineError(f"engine openvino: asked for {asked}, but this processor would compute "
                          f"in {effective}. Use --precision {effective}, or --engine tensorflow.")
