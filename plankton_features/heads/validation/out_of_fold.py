"""Out-of-fold predictions; choices are made on rows that are neither trained on nor scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from joblib import delayed
from numpy.typing import NDArray

from plankton_features.assessment.thresholds import fit_thresholds
from plankton_features.heads.calibrators import Calibrator, fit_calibrator
from plankton_features.heads.predictions import decide
from plankton_features.heads.validation.judging import (
    Judged,
    Parameters,
    Task,
    best_parameters,
    judge,
    mean_losses,
)
from plankton_features.heads.validation.training import Fitted, Options
from plankton_features.heads.validation.workers import workers
from plankton_features.progress import StepCallback, ignore_steps

Floats = NDArray[np.float64]
T = TypeVar("T")
Ints = NDArray[np.int64]

#: Rows that a threshold must accept to count: one lucky row proves little.
MIN_ACCEPTED = 5


@dataclass(frozen=True)
class Choice:
    """What was chosen for a model, on rows that it is not scored on.

    Attributes
    ----------
    parameters : dict
        Of the classifier.
    losses : list of (dict, float)
        Candidates and their log-loss; empty if there was nothing to choose.
    calibrator : Calibrator
    thresholds : ndarray of float64, shape (K,), or None
        Least probability at which a prediction of each class is accepted.
    """

    parameters: Parameters
    losses: list[tuple[Parameters, float]]
    calibrator: Calibrator
    thresholds: Floats | None


@dataclass(frozen=True)
class Scored:
    """How the rows of one fold were predicted.

    Attributes
    ----------
    repeat, fold : int
    choice : Choice
    source, target : ndarray of float64, shape (K,)
        See `training.Fitted`.
    converged : bool
    """

    repeat: int
    fold: int
    choice: Choice
    source: Floats
    target: Floats
    converged: bool


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of rows by models that did not see them.

    Attributes
    ----------
    row, block : ndarray of int64, shape (m,)
        Which row, and the number in `blocks` that says how it was predicted.
    predicted : ndarray of int64, shape (m,)
        The classifier's decision.
    scores, probabilities : ndarray of float32, shape (m, K)
        The classifier's own probabilities, and the corrected and calibrated ones.
    accepted : ndarray of bool, shape (m,)
        Whether the probability reaches the threshold of the predicted class.
    blocks : list of Scored
        One for each repeat and fold.
    losses : list of (dict, float)
        Candidates and their log-loss over all pairs of folds, of the first repeat.
    """

    row: Ints
    block: Ints
    predicted: Ints
    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    accepted: NDArray[np.bool_]
    blocks: list[Scored]
    losses: list[tuple[Parameters, float]]


def cross_predict(task: Task, progress: StepCallback = ignore_steps) -> OutOfFold:
    """Predict every scored row by a model that saw neither it nor its unit.

    Parameters
    ----------
    task : Task
    progress : callable of (done, total, what), optional

    Returns
    -------
    OutOfFold
    """
    pairs = task.folds.pairs if task.options.chooses else ()
    steps = _Steps(len(task.folds.numbers) * (len(pairs) + len(task.folds.scored)), progress)
    parts: list[tuple[Scored, dict[str, np.ndarray]]] = []
    losses: list[tuple[Parameters, float]] = []
    with workers(task.stopping) as run:
        for repeat, number in enumerate(task.folds.numbers):
            paths = run(delayed(steps.counted)("choosing", judge, task, number, pair)
                        for pair in pairs)
            judged = [one for path in paths for one in path]
            if judged and not losses:
                losses = mean_losses(judged, sorted({fold for pair in pairs for fold in pair}))
            parts += run(delayed(steps.counted)("scoring", _score, task, judged, repeat, fold)
                         for fold in task.folds.scored)
    blocks = [block for block, _ in parts]
    lengths = [len(columns["row"]) for _, columns in parts]
    joined = {name: np.concatenate([columns[name] for _, columns in parts])
              for name in parts[0][1]}
    return OutOfFold(block=np.repeat(np.arange(len(blocks)), lengths), blocks=blocks,
                     losses=losses, **joined)


