"""Confidence against accuracy in bins, and the expected calibration error (ECE)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import (
    as_confidences,
    labels_and_probabilities,
    same_length,
)
from plankton_features.assessment.confusion import Floats, ratio
from plankton_features.assessment.resampling import unit_codes
from plankton_features.errors import InputError

#: ``width``: bins of equal width. ``mass``: bins of about equally many rows.
Binning = Literal["width", "mass"]
BINNINGS: tuple[Binning, ...] = ("width", "mass")


@dataclass(frozen=True)
class ReliabilityTable:
    """One line per bin of confidence.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_bins + 1,)
        In [0, 1]; a bin holds its lower edge, the last one both.
    count : ndarray of int64, shape (n_bins,)
        Rows in the bin.
    confidence, accuracy : ndarray of float64, shape (n_bins,)
        Means in [0, 1]; NaN in an empty bin.
    low, high : ndarray of float64, shape (n_bins,)
        Wilson interval of the accuracy, of as many rows as are worth the same if rows of a unit
        are alike; NaN in an empty bin.
    """

    edges: Floats
    count: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    low: Floats
    high: Floats

    @property
    def ece(self) -> float:
        """Mean distance of accuracy from confidence, weighted by rows, in [0, 1].

        Guo et al. 2017, arXiv:1706.04599.
        """
        filled = self.count > 0
        distance = np.abs(self.accuracy - self.confidence)[filled]
        return float((distance * self.count[filled]).sum() / self.count.sum())


def reliability(confidences: ArrayLike, correct: ArrayLike, n_bins: int = 15,
                binning: Binning = "width", level: float = 0.95, *,
                units: ArrayLike | None = None) -> ReliabilityTable:
    """Compare confidence with accuracy in bins.

    Parameters
    ----------
    confidences : array-like of float, shape (n_rows,)
        Probability of the predicted class (or of one class), in [0, 1].
    correct : array-like of bool, shape (n_rows,)
        Whether the prediction (or that class) is right.
    n_bins : int
        At least 1. Bins of equal mass are fewer where many confidences are equal: equal ones
        are never parted.
    binning : {"width", "mass"}
        Equal width, or about equally many rows; the latter is the less biased (Roelofs et al.
        2022, arXiv:2012.08668).
    level : float
        Of the Wilson intervals, in (0, 1).
    units : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row. The Wilson intervals then are those of the effective number of
        rows (Kish's design effect; Korn and Graubard 1998, Survey Methodology 24:193). Rows are
        independent by default.

    Returns
    -------
    ReliabilityTable

    Raises
    ------
    InputError
        If arrays or options are out of their ranges.

    Examples
    --------
    >>> table = reliability([0.1, 0.7, 0.9], [False, True, True], n_bins=2)
    >>> table.count.tolist(), table.confidence.tolist(), round(table.ece, 6)
    ([1, 2], [0.1, 0.8], 0.166667)
    """
    p, right = as_confidences(confidences), np.asarray(correct, dtype=np.float64)
    same_length(confidences=p, correct=right)
    if not np.isin(right, (0, 1)).all():
        raise InputError("correct: expected true or false (1 or 0) for each row.")
    edges = bin_edges(p, n_bins, binning)
    bins = bin_numbers(p, edges)
    count = np.bincount(bins, minlength=len(edges) - 1)
    hits = np.bincount(bins, right, len(count))
    accuracy = ratio(hits, count)
    worth = count if units is None else _effective(bins, right, accuracy, units)
    low, high = wilson_interval(np.where(count, accuracy, 0) * worth, worth, level)
    return ReliabilityTable(edges, count, ratio(np.bincount(bins, p, len(count)), count),
                            accuracy, low, high)


def class_wise_ece(y_true: ArrayLike, probabilities: ArrayLike, n_bins: int = 15,
                   binning: Binning = "width") -> Floats:
    """ECE of each class's probability, that class against the rest.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    n_bins : int
        At least 1.
    binning : {"width", "mass"}
        As in `reliability`.

    Returns
    -------
    ndarray of float64, shape (K,)
        In [0, 1]; the mean over classes is the class-wise ECE.

    Raises
    ------
    InputError
        If arrays or options are out of their ranges.

    References
    ----------
    Kull et al. 2019, arXiv:1910.12656.

    Examples
    --------
    >>> class_wise_ece([0, 1], [[0.75, 0.25], [0.25, 0.75]]).tolist()
    [0.25, 0.25]
    """
    y, p = labels_and_probabilities(y_true, probabilities)
    return np.array([reliability(np.minimum(p[:, k], 1), y == k, n_bins, binning).ece
                     for k in range(p.shape[1])])


def wilson_interval(successes: ArrayLike, trials: ArrayLike,
                    level: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Parameters
    ----------
    successes, trials : array-like of float, shape (...)
        Counts, 0 <= successes <= trials.
    level : float
        In (0, 1).

    Returns
    -------
    low, high : ndarray of float64, shape (...)
        In [0, 1]; NaN without trials.

    Raises
    ------
    InputError
        If `level` is not in (0, 1).

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    if not 0 < level < 1:
        raise InputError(f"level: expected a number between 0 and 1, got {level}.")
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    hits, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    centre = ratio(hits + z2 / 2, np.where(n > 0, n + z2, 0))
    half = ratio(np.sqrt(z2 * (ratio(hits * (n - hits), n) + z2 / 4)), n + z2)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _effective(bins: NDArray[np.int64], right: Floats, accuracy: Floats,
               units: ArrayLike) -> Floats:
    """Independent rows that would tell as much about each bin's accuracy, at most all of it."""
    codes = unit_codes(units, len(bins))
    pairs, pair = np.unique(bins * (codes.max() + 1) + codes, return_inverse=True)
    bin_of_pair = pairs // (codes.max() + 1)
    error = np.bincount(pair, right - accuracy[bins])
    n_bins = len(accuracy)
    count = np.bincount(bins, minlength=n_bins)
    n_units = np.bincount(bin_of_pair, minlength=n_bins)
    squared = np.bincount(bin_of_pair, error ** 2, n_bins)
    # of a bin all right or all wrong nothing varies: its units are what it is worth
    worth = ratio(count ** 2 * np.nan_to_num(accuracy * (1 - accuracy)) * (n_units - 1),
                  squared * n_units, n_units)
    return np.clip(worth, np.minimum(count, 1), count)


def bin_edges(confidences: Floats, n_bins: int, binning: Binning) -> Floats:
    """Edges of bins from 0 to 1, or of about equally many rows.

    Parameters
    ----------
    confidences : ndarray of float64, shape (n_rows,)
    n_bins : int
    binning : {"width", "mass"}
        Equal widths, or about equally many rows.

    Returns
    -------
    ndarray of float64
        At most n_bins + 1, ascending.

    Raises
    ------
    InputError
        If an option is out of its range.
    """
    if n_bins < 1:
        raise InputError(f"n_bins: expected at least 1, got {n_bins}.")
    if binning == "width":
        return np.linspace(0, 1, n_bins + 1)
    if binning != "mass":
        raise InputError(f"binning: expected width or mass, got {binning}.")
    edges = np.unique(np.quantile(confidences, np.linspace(0, 1, n_bins + 1)))
    return edges if len(edges) > 1 else np.repeat(edges, 2)


def bin_numbers(confidences: Floats, edges: Floats) -> NDArray[np.int64]:
    """Bin of each confidence, any shape; a bin holds its lower edge, the last one both.

    Parameters
    ----------
    confidences : ndarray of float64
    edges : ndarray of float64, shape (n_bins + 1,)
        From `bin_edges`.

    Returns
    -------
    ndarray of int64
        Of the shape of `confidences`.
    """
    return np.searchsorted(edges[1:-1], confidences, side="right")
