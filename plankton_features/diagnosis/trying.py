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
from plankton_features.embedding import (
    Engine,
    EngineEntry,
    EngineOptions,
    Weights,
    get_backbone,
    get_engine,
    list_backbones,
    make_recipe,
    open_engine,
    resolve_weights,
)
from plankton_features.embedding.presets import PRESETS, assemble
from plankton_features.embedding.recipe import Recipe
from plankton_features.errors import EngineError, PlanktonFeaturesError, WeightsError, one_line

PRESET = "fast"
_SECONDS_OF_TIMING = 0.3


def try_here(engine: str) -> EngineTrial:
    """Try an engine in this process; see `try_apart`."""
    started = time.perf_counter()
    trial = EngineTrial(engine)
    try:
        entry = get_engine(engine)
        module = entry.load()
    # Versions of libraries that do not fit together raise errors of any kind.
    except Exception as error:  # noqa: BLE001
        return replace(trial, failure="import", problem=_named(error.__cause__ or error))
    try:
        trial = replace(trial, version=str(getattr(module, "__version__", "")).partition("-")[0],
                        sees=entry.list_devices(module))
        trial = _compute(trial, entry, module)
    except Exception as error:  # noqa: BLE001 (as above)
        trial = replace(trial, failure="run", problem=_named(error))
    return replace(trial, seconds=time.perf_counter() - started)


def _compute(trial: EngineTrial, entry: EngineEntry, module: Any) -> EngineTrial:
    recipe, weights, tried_with = _recipe(entry)
    opened = open_engine(recipe, weights, EngineOptions(trial.engine))
    canvases = _canvases(opened.batch, recipe.canvas)
    vector = opened.submit(canvases)()[0]
    tried = [PrecisionTrial("float32", _speed(opened, canvases), 1.0,
                            entry.is_native(module, "float32"))]
    for precision in entry.precisions_to_try(opened.device):
        narrow = replace(recipe, precision=precision)
        one = _try_narrow(narrow, weights, trial.engine, opened.batch, vector, canvases)
        tried.append(replace(one, native=entry.is_native(module, precision)))
    return replace(trial, device=opened.device, precisions=tuple(tried), weights=weights.source,
                   vector=tuple(vector.tolist()), tried_with=tried_with)


def _recipe(entry: EngineEntry) -> tuple[Recipe, Weights, str]:
    """The quickest preset if the engine runs it, else a backbone that it runs; and its name.

    An engine can be tried without weights too.
    """
    first = get_backbone(PRESETS[PRESET]["backbone"])
    if entry.runs(first):
        try:
            recipe, weights, _ = make_recipe(PRESET)
        except WeightsError:
            recipe, weights, _ = make_recipe(PRESET, weights="random")
        return recipe, weights, f"preset {PRESET}"
    known = next((one for one in list_backbones() if entry.runs(one)), None)
    if known is None:
        raise EngineError("no backbone is known that it runs")
    weights = resolve_weights(known.name, "random" if known.has_weights else "imagenet")
    return assemble(known.name, weights.identity, {}), weights, f"backbone {known.name}"


def _try_narrow(recipe: Recipe, weights: Weights, engine: str, batch: int,
                exact_vector: np.ndarray, canvases: np.ndarray) -> PrecisionTrial:
    try:
        opened = open_engine(recipe, weights, EngineOptions(engine, batch=batch))
        vector = opened.submit(canvases)()[0]
    except EngineError as error:
        return PrecisionTrial(recipe.precision, problem=_named(error))
    return PrecisionTrial(recipe.precision, _speed(opened, canvases), cosine(vector, exact_vector))


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
