"""Fit the pipeline once, then the classifier with one candidate after the other."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import gen_batches

from plankton_features.heads.predictions import all_class_scores, at_real_frequencies
from plankton_features.heads.vectors import Vectors

Floats = NDArray[np.float64]

#: Whole vectors that are worked on at once.
_BLOCK = 1024


class Options(Protocol):
    """What fitting and choosing ask of `HeadOptions`."""

    @property
    def sampler(self) -> str: ...
    @property
    def calibration(self) -> str: ...
    @property
    def min_precision(self) -> float | None: ...
    @property
    def candidates(self) -> tuple[dict[str, Any], ...]: ...
    @property
    def warm_start(self) -> bool: ...
    @property
    def chooses(self) -> bool: ...
    def pipeline(self) -> Any: ...
    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Fitted:
    """A pipeline without its samplers, fitted with one candidate.

    Attributes
    ----------
    pipeline : sklearn.pipeline.Pipeline, or None
        Of transformers and classifier; None once it is not needed any more.
    parameters : dict
        The candidate.
    source, target : ndarray of float64, shape (K,)
        Rows of each class after and before resampling; equal ones for class weights.
    done : dict of int to str
        What the samplers did to each class.
    converged : bool
        Whether the classifier came to its end.
    """

    pipeline: Any
    parameters: dict[str, Any]
    source: Floats
    target: Floats
    done: dict[int, str]
    converged: bool

    def scores(self, X: np.ndarray) -> Floats:
        """The classifier's own probabilities of vectors, shape (n, K)."""
        return all_class_scores(self.pipeline, X, len(self.source))

    def scores_of_reduced(self, X: np.ndarray) -> Floats:
        """The same of vectors that went through the transformers already, shape (n, K)."""
        return all_class_scores(self.pipeline[-1:], X, len(self.source))

    def scores_of(self, vectors: Vectors, rows: NDArray[np.int64]) -> Floats:
        """The same of some rows, of which few are in memory at once, shape (len(rows), K)."""
        return np.concatenate([self.scores(vectors.take(rows[part]))
                               for part in gen_batches(len(rows), _BLOCK)])

    def corrected(self, scores: Floats) -> Floats:
        """Scores at real class frequencies, shape (n, K)."""
        return at_real_frequencies(scores, self.source, self.target)


@dataclass(frozen=True)
class Resampled:
    """Training rows after all steps but the classifier.

    Attributes
    ----------
    transformers : list of (str, estimator)
        Fitted.
    X, y : ndarray
        Rows that the classifier is fitted with.
    source, target, done
        See `Fitted`.
    """

    transformers: list[tuple[str, Any]]
    X: np.ndarray
    y: np.ndarray
    source: Floats
    target: Floats
    done: dict[int, str]


def reduce_values(options: Options, X: np.ndarray) -> tuple[list[tuple[str, Any]], np.ndarray]:
    """Fit scaling and PCA.

    Parameters
    ----------
    options : Options
    X : ndarray of float32, shape (n, d)
        Overwritten: the caller's copy of the training rows.

    Returns
    -------
    transformers : list of (str, estimator)
        Fitted.
    X : ndarray of float32, shape (n, components)
    """
    transformers = [(name, step) for name, step in options.pipeline().steps[:-1]
                    if not hasattr(step, "fit_resample")]
    scaler = transformers[0][1]
    for rows in gen_batches(len(X), _BLOCK):  # all at once would take twice the memory of X
        scaler.partial_fit(X[rows])
    X = scaler.set_params(copy=False).transform(X)
    scaler.set_params(copy=True)  # what it transforms from now on is not ours
    for _, step in transformers[1:]:
        X = step.fit_transform(X)
    return transformers, X


def reduce_others(transformers: list[tuple[str, Any]], vectors: Vectors,
                  rows: NDArray[np.int64]) -> np.ndarray:
    """Other rows by fitted transformers, few of which are in memory at once.

    Parameters
    ----------
    transformers
        From `reduce_values`.
    vectors : Vectors
    rows : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of float32, shape (n, components)
    """
    steps = Pipeline(transformers)
    return np.concatenate([steps.transform(vectors.take(rows[part]))
                           for part in gen_batches(len(rows), _BLOCK)])


def resample(options: Options, transformers: list[tuple[str, Any]], X: np.ndarray, y: np.ndarray,
             n_classes: int) -> Resampled:
    """Resample training rows.

    Parameters
    ----------
    options : Options
    transformers, X
        From `reduce_values`.
    y : ndarray of int, shape (n,)
        Class numbers in 0..n_classes-1.
    n_classes : int

    Returns
    -------
    Resampled
    """
    target = np.bincount(y, minlength=n_classes).astype(np.float64)
    done: dict[int, str] = {}
    for _, step in options.pipeline().steps[:-1]:
        if hasattr(step, "fit_resample"):
            X, y = step.fit_resample(X, y)
            done.update(_added(done, step.done_))
    source = np.bincount(y, minlength=n_classes).astype(np.float64)
    if options.sampler == "class-weight":
        source = (target > 0).astype(np.float64)
    return Resampled(transformers, X, y, source, target, done)


def fit_each(options: Options, rows: Resampled,
             candidates: Sequence[dict[str, Any]]) -> Iterator[Fitted]:
    """Fit the classifier with each candidate, beginning at the solution of the last.

    Candidates that ask for more neighbours than there are rows are left out.

    Yields
    ------
    Fitted
    """
    classifier = options.pipeline().named_steps["classifier"]
    if options.warm_start:
        classifier.set_params(warm_start=True)
    for parameters in candidates:
        if parameters.get("n_neighbors", 0) > len(rows.X):
            continue
        classifier.set_params(**parameters).fit(rows.X, rows.y)
        done = Pipeline([*rows.transformers, ("classifier", copy.copy(classifier))])
        yield Fitted(done, dict(parameters), rows.source, rows.target, rows.done,
                     _converged(classifier))


def _converged(classifier: Any) -> bool:
    """Whether it stopped before its last allowed iteration; what does not iterate did."""
    last = classifier[-1] if isinstance(classifier, Pipeline) else classifier
    most, done = getattr(last, "max_iter", None), getattr(last, "n_iter_", None)
    # Boosting makes as many trees as it may; -1 is no limit.
    if most is None or done is None or most < 0 or hasattr(last, "l2_regularization"):
        return True
    return bool(np.max(done) < most)


def _added(before: dict[int, str], now: dict[int, str]) -> dict[int, str]:
    """What two samplers did in turn; a class that one of them left alone says only the other."""
    return {k: text if before.get(k, "left alone") == "left alone" else
            before[k] if text == "left alone" else f"{before[k]}, then {text}"
            for k, text in now.items()}
