"""What abstaining keeps, on rows that did not choose the thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_confidences, as_labels, same_length
from plankton_features.assessment.confusion import Floats, ratio
from plankton_features.assessment.intervals import bootstrap_means
from plankton_features.assessment.replicates import Interval
from plankton_features.assessment.thresholds import fit_thresholds
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


def accept_out_of_fold(y_true: ArrayLike, y_pred: ArrayLike, confidences: ArrayLike,
                       folds: ArrayLike, n_classes: int, min_precision: float,
                       min_accepted: int = 1) -> NDArray[np.bool_]:
    """Accept the rows of each fold by thresholds that the other folds chose.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    confidences : array-like of float, shape (n_rows,)
        Probability of the predicted class, in [0, 1].
    folds : array-like of int, shape (n_rows,)
        Fold of each row, at least two. Call it once for each repeat: in another repeat's folds a
        row would meet itself.
    n_classes : int
        Number of classes K.
    min_precision, min_accepted
        As in `thresholds.fit_thresholds`.

    Returns
    -------
    ndarray of bool, shape (n_rows,)

    Raises
    ------
    InputError
        If arrays or options are out of their ranges, or there is one fold only.

    Examples
    --------
    >>> accept_out_of_fold([0, 0, 0, 1], [0] * 4, [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1], 2,
    ...                    min_precision=1.0).tolist()
    [True, True, False, False]
    """
    true, predicted = as_labels(y_true, n_classes), as_labels(y_pred, n_classes, "y_pred")
    p, fold = as_confidences(confidences), np.asarray(folds)
    same_length(y_true=true, y_pred=predicted, confidences=p, folds=fold)
    names = np.unique(fold)
    if len(names) < 2:
        raise InputError("folds: expected at least two, so that a row does not choose its own "
                         "threshold, got one.")
    accepted = np.zeros(len(true), dtype=bool)
    for name in names:
        own, other = fold == name, fold != name
        limits = fit_thresholds(true[other], predicted[other], p[other], n_classes,
                                min_precision, min_accepted)
        accepted[own] = p[own] >= limits[predicted[own]]
    return accepted


def abstention(y_true: ArrayLike, y_pred: ArrayLike, accepted: ArrayLike, n_classes: int, *,
               units: ArrayLike | None = None, n_replicates: int = 1000,
               seed: int = 0) -> AbstentionSummary:
    """Coverage and precision with 95 % bootstrap intervals.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    accepted : array-like of bool, shape (n_rows,)
        From `accept_out_of_fold`, so that no row chose the threshold that accepts it.
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
    >>> found = abstention([0, 1, 1, 0], [0, 1, 0, 0], [True, True, False, True], 2)
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
