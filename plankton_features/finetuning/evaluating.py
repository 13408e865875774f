"""A trained network judged on rows that it never saw, in the form that fit-head's results have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.embedding.engine_entry import Engine
from plankton_features.embedding.recipe import Recipe
from plankton_features.finetuning.as_head import as_pipeline
from plankton_features.finetuning.canvases import in_colour
from plankton_features.finetuning.feeding import padded_batches
from plankton_features.finetuning.phases import Parts
from plankton_features.finetuning.training import Trained
from plankton_features.heads.fitting import FitResult
from plankton_features.heads.head import Head
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.predictions import decide
from plankton_features.heads.validation.folds import Folds
from plankton_features.heads.validation.out_of_fold import Choice, OutOfFold, Scored, make_choice
from plankton_features.heads.validation.training import Fitted

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Judging:
    """What a network's head is made with.

    Attributes
    ----------
    classes : ndarray of str, shape (K,)
    folds : Folds
        A single split.
    options : HeadOptions
        Of calibration and thresholds.
    info : mapping
        For the head, JSON-able.
    """

    classes: NDArray[np.str_]
    folds: Folds
    options: HeadOptions
    info: Mapping[str, Any]


def evaluate(trained: Trained, recipe: Recipe, engine: Engine, canvases: NDArray[np.uint8],
             parts: Parts, judged: Judging) -> FitResult:
    """Calibrate on the validation part, score the test part.

    Parameters
    ----------
    trained : Trained
    recipe : Recipe
        Of the trained network.
    engine : Engine
        Of that recipe.
    canvases : ndarray of uint8, shape (n, side, side[, 3])
    parts : Parts
    judged : Judging

    Returns
    -------
    FitResult
        Its ``final.pipeline`` is None: the network itself is the model.
    """
    model = Fitted(as_pipeline(trained.network.top, parts.source), _parameters(trained),
                   parts.source, parts.target, {}, True)
    choice = _choice(model, embed(engine, canvases, parts.validation), parts, judged, trained)
    names = tuple(f"{name}_{i}" for name, n in engine.blocks for i in range(n))
    info = {"created": datetime.now(UTC).isoformat(timespec="seconds"),
            "training": dict(zip(judged.classes.tolist(), parts.target.astype(int).tolist(),
                                 strict=True)),
            "parameters": model.parameters, **judged.info}
    head = Head(model.pipeline, judged.classes, parts.source, parts.target, choice.calibrator,
                choice.thresholds, _fields(recipe), recipe.recipe_id, names, info)
    found = _score(model, choice, embed(engine, canvases, parts.test), parts)
    return FitResult(head, judged.classes, parts.y, judged.folds, found, model, choice)


def embed(engine: Engine, canvases: NDArray[np.uint8], rows: Ints) -> NDArray[np.float32]:
    """Vectors of some canvases, float32 of shape (len(rows), d)."""
    parts = [np.empty((0, sum(n for _, n in engine.blocks)), np.float32)]
    for batch, weights in padded_batches(rows, engine.batch):
        parts.append(engine.submit(in_colour(canvases[batch]))()[weights > 0])
    return np.concatenate(parts)


def _parameters(trained: Trained) -> dict[str, Any]:
    kept = [record["epoch"] for record in trained.history if record["best"]]
    return {"epoch": kept[0]} if kept else {}


def _choice(model: Fitted, vectors: NDArray[np.float32], parts: Parts, judged: Judging,
            trained: Trained) -> Choice:
    y = parts.y[parts.validation]
    scores = model.scores(vectors)
    losses = [({"epoch": r["epoch"]}, float(r["validation_loss"])) for r in trained.history
              if r["best"]] or [(model.parameters, 0.0)]
    return make_choice(judged.options, y, scores.argmax(axis=1), model.corrected(scores), losses,
                       parts.source[y] > 0)


def _score(model: Fitted, choice: Choice, vectors: NDArray[np.float32],
           parts: Parts) -> OutOfFold:
    scores = model.scores(vectors)
    found = decide(scores, choice.calibrator.apply(model.corrected(scores)), choice.thresholds)
    block = Scored(0, 0, choice, model.source, model.target, True)
    return OutOfFold(parts.test, np.zeros(len(parts.test), np.int64), found.code,
                     scores.astype(np.float32), found.probabilities.astype(np.float32),
                     found.accepted, [block], choice.losses)


def _fields(recipe: Recipe) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(recipe.to_json())
    return fields
