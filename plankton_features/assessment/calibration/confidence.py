"""Is a classifier over-confident, under-confident or neutral? And one number that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from plankton_features.assessment.checks import as_probabilities, labels_and_probabilities
from plankton_features.assessment.confusion import Floats
from plankton_features.assessment.intervals import bootstrap_means
from plankton_features.assessment.probability_metrics import SMALLEST, row_scores
from plankton_features.errors import InputError

Verdict = Literal["over-confident", "under-confident", "neutral"]

#: Where `fit_temperature` looks. A result at either end was not found, but bounded.
TEMPERATURES = (0.05, 20.0)

#: Rows whose log-loss is computed at once; all would take five times their memory.
_BLOCK = 4096


@dataclass(frozen=True)
class SignedGap:
    """Mean confidence minus accuracy.

    Attributes
    ----------
    gap, low, high : float
        In [-1, 1]; above 0 the classifier promises too much. `low` and `high` end the interval.
    verdict : str
        ``over-confident``, ``under-confident`` or ``neutral``.
    caution : str
        Why the interval should not be trusted; empty if it can be.
    """

    gap: float
    low: float
    high: float
    verdict: Verdict
    caution: str


def verdict(low: float, high: float) -> Verdict:
    """What an interval of the signed gap says.

    Parameters
    ----------
    low, high : float
        Its ends; NaN (no interval) counts as neutral.

    Returns
    -------
    str
        ``over-confident`` if all of it is above 0, ``under-confident`` if all is below, else
        ``neutral``: no gap was shown.

    Examples
    --------
    >>> verdict(0.01, 0.03)
    'over-confident'
    """
    if low > 0:
        return "over-confident"
    return "under-confident" if high < 0 else "neutral"


def signed_gap(y_true: ArrayLike, probabilities: ArrayLike, *, y_pred: ArrayLike | None = None,
               groups: ArrayLike | None = None, n_replicates: int = 1000, seed: int = 0,
               level: float = 0.95) -> SignedGap:
    """Mean confidence minus accuracy, its bootstrap interval, and the verdict that follows.

    A gap of 0 can hide promises that are too high here and too low there: look at the
    reliability table and the ECE as well.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    y_pred : array-like of int, shape (n_rows,), optional
        The decisions, whose probability is the confidence; the most probable classes by default.
    groups : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row; drawn as a whole. Single rows by default.
    n_replicates : int
        Number of draws, at least 1.
    seed : int
        Of the draws.
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    SignedGap

    Raises
    ------
    InputError
        If arrays or options are out of their ranges.

    Examples
    --------
    >>> y = np.arange(200) % 2
    >>> signed_gap(y, np.tile([0.9, 0.1], (200, 1))).verdict
    'over-confident'
    """
    rows = {"signed_gap": row_scores(y_true, probabilities, y_pred=y_pred)["signed_gap"]}
    drawn = bootstrap_means(rows, groups=groups, n_replicates=n_replicates, seed=seed)
    found = drawn.interval("signed_gap", level)
    low, high = float(found.low), float(found.high)
    return SignedGap(float(found.estimate), low, high, verdict(low, high), drawn.caution)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> Floats:
    """Soften (above 1) or sharpen (below 1) probabilities; their order stays.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1. Below 2.2e-16 they count as that.
    temperature : float
        Above 0; 1 changes nothing.

    Returns
    -------
    ndarray of float64, shape (n_rows, K)
        ``softmax(log(probabilities) / temperature)``.

    Raises
    ------
    InputError
        If probabilities or temperature are out of their ranges.

    Examples
    --------
    >>> apply_temperature([[0.8, 0.2]], 0.5).round(3).tolist()
    [[0.941, 0.059]]
    """
    if not 0 < temperature < np.inf:
        raise InputError(f"temperature: expected a number above 0, got {temperature}.")
    from scipy.special import softmax

    tempered: Floats = softmax(_logarithms(as_probabilities(probabilities)) / temperature, axis=1)
    return tempered


def fit_temperature(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Temperature at which the log-loss is least, in [0.05, 20].

    Fit it on rows that trained nothing, then use `apply_temperature` on others.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.

    Returns
    -------
    float
        Above 1 for a classifier that is over-confident; 1 if none is better than that.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599.

    Examples
    --------
    >>> round(fit_temperature([0, 0, 0, 1], np.tile([0.9, 0.1], (4, 1))), 3)
    2.0
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp
    from sklearn.utils import gen_batches

    y, p = labels_and_probabilities(y_true, probabilities)
    logits = _logarithms(p)
    of_truth = logits[np.arange(len(y)), y].mean()
    parts = list(gen_batches(len(y), _BLOCK))

    def loss(log_temperature: float) -> float:  # convex in 1 / temperature: one minimum
        factor = np.exp(-log_temperature)
        of_all = sum(logsumexp(factor * logits[part], axis=1).sum() for part in parts)
        return float(of_all / len(y) - factor * of_truth)

    bounds = tuple(np.log(TEMPERATURES))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


def _logarithms(p: Floats) -> Floats:
    return np.log(np.maximum(p, SMALLEST))
