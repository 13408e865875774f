"""What abstaining keeps, on rows that did not choose the thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from plankton_features.assessment.checks import as_labels, same_length
from plankton_features.assessment.confusion import Floats, ratio
from plankton_features.assessment.intervals import bootstrap_means
from plankton_features.assessment.replicates import Interval
from plankton_features.errors import InputError


@dataclass(frozen=True)
class AbstentionSummary:
    """Coverage and precision of what was accepted.

    Attributes
    ----------
    coverage, precision : Interval
        Share of rows accepted, and of those the share that is right; in [0, 1]. `precision` is
        NaN if none is accepted.
    abstained_rows : int
        Rows without an answer.
    class_coverage : ndarray of float64, shape (K,)
        Share accepted of the rows predicted as each class; NaN where there are none.
    caution : str
        Why intervals should not be trusted; empty if they can be.
    """

    coverage: Interval
    precision: Interval
    abstained_rows: int
    class_coverage: Floats
    caution: str


def summarize_abstention(y_true: ArrayLike, y_pred: ArrayLike, accepted: ArrayLike,
                         n_classes: int, *, units: ArrayLike | None = None,
                         n_replicates: int = 1000, seed: int = 0) -> AbstentionSummary:
    """Coverage and precision with 95 % bootstrap intervals.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    accepted : array-like of bool, shape (n_rows,)
        By thresholds that the row itself did not choose.
    n_classes : int
        Number of classes K.
    units : array-like of str or int, shape (n_rows,), optional
        What is drawn as a whole; single rows by default.
    n_replicates, seed : int
        Of the draws.

    Returns
    -------
    AbstentionSummary

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> found = summarize_abstention([0, 1, 1, 0], [0, 1, 0, 0], [True, True, False, True], 2)
    >>> float(found.coverage.estimate), float(found.precision.estimate), found.abstained_rows
    (0.75, 1.0, 1)
    """
    true, predicted = as_labels(y_true, n_classes), as_labels(y_pred, n_classes, "y_pred")
    kept = np.asarray(accepted)
    same_length(y_true=true, y_pred=predicted, accepted=kept)
    if kept.dtype != bool:
        raise InputError(f"accepted: expected true or false for each row, got {kept.dtype}.")
    drawn = bootstrap_means({"coverage": kept, "right": kept & (true == predicted)},
                            groups=units, n_replicates=n_replicates, seed=seed)
    drawn = drawn.joined(*({"precision": ratio(part["right"], part["coverage"])}
                           for part in (drawn.estimates, drawn.replicates)))
    n_kept, n_predicted = (np.bincount(rows, minlength=n_classes)
                           for rows in (predicted[kept], predicted))
    return AbstentionSummary(drawn.interval("coverage"), drawn.interval("precision"),
                             int((~kept).sum()), ratio(n_kept, n_predicted), drawn.caution)
