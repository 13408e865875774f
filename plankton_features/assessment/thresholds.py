"""Abstain where the confidence is too low to keep a promised precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_confidences, as_labels, same_length
from plankton_features.assessment.confusion import Floats, ratio
from plankton_features.errors import InputError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Abstention:
    """What thresholds keep, and how often that is right.

    Attributes
    ----------
    accepted : ndarray of bool, shape (n_rows,)
        Rows that get an answer.
    coverage, precision : float
        Share of rows accepted, and of those the share that is right; in [0, 1]. `precision` is
        NaN if none is accepted.
    class_accepted : ndarray of int64, shape (K,)
        Accepted rows predicted as each class.
    class_coverage, class_precision : ndarray of float64, shape (K,)
        The same shares among the rows predicted as each class; NaN where there are none.
    """

    accepted: NDArray[np.bool_]
    coverage: float
    precision: float
    class_accepted: Ints
    class_coverage: Floats
    class_precision: Floats


def fit_thresholds(y_true: ArrayLike, y_pred: ArrayLike, confidences: ArrayLike, n_classes: int,
                   min_precision: float, min_accepted: int = 1) -> Floats:
    """Smallest confidence at which the predictions of each class keep a promised precision.

    Choose on out-of-fold rows and report `apply_thresholds` on rows that did not choose: on the
    choosing rows the promise is kept by construction.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    confidences : array-like of float, shape (n_rows,)
        Probability of the predicted class, in [0, 1].
    n_classes : int
        Number of classes K.
    min_precision : float
        The promise, in (0, 1].
    min_accepted : int
        Rows a threshold must accept to count, at least 1: one lucky row proves little.

    Returns
    -------
    ndarray of float64, shape (K,)
        One of the class's own confidences; rows at or above it are accepted. Infinite for a class
        that never keeps the promise or was never predicted: always abstain.

    Raises
    ------
    InputError
        If arrays or options are out of their ranges.

    Examples
    --------
    >>> fit_thresholds([0, 0, 1, 1], [0, 0, 0, 1], [0.9, 0.6, 0.5, 0.8], 3, 0.9).tolist()
    [0.6, 0.8, inf]
    """
    if not 0 < min_precision <= 1 or min_accepted < 1:
        raise InputError("thresholds: expected min_precision in (0, 1] and min_accepted of at "
                         f"least 1, got {min_precision} and {min_accepted}.")
    true, predicted, p = _rows(y_true, y_pred, confidences, n_classes)
    return np.array([_threshold(p[predicted == k], true[predicted == k] == k, min_precision,
                                min_accepted) for k in range(n_classes)])


def apply_thresholds(y_true: ArrayLike, y_pred: ArrayLike, confidences: ArrayLike,
                     thresholds: ArrayLike) -> Abstention:
    """Coverage and precision of given thresholds on these rows.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    confidences : array-like of float, shape (n_rows,)
        Probability of the predicted class, in [0, 1].
    thresholds : array-like of float, shape (K,)
        From `fit_thresholds`.

    Returns
    -------
    Abstention

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> kept = apply_thresholds([0, 1, 1], [0, 0, 1], [0.9, 0.4, 0.8], [0.5, np.inf])
    >>> kept.accepted.tolist(), kept.precision
    ([True, False, False], 1.0)
    """
    limits = np.asarray(thresholds, dtype=np.float64)
    if limits.ndim != 1 or np.isnan(limits).any():
        raise InputError(f"thresholds: expected one number per class, got shape {limits.shape}.")
    true, predicted, p = _rows(y_true, y_pred, confidences, len(limits))
    accepted = p >= limits[predicted]
    right = accepted & (true == predicted)
    n_kept = np.bincount(predicted[accepted], minlength=len(limits))
    return Abstention(
        accepted, float(accepted.mean()), float(ratio(right.sum(), accepted.sum())), n_kept,
        ratio(n_kept, np.bincount(predicted, minlength=len(limits))),
        ratio(np.bincount(predicted[right], minlength=len(limits)), n_kept))


def _rows(y_true: ArrayLike, y_pred: ArrayLike, confidences: ArrayLike,
          n_classes: int) -> tuple[Ints, Ints, Floats]:
    true, predicted = as_labels(y_true, n_classes), as_labels(y_pred, n_classes, "y_pred")
    p = as_confidences(confidences)
    same_length(y_true=true, y_pred=predicted, confidences=p)
    return true, predicted, p


def _threshold(p: Floats, right: NDArray[np.bool_], min_precision: float,
               min_accepted: int) -> float:
    order = np.argsort(-p)
    p, hits = p[order], right[order].cumsum()
    accepted = np.arange(1, len(p) + 1)
    last_of_equals = np.append(p[1:] != p[:-1], True)[:len(p)]
    kept = last_of_equals & (hits >= min_precision * accepted) & (accepted >= min_accepted)
    return float(p[kept][-1]) if kept.any() else np.inf
