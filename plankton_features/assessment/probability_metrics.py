"""Scores from class probabilities: row by row, for bootstraps, and their means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import decisions, labels_and_probabilities
from plankton_features.errors import InputError

Floats = NDArray[np.float64]

#: Probabilities below this count as this in logarithms, as in scikit-learn's ``log_loss``.
SMALLEST = float(np.finfo(np.float64).eps)


def row_scores(y_true: ArrayLike, probabilities: ArrayLike, k: int = 3,
               y_pred: ArrayLike | None = None) -> dict[str, Floats]:
    """Every score that is a mean over rows, before taking the mean.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    k : int
        Of the top-k accuracy, at least 1.
    y_pred : array-like of int, shape (n_rows,), optional
        The decisions, where they are not the most probable classes. Only the signed gap knows
        them: its confidence is their probability.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_rows,)
        ``top_<k>_accuracy`` (0 or 1), ``log_loss`` (natural logarithm, in [0, 36.1]), ``brier``
        (in [0, 2]) and ``signed_gap`` (confidence minus correctness, in [-1, 1]).

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> rows = row_scores([0, 1], [[0.75, 0.25], [1.0, 0.0]], k=1)
    >>> rows["brier"].tolist(), rows["signed_gap"].tolist()
    ([0.125, 2.0], [-0.25, 1.0])
    """
    y, p = labels_and_probabilities(y_true, probabilities)
    if k < 1:
        raise InputError(f"k: expected at least 1, got {k}.")
    of_truth = p[np.arange(len(y)), y]
    return {f"top_{k}_accuracy": (_ranks(y, p) < k).astype(np.float64),
            "log_loss": -np.log(np.clip(of_truth, SMALLEST, 1)),
            "brier": (p ** 2).sum(axis=1) - 2 * of_truth + 1,
            "signed_gap": np.subtract(*confidence_and_correctness(y, p, y_pred))}


def confidence_and_correctness(y_true: ArrayLike, probabilities: ArrayLike,
                               y_pred: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """What `reliability.reliability` compares, for each row.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    y_pred : array-like of int, shape (n_rows,), optional
        The decisions; the most probable classes by default.

    Returns
    -------
    confidences : ndarray of float64, shape (n_rows,)
        Probability of the decision, in [0, 1].
    correct : ndarray of float64, shape (n_rows,)
        1 where the decision is right, else 0.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> confidences, correct = confidence_and_correctness([1], [[0.75, 0.25]], y_pred=[1])
    >>> confidences.tolist(), correct.tolist()
    ([0.25], [1.0])
    """
    y, p = labels_and_probabilities(y_true, probabilities)
    predicted = decisions(y_pred, p)
    of_decision = np.minimum(p[np.arange(len(y)), predicted], 1)
    return of_decision, (predicted == y).astype(np.float64)


def top_k_accuracy(y_true: ArrayLike, probabilities: ArrayLike, k: int = 3) -> float:
    """Share of rows whose true class is among the k most probable, in [0, 1].

    Among equal probabilities the lower class number comes first, as in ``argmax``.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    k : int
        At least 1.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> top_k_accuracy([0, 2], [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], k=2)
    0.5
    """
    return float(row_scores(y_true, probabilities, k)[f"top_{k}_accuracy"].mean())


def log_loss(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative natural logarithm of the true class's probability, in [0, 36.1].

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1. Below 2.2e-16 they count as that.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.5, 0.5], [0.5, 0.5]]), 4)
    0.6931
    """
    return float(row_scores(y_true, probabilities)["log_loss"].mean())


def brier_score(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean over rows of the squared error summed over all classes, in [0, 2].

    This is Brier's own definition, also for two classes, where many halve it.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    References
    ----------
    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> brier_score([0, 1], [[0.5, 0.5], [0.5, 0.5]])
    0.5
    """
    return float(row_scores(y_true, probabilities)["brier"].mean())


def average_precision(y_true: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Area under each class's precision-recall curve, one class against the rest.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.

    Returns
    -------
    ndarray of float64, shape (K,)
        In [0, 1]; NaN for a class without support.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> average_precision([0, 1], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]).tolist()
    [1.0, 1.0, nan]
    """
    from sklearn.metrics import average_precision_score

    y, p = labels_and_probabilities(y_true, probabilities)
    out = np.full(p.shape[1], np.nan)
    for k in np.unique(y):
        out[k] = average_precision_score(y == k, p[:, k])
    return out


def _ranks(y: NDArray[np.int64], p: Floats) -> NDArray[np.int64]:
    """How many classes come before the true one."""
    of_truth = p[np.arange(len(y)), y][:, None]
    earlier = np.arange(p.shape[1]) < y[:, None]
    ranks: NDArray[np.int64] = ((p > of_truth) | ((p == of_truth) & earlier)).sum(axis=1)
    return ranks
