"""Try an engine in this process, which may not survive it; see `try_apart`.

``python -m plankton_features.diagnosis.trying ENGINE ANSWER.json``
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.diagnosis.trial import EngineTrial, PrecisionTrial, cosine
from plankton_features.embedding import Engine, EngineOptions, Weights, make_recipe, open_engine
from plankton_features.embedding.recipe import PRECISIONS, Recipe
from plankton_features.errors import EngineError, PlanktonFeaturesError, WeightsError, one_line

PRESET = "fast"
_SECONDS_OF_TIMING = 0.3
_OPENVINO_NAMES = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}


def try_here(engine: str) -> EngineTrial:
    """Try an engine in this process; see `try_apart`."""
    started = time.perf_counter()
    trial = EngineTrial(engine)
    try:
        module = _import(engine)
    # Versions of libraries that do not fit together raise errors of any kind.
    except Exception as error:  # noqa: BLE001
        return replace(trial, failure="import", problem=_named(error.__cause__ or error))
    trial = replace(trial, version=str(module.__version__).partition("-")[0],
                    sees=_devices(engine, module))
    try:
        trial = _compute(trial, module)
    except Exception as error:  # noqa: BLE001 (as above)
        trial = replace(trial, failure="run", problem=_named(error))
    return replace(trial, seconds=time.perf_counter() - started)


def _import(engine: str) -> Any:
    if engine == "openvino":
        from plankton_features.embedding.openvino_setup import import_openvino

        return import_openvino()
    from plankton_features.embedding.keras_setup import import_keras

    import_keras()
    import tensorflow

    return tensorflow


def _devices(engine: str, module: Any) -> tuple[str, ...]:
    if engine == "openvino":
        core = module.Core()
        return tuple(f"{name} ({core.get_property(name, 'FULL_DEVICE_NAME')})"
                     for name in core.available_devices)
    return tuple(device.name.removeprefix("/physical_device:")
                 for device in module.config.list_physical_devices())


def _compute(trial: EngineTrial, module: Any) -> EngineTrial:
    recipe, weights = _recipe()
    opened = open_engine(recipe, weights, EngineOptions(trial.engine))
    canvases = _canvases(opened.batch, recipe.canvas)
    vector = opened.submit(canvases)()[0]
    tried = [PrecisionTrial("float32", _speed(opened, canvases), 1.0,
                            _is_native(trial.engine, module, "float32"))]
    for precision in _narrow_ones(trial.engine, opened.device):
        one = _try_narrow(replace(recipe, precision=precision), weights, opened, vector, canvases)
        tried.append(replace(one, native=_is_native(trial.engine, module, precision)))
    return replace(trial, device=opened.device, precisions=tuple(tried), weights=weights.source,
                   vector=tuple(vector.tolist()))


def _recipe() -> tuple[Recipe, Weights]:
    """The quickest preset; an engine can be tried without weights too."""
    try:
        recipe, weights, _ = make_recipe(PRESET)
    except WeightsError:
        recipe, weights, _ = make_recipe(PRESET, weights="random")
    return recipe, weights


def _narrow_ones(engine: str, device: str) -> tuple[str, ...]:
    """Precisions worth a try: on CPUs, TensorFlow compiles for long and gains nothing by them."""
    return () if (engine, device) == ("tensorflow", "CPU") else PRECISIONS[1:]


def _try_narrow(recipe: Recipe, weights: Weights, exact: Engine, exact_vector: np.ndarray,
                canvases: np.ndarray) -> PrecisionTrial:
    try:
        opened = open_engine(recipe, weights, EngineOptions(exact.name, batch=exact.batch))
        vector = opened.submit(canvases)()[0]
    except EngineError as error:
        return PrecisionTrial(recipe.precision, problem=_named(error))
    return PrecisionTrial(recipe.precision, _speed(opened, canvases), cosine(vector, exact_vector))


def _is_native(engine: str, module: Any, precision: str) -> bool | None:
    if engine != "openvino":
        return None
    return _OPENVINO_NAMES[precision] in module.Core().get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES")


def _canvases(n: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), np.uint8)


def _speed(engine: Engine, canvases: np.ndarray) -> float:
    """Images each second, after a first batch."""
    n, started = 0, time.perf_counter()
    while (taken := time.perf_counter() - started) < _SECONDS_OF_TIMING or not n:
        engine.submit(canvases)()
        n += len(canvases)
    return n / taken


def _named(error: BaseException) -> str:
    text = one_line(error, 400)
    named = text if isinstance(error, PlanktonFeaturesError) else f"{type(error).__name__}: {text}"
    return named[:400]


if __name__ == "__main__":
    name, file = sys.argv[1:]
    Path(file).write_text(json.dumps(asdict(try_here(name))), encoding="utf-8")
