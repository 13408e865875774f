"""Which candidate is best, judged on pairs of folds that trained nothing.

For each pair of folds one model is fitted without both, with all candidates. It judges them on
both folds, so a fold's choices come from its neighbours' rows, on which its own model is then
trained. One pair serves both its folds: half the fits of a nested search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.assessment.probability_metrics import log_loss
from plankton_features.heads.validation.folds import Folds
from plankton_features.heads.validation.training import (
    Fitted,
    Options,
    Resampled,
    fit_each,
    reduce_others,
    reduce_values,
    resample,
)
from plankton_features.heads.vectors import Vectors

Parameters = dict[str, Any]

#: A path of candidates ends when this many in a row were worse than the best.
PATIENCE = 1


@dataclass(frozen=True)
class Task:
    """What is fitted.

    Attributes
    ----------
    vectors : Vectors
        n rows.
    y : ndarray of int64, shape (n,)
        Class numbers in 0..n_classes-1.
    folds : Folds
    options : Options
    n_classes : int
    lock : Lock
        Held while a fit has its vectors in memory, before PCA makes them short.
    stopping : Event
        Set when work in other threads shall end.
    """

    vectors: Vectors
    y: NDArray[np.int64]
    folds: Folds
    options: Options
    n_classes: int
    lock: Lock = field(default_factory=Lock, compare=False, repr=False)
    stopping: Event = field(default_factory=Event, compare=False, repr=False)

    def fit(self, rows: NDArray[np.int64], candidates: Sequence[Parameters]) -> Iterator[Fitted]:
        """Fit each candidate on some rows; see `training.fit_each`."""
        return self.fit_each(self.prepare(rows), candidates)

    def prepare(self, rows: NDArray[np.int64]) -> Resampled:
        """Training rows ready for the classifier; see `training.resample`."""
        with self.lock:  # whole vectors of one fit at a time
            reduced = reduce_values(self.options, self.vectors.take(rows))
        return resample(self.options, *reduced, self.y[rows], self.n_classes)

    def fit_each(self, ready: Resampled, candidates: Sequence[Parameters]) -> Iterator[Fitted]:
        """See `training.fit_each`; ends when work shall end."""
        for model in fit_each(self.options, ready, candidates):
            if self.stopping.is_set():
                raise CancelledError
            yield model


@dataclass(frozen=True)
class Judged:
    """A candidate, and its log-loss on two folds that its model did not see.

    Attributes
    ----------
    pair : (int, int)
    model : Fitted
    losses : tuple of float
        Sum over the rows of each fold of the pair, at real class frequencies.
    n_rows : tuple of int
        Rows of each fold.
    scores : tuple of ndarray, or None
        The model's scores of each fold, where there is no choice of candidates; then the
        model's pipeline is gone. Models to choose from are small, a forest is not.
    """

    pair: tuple[int, int]
    model: Fitted
    losses: tuple[float, ...]
    n_rows: tuple[int, ...]
    scores: tuple[NDArray[np.float32], ...] | None = None

    def scores_of(self, fold: int, vectors: Vectors,
                  rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of a fold's rows, computed only if they have to be."""
        if self.scores is None:
            return self.model.scores_of(vectors, rows)
        wide = self.scores[self.pair.index(fold)].astype(np.float64)
        shares: NDArray[np.float64] = wide / wide.sum(axis=1, keepdims=True)
        return shares


def judge(task: Task, number: NDArray[np.int64], pair: tuple[int, int]) -> list[Judged]:
    """Fit candidate after candidate without two folds, until they get worse.

    Parameters
    ----------
    task : Task
    number : ndarray of int64, shape (n,)
        Fold of each row.
    pair : (int, int)

    Returns
    -------
    list of Judged
    """
    left = [np.flatnonzero(number == fold) for fold in pair]
    ready = task.prepare(np.flatnonzero(~np.isin(number, pair)))
    reduced = [reduce_others(ready.transformers, task.vectors, rows) for rows in left]
    n_rows = tuple(map(len, left))
    found: list[Judged] = []
    for model in task.fit_each(ready, task.options.candidates):
        scores = [model.scores_of_reduced(X) for X in reduced]
        losses = tuple(log_loss(task.y[rows], model.corrected(of_rows)) * len(rows)
                       for rows, of_rows in zip(left, scores, strict=True))
        if len(task.options.candidates) == 1:
            return [Judged(pair, replace(model, pipeline=None), losses, n_rows,
                           tuple(one.astype(np.float32) for one in scores))]
        found.append(Judged(pair, model, losses, n_rows))
        if all(_tried_enough([one.losses[side] for one in found]) for side in (0, 1)):
            break
    return found


def mean_losses(judged: Sequence[Judged], folds: Sequence[int]
                ) -> list[tuple[Parameters, float]]:
    """Mean log-loss on the rows of some folds, of every candidate tried long enough there.

    How far a fold's path went is seen from its own rows only: the other fold of its pair, whose
    rows are to be scored, must not decide which candidates there are.

    Parameters
    ----------
    judged : sequence of Judged
    folds : sequence of int

    Returns
    -------
    list of (dict, float)
        In the order of the candidates.
    """
    paths = [_path(judged, pair, side) for pair in dict.fromkeys(one.pair for one in judged)
             for side in (0, 1) if pair[side] in folds]
    n_common = min(map(len, paths))
    return [(steps[0][0], sum(loss for _, loss, _ in steps) / sum(n for _, _, n in steps))
            for steps in zip(*(path[:n_common] for path in paths), strict=True)]


def _path(judged: Sequence[Judged], pair: tuple[int, int],
          side: int) -> list[tuple[Parameters, float, int]]:
    """Candidates, losses and rows of one fold of a pair, up to where its own path ends."""
    steps: list[tuple[Parameters, float, int]] = []
    for one in (one for one in judged if one.pair == pair):
        steps.append((one.model.parameters, one.losses[side], one.n_rows[side]))
        if _tried_enough([loss for _, loss, _ in steps]):
            break
    return steps


def _tried_enough(losses: Sequence[float]) -> bool:
    return len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE


def best_parameters(losses: Sequence[tuple[Parameters, float]]) -> Parameters:
    """The candidate of the least loss; of equal ones the first."""
    return min(losses, key=lambda pair: pair[1])[0]