def make_choice(options: Options, y: Ints, decisions: Ints, corrected: Floats,
                losses: list[tuple[Parameters, float]],
                seen: NDArray[np.bool_] | None = None) -> Choice:
    """Calibrate and find thresholds on rows that trained nothing.

    Parameters
    ----------
    options : Options
    y, decisions : ndarray of int64, shape (m,)
        True and predicted classes.
    corrected : ndarray of float64, shape (m, K)
        Probabilities at real class frequencies.
    losses : list of (dict, float)
        Of the candidates.
    seen : ndarray of bool, shape (m,), optional
        Whether the row's own model knew its class; calibration leaves the others out.

    Returns
    -------
    Choice
    """
    parameters = best_parameters(losses) if losses else options.candidates[0]
    calibrator = fit_calibrator(options.calibration, y, corrected, seen)
    thresholds = None
    if options.min_precision is not None:
        confidence = calibrator.apply(corrected)[np.arange(len(y)), decisions]
        thresholds = fit_thresholds(y, decisions, confidence, corrected.shape[1],
                                    options.min_precision, MIN_ACCEPTED)
    return Choice(parameters, losses, calibrator, thresholds)


def _choose(task: Task, judged: Sequence[Judged], number: Ints, fold: int) -> Choice:
    """The choice for a fold, from its neighbours' rows."""
    if not judged:
        return Choice(task.options.candidates[0], [], fit_calibrator("none", [], []), None)
    here = [one for one in judged if fold in one.pair]
    neighbours = task.folds.neighbours(fold)
    losses = mean_losses(here, neighbours)
    best = best_parameters(losses)
    rows, scores, corrected, seen = [], [], [], []
    for one in here:
        if one.model.parameters == best:
            other = one.pair[1] if one.pair[0] == fold else one.pair[0]
            rows.append(np.flatnonzero(number == other))
            scores.append(one.scores_of(other, task.vectors, rows[-1]))
            corrected.append(one.model.corrected(scores[-1]))
            seen.append(one.model.source[task.y[rows[-1]]] > 0)
    return make_choice(task.options, task.y[np.concatenate(rows)],
                       np.concatenate(scores).argmax(axis=1), np.concatenate(corrected), losses,
                       np.concatenate(seen))


def _score(task: Task, judged: Sequence[Judged], repeat: int,
           fold: int) -> tuple[Scored, dict[str, np.ndarray]]:
    """Choose for a fold, fit without it, and predict its rows."""
    number = task.folds.numbers[repeat]
    choice = _choose(task, judged, number, fold)
    model = next(task.fit(np.flatnonzero(number != fold), [choice.parameters]))
    columns = _predict(task, model, choice, np.flatnonzero(number == fold))
    return Scored(repeat, fold, choice, model.source, model.target, model.converged), columns


def _predict(task: Task, model: Fitted, choice: Choice, rows: Ints) -> dict[str, np.ndarray]:
    scores = model.scores_of(task.vectors, rows)
    found = decide(scores, choice.calibrator.apply(model.corrected(scores)), choice.thresholds)
    return {"row": rows, "predicted": found.code, "scores": scores.astype(np.float32),
            "accepted": found.accepted,
            "probabilities": found.probabilities.astype(np.float32)}


class _Steps:
    """Tells progress of work in threads."""

    def __init__(self, total: int, progress: StepCallback):
        self.done, self.total, self.progress, self.lock = 0, total, progress, Lock()
        progress(0, total, "reading")

    def counted(self, what: str, work: Callable[..., T], *given: Any) -> T:
        found = work(*given)
        with self.lock:
            self.done += 1
            self.progress(self.done, self.total, what)
        return found
