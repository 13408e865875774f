"""Expected calibration errors of many draws.

An expected calibration error adds up distances, so chance alone makes it positive, and every draw
adds chance once more: the plain percentiles of draws lie above the truth (for a calibrated
classifier they never held it in 600 simulations). So the two ends have draws of their own:

- The upper one spreads around the estimate, which is on average not below the truth.
- For the lower one, a bin's gap no larger than the largest that chance would make in so many bins
  (sqrt(2 log bins) standard errors; Donoho and Johnstone 1994, doi:10.1093/biomet/81.3.425)
  counts as chance, and what chance adds to the error is taken off the estimate.

The interval holds the estimate. In simulations 95 % became 93 to 100 %: the least where the truth
is exactly 0, and nearly always more for the class-wise error, which has many bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.calibration.reliability import BINNINGS, bin_edges, bin_numbers
from plankton_features.assessment.checks import labels_and_probabilities
from plankton_features.assessment.confusion import Floats
from plankton_features.assessment.probability_metrics import confidence_and_correctness
from plankton_features.assessment.resampling import resampled_sums, sums_by_unit, unit_codes


@dataclass(frozen=True)
class ErrorDraws:
    """One calibration error and its draws, as `replicates.Replicates` takes them.

    Attributes
    ----------
    estimate : float
        The error of all rows, in [0, 1].
    replicates, for_low : ndarray of float64, shape (n_replicates,)
        Draws for the upper and for the lower end of an interval, at least 0.
    """

    estimate: float
    replicates: Floats
    for_low: Floats


def resampled_calibration_errors(
        y_true: ArrayLike, probabilities: ArrayLike, *, y_pred: ArrayLike | None = None,
        groups: ArrayLike | None = None, kept: ArrayLike | None = None, n_bins: int = 15,
        n_replicates: int = 1000, seed: int = 0) -> dict[str, ErrorDraws]:
    """ECE in bins of equal width and of equal mass, and class-wise ECE, in every draw.

    Bins are those of all rows, in every draw.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    y_pred : array-like of int, shape (n_rows,), optional
        The decisions; the most probable classes by default.
    groups : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row; drawn as a whole. Single rows by default.
    kept : array-like of bool, shape (K,), optional
        Classes over which the class-wise ECE is the mean; all by default.
    n_bins : int
        At least 1.
    n_replicates : int
        Number of draws, at least 1; they are those of `intervals.bootstrap`.
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to ErrorDraws
        ``ece``, ``ece_mass`` and ``class_wise_ece`` (equal width, mean over classes).

    Raises
    ------
    InputError
        If arrays or options are out of their ranges.

    Examples
    --------
    >>> drawn = resampled_calibration_errors([0, 1] * 20, [[0.75, 0.25], [0.25, 0.75]] * 20)
    >>> drawn["ece"].estimate
    0.25
    """
    y, p = labels_and_probabilities(y_true, probabilities)
    confidence, correct = confidence_and_correctness(y, p, y_pred)
    units, draw = unit_codes(groups, len(y)), (n_replicates, seed)
    edges = [bin_edges(confidence, n_bins, binning) for binning in BINNINGS]
    gaps = p.copy()
    gaps[np.arange(len(y)), y] -= 1
    n_rows, width, mass, cells = _with_draws(
        [_Part(units, np.zeros_like(units), np.ones(len(y)), 1)]
        + [_Part(units, bin_numbers(confidence, e), confidence - correct, len(e) - 1)
           for e in edges]
        + [_high_cells(gaps, p, units, n_bins)], *draw)
    classes = _class_cells(cells.reshape(len(cells), -1, n_bins), gaps, units, draw)
    chosen = np.ones(p.shape[1], dtype=bool) if kept is None else np.asarray(kept, dtype=bool)
    classes = classes[:, chosen].reshape(len(cells), -1) / np.count_nonzero(chosen)
    return {name: _error(found / n_rows) for name, found in (
        ("ece", width), ("ece_mass", mass), ("class_wise_ece", classes))}


def _error(gaps: Floats) -> ErrorDraws:
    """Of gaps in bins, shape (1 + n_replicates, n_bins), the first line that of all rows."""
    observed, drawn = gaps[0], gaps[1:]
    estimate, errors = np.abs(observed).sum(), np.abs(drawn).sum(axis=1)
    by_chance = np.sqrt(2 * np.log(len(observed))) * drawn.std(axis=0)
    real = np.where(np.abs(observed) > by_chance, observed, 0)
    added = np.abs(drawn - (observed - real)).sum(axis=1) - np.abs(real).sum()
    return ErrorDraws(float(estimate), np.maximum(estimate + np.median(errors) - errors, 0),
                      np.maximum(estimate - added, 0))


class _Part(NamedTuple):
    """Values to add up by unit and column."""

    units: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Floats
    n_columns: int


def _with_draws(parts: list[_Part], n_replicates: int, seed: int) -> list[Floats]:
    """Of each part the sums of all rows, and below them those of each draw."""
    ends = np.cumsum([part.n_columns for part in parts])
    columns = np.concatenate([part.columns + end - part.n_columns
                              for part, end in zip(parts, ends, strict=True)])
    units, values = (np.concatenate([getattr(part, name) for part in parts])
                     for name in ("units", "values"))
    table = sums_by_unit(units, columns[:, None], values[:, None], ends[-1])
    sums = np.vstack([table.sum(axis=0), resampled_sums(table, n_replicates, seed)])
    return np.split(sums, ends[:-1], axis=1)


def _high_cells(gaps: Floats, p: Floats, units: NDArray[np.int64], n_bins: int) -> _Part:
    """Gaps by class and bin, without each class's first bin, which holds nearly all."""
    bins = bin_numbers(p, bin_edges(p, n_bins, "width"))
    rows, classes = np.nonzero(bins)
    return _Part(units[rows], bins[rows, classes] + n_bins * classes, gaps[rows, classes],
                 n_bins * p.shape[1])


def _class_cells(cells: Floats, gaps: Floats, units: NDArray[np.int64],
                 draw: tuple[int, int]) -> Floats:
    """The same with the first bins: what the others leave of each class's whole gap.

    So the few high probabilities are all that has to be multiplied bin by bin.
    """
    every = np.arange(len(gaps))
    whole = sums_by_unit(units, every[:, None], np.ones((len(gaps), 1)), len(gaps)) @ gaps
    whole = np.vstack([whole.sum(axis=0), resampled_sums(whole, *draw)])
    cells[:, :, 0] = whole - cells.sum(axis=2)
    return cells
