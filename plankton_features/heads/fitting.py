"""Fit a head on a feature file, validated: the whole of ``fit-head`` but its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError
from plankton_features.heads.head import Head
from plankton_features.heads.origin import Origin, origin_of
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.predictions import at_real_frequencies
from plankton_features.heads.sampling.memory import check_memory
from plankton_features.heads.validation.folds import Folds
from plankton_features.heads.validation.judging import Task
from plankton_features.heads.validation.labels import refuse_unlabelled
from plankton_features.heads.validation.out_of_fold import (
    Choice,
    OutOfFold,
    cross_predict,
    make_choice,
)
from plankton_features.heads.validation.training import Fitted
from plankton_features.heads.validation.workers import n_workers, workers
from plankton_features.heads.vectors import Vectors
from plankton_features.progress import StepCallback, ignore_steps

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class FitResult:
    """A fitted head and how well it does.

    Attributes
    ----------
    head : Head
        Fitted on all rows.
    classes : ndarray of str, shape (K,)
    y : ndarray of int64, shape (n,)
        Class numbers.
    folds : Folds
    out_of_fold : OutOfFold
    final : Fitted
        The model in the head.
    choice : Choice
        Of the head.
    """

    head: Head
    classes: NDArray[np.str_]
    y: Ints
    folds: Folds
    out_of_fold: OutOfFold
    final: Fitted
    choice: Choice


def prepare(features: Any, labels: ArrayLike, folds: Folds, options: HeadOptions,
            rows: ArrayLike | None = None) -> tuple[NDArray[np.str_], Task]:
    """Number the classes and refuse what cannot be fitted, before anything is.

    Parameters
    ----------
    features : array-like of float, shape (n_all, d), or FeatureFile
    labels : array-like of str, shape (n,)
    folds : Folds
    options : HeadOptions
    rows : array-like of int, shape (n,), optional
        Rows of `features` that the labels are of; all by default.

    Returns
    -------
    classes : ndarray of str, shape (K,)
    task : Task

    Raises
    ------
    InputError
        If lengths differ, a row has no label, or resampling would need more memory than there is.
    """
    refuse_unlabelled(labels)
    classes, y = np.unique(np.asarray(labels).astype(np.str_), return_inverse=True)
    vectors = Vectors(features, rows)
    if not len(vectors) == len(y) == folds.numbers.shape[1]:
        raise InputError(f"features: expected one label and one fold for each row, got "
                         f"{len(vectors)} rows, {len(y)} labels, {folds.numbers.shape[1]} folds.")
    check_training(y, folds)
    width = min(options.pca or vectors.n_values, vectors.n_values)
    check_memory(y, options.sampler, options.floor, options.cap, n_features=width,
                 times=n_workers())
    return classes, Task(vectors, y.astype(np.int64), folds, options, len(classes))


def fit_head(features: Any, labels: ArrayLike, folds: Folds, options: HeadOptions | None = None,
             *, rows: ArrayLike | None = None, origin: Origin | None = None,
             progress: StepCallback = ignore_steps) -> FitResult:
    """Cross-validate a head, then fit it on all rows.

    Parameters
    ----------
    features : FeatureFile or array-like of float, shape (n, values)
    labels : array-like of str, shape (n,)
    folds : Folds
        From `make_folds` or `make_split`, over the same rows as `labels`.
    options : HeadOptions, optional
    rows : array-like of int, shape (n,), optional
        Rows of `features` that `labels` and `folds` are about; by default all.
    origin : Origin, optional
        What a feature file says of itself by default.
    progress : callable of (done, total, what), optional

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        See `prepare`.

    Examples
    --------
    >>> from plankton_features.heads.validation.folds import make_folds
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> result = fit_head(X, labels, make_folds(labels))
    >>> found = result.out_of_fold
    >>> bool((found.predicted == result.y[found.row]).mean() > 0.9)
    True
    """
    options = options or HeadOptions()
    classes, task = prepare(features, labels, folds, options, rows)
    found = cross_predict(task, progress)
    choice = _final_choice(task, found)
    with workers():
        final = next(task.fit(np.arange(len(task.y)), [choice.parameters]))
    head = _head(task, classes, final, choice, origin or origin_of(features))
    return FitResult(head, classes, task.y, folds, found, final, choice)


def check_training(y: np.ndarray, folds: Folds) -> None:
    """Refuse folds of which some part leaves fewer than two classes to train on, or none to test.

    Raises
    ------
    InputError
    """
    if folds.grouped and len(np.unique(np.column_stack([folds.units, y]), axis=0)) == len(
            np.unique(y)):
        raise InputError("groups: each class lies in one group only, so no class could be both "
                         "trained and tested. Are these groups the labels? Choose other groups, "
                         "or --ungrouped.")
    for number in folds.numbers:
        for left_out in (*folds.pairs, *((fold,) for fold in folds.scored)):
            if len(np.unique(y[~np.isin(number, left_out)])) < 2:
                raise InputError(_too_little_to_train_on(folds))


def _too_little_to_train_on(folds: Folds) -> str:
    split = len(folds.scored) == 1
    what = ("split: without the test and validation parts" if split else
            "folds: without some of them")
    why = ("Are the groups those of the classes? Choose other groups, or" if folds.grouped else
           "There are too few images of the others. Add some, or choose")
    return (f"{what} a single class is left to train on. {why} "
            f"{'smaller parts' if split else 'more folds'}.")


def _final_choice(task: Task, found: OutOfFold) -> Choice:
    """Choices for the head, from all rows that some model had not seen."""
    first = found.blocks[0].choice
    if len(task.folds.scored) == 1 or not task.options.chooses:
        return first
    corrected = np.concatenate([  # blocks lie one after the other
        at_real_frequencies(_sum_to_one(found.scores[found.block == i]), block.source,
                            block.target) for i, block in enumerate(found.blocks)])
    seen = np.array([block.source for block in found.blocks])[found.block, task.y[found.row]] > 0
    return make_choice(task.options, task.y[found.row], found.predicted, corrected, found.losses,
                       seen)


def _sum_to_one(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = scores.astype(np.float64)
    shares: NDArray[np.float64] = wide / wide.sum(axis=1, keepdims=True)
    return shares


def _head(task: Task, classes: NDArray[np.str_], final: Fitted, choice: Choice,
          origin: Origin) -> Head:
    counts = np.bincount(task.y, minlength=len(classes))
    names = origin.feature_names or [f"value_{i}" for i in range(task.vectors.n_values)]
    info = {"created": datetime.now(UTC).isoformat(timespec="seconds"),
            "training": dict(zip(classes.tolist(), counts.tolist(), strict=True)),
            "options": task.options.to_dict(), "parameters": choice.parameters, **origin.info}
    return Head(final.pipeline, classes, final.source, final.target, choice.calibrator,
                choice.thresholds, dict(origin.recipe), origin.recipe_id, tuple(names), info)
