"""All that is told about a classifier's probabilities, with the verdict as a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.calibration.confidence import SignedGap, Verdict, signed_gap
from plankton_features.assessment.calibration.reliability import (
    BINNINGS,
    ReliabilityTable,
    class_wise_ece,
    reliability,
)
from plankton_features.assessment.checks import decisions, labels_and_probabilities
from plankton_features.assessment.confusion import Floats
from plankton_features.assessment.probability_metrics import (
    confidence_and_correctness,
    row_scores,
)
from plankton_features.assessment.to_json import number_to_json

_HISTOGRAM_BINS = 20


@dataclass(frozen=True)
class CalibrationReport:
    """Confidence against correctness.

    Attributes
    ----------
    gap : SignedGap
        Mean confidence minus accuracy with its interval.
    verdict : str
        ``over-confident``, ``under-confident`` or ``neutral``.
    sentence : str
        The same for a person.
    ece, ece_mass, class_wise_ece : float
        Calibration errors in bins of equal width, of equal mass, and the mean over classes; in
        [0, 1].
    log_loss, brier : float
        At least 0.
    width, mass : ReliabilityTable
        In bins of equal width and of about equally many rows.
    histogram : ndarray of int64, shape (20,)
        Rows by confidence, in bins of equal width from 0 to 1.
    """

    gap: SignedGap
    verdict: Verdict
    sentence: str
    ece: float
    ece_mass: float
    class_wise_ece: float
    log_loss: float
    brier: float
    width: ReliabilityTable
    mass: ReliabilityTable
    histogram: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """As in results.json; NaN is None."""
        ends = {"estimate": self.gap.gap, "low": self.gap.low, "high": self.gap.high}
        edges = np.linspace(0, 1, len(self.histogram) + 1)
        return {
            "gap": {name: number_to_json(value) for name, value in ends.items()},
            "verdict": self.verdict, "sentence": self.sentence,
            **{name: number_to_json(getattr(self, name))
               for name in ("ece", "ece_mass", "class_wise_ece", "log_loss", "brier")},
            "reliability": {"width": _bins(self.width), "mass": _bins(self.mass)},
            "histogram": [{"low": float(low), "high": float(high), "count": int(count)}
                          for low, high, count in zip(edges, edges[1:], self.histogram,
                                                      strict=False)]}


def describe_calibration(y_true: ArrayLike, y_pred: ArrayLike | None, probabilities: ArrayLike,
                         units: ArrayLike | None = None, *, n_bins: int = 15,
                         n_replicates: int = 1000, seed: int = 0) -> CalibrationReport:
    """Is the classifier over-confident, under-confident or neutral? With all that shows it.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    y_pred : array-like of int, shape (n_rows,), or None
        The decisions, whose probability is the confidence; None: the most probable classes.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    units : array-like of str or int, shape (n_rows,), optional
        What is drawn as a whole; single rows by default. The gap's interval, and by the same
        measure the intervals in bins, are wider where rows of a unit are alike.
    n_bins : int
        Of the reliability tables, at least 1.
    n_replicates, seed : int
        Of the draws.

    Returns
    -------
    CalibrationReport

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> y = np.arange(500) % 2
    >>> found = describe_calibration(y, None, np.tile([0.6, 0.4], (500, 1)))
    >>> found.sentence
    'Over-confident: promises 10.0 points more than it keeps (95 %: 5.8 to 14.3).'
    """
    y, p = labels_and_probabilities(y_true, probabilities)
    predicted = decisions(y_pred, p)
    confidences, correct = confidence_and_correctness(y, p, predicted)
    rows = row_scores(y, p, y_pred=predicted)
    gap = signed_gap(y, p, y_pred=predicted, groups=units, n_replicates=n_replicates, seed=seed)
    width, mass = (reliability(confidences, correct, n_bins, binning, units=units)
                   for binning in BINNINGS)
    return CalibrationReport(
        gap, gap.verdict, gap_sentence(gap), width.ece, mass.ece,
        float(class_wise_ece(y, p, n_bins).mean()), float(rows["log_loss"].mean()),
        float(rows["brier"].mean()), width, mass,
        np.histogram(confidences, _HISTOGRAM_BINS, (0, 1))[0])


def gap_sentence(gap: SignedGap) -> str:
    """The verdict for a person.

    Parameters
    ----------
    gap : SignedGap

    Returns
    -------
    str
        One sentence, in percentage points; the level is 95 %.

    Examples
    --------
    >>> gap_sentence(SignedGap(-0.004, -0.011, 0.003, "neutral", ""))
    'No gap was shown: keeps 0.4 points more than it promises, and the interval holds 0 \
(95 %: -1.1 to 0.3).'
    """
    ends = np.array([gap.low, gap.high])
    if np.isnan(ends).any():
        return f"No gap was shown: {_kept(gap.gap)}, and a single unit gives no interval."
    if gap.verdict == "neutral":
        return (f"No gap was shown: {_kept(gap.gap)}, and the interval holds 0 "
                f"(95 %: {_range(ends)}).")
    if gap.verdict == "under-confident":
        ends = -ends[::-1]
    return f"{gap.verdict.capitalize()}: {_kept(gap.gap)} (95 %: {_range(ends)})."


def _kept(gap: float) -> str:
    points = _points(np.array([abs(gap)]))[0]
    if gap < 0:
        return f"keeps {points} points more than it promises"
    return f"promises {points} points more than it keeps"


def _range(ends: Floats) -> str:
    return " to ".join(_points(ends))


def _points(shares: Floats) -> list[str]:
    """Percentage points with one digit, or two where one would show an end as 0."""
    points = 100 * shares
    digits = 1 if (np.abs(points) >= 0.05).all() else 2
    return [f"{value + 0.0:.{digits}f}" for value in points]


def _bins(table: ReliabilityTable) -> list[dict[str, float | int | None]]:
    columns = {"low": table.edges[:-1], "high": table.edges[1:],
               "confidence": table.confidence, "accuracy": table.accuracy,
               "accuracy_low": table.low, "accuracy_high": table.high}
    return [{"count": int(count)} | {name: number_to_json(column[i])
                                     for name, column in columns.items()}
            for i, count in enumerate(table.count)]
