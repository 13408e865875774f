"""Bootstrap intervals: draw whole groups (or single rows) with replacement, score each draw.

Rows of one group are alike, so intervals from single rows are too narrow where groups exist. A
class that is missing from a draw is left out of that draw's macro averages. Scores of a draw are
functions of sums, so groups enter as whole-number weights times their sums: no confusion matrix
is built, and memory stays small for any number of rows and classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_labels, same_length
from plankton_features.assessment.confusion import Floats, Margins
from plankton_features.assessment.metrics import class_scores, scores
from plankton_features.assessment.replicates import Replicates
from plankton_features.assessment.resampling import (
    fingerprint,
    resampled_sums,
    sums_by_unit,
    unit_codes,
)
from plankton_features.errors import InputError


def bootstrap(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int, *,
              rows: Mapping[str, ArrayLike] | None = None, groups: ArrayLike | None = None,
              n_replicates: int = 1000, seed: int = 0) -> Replicates:
    """Resample every score of `metrics.scores`, of each class, and means over rows.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    n_classes : int
        Number of classes K.
    rows : mapping of str to array-like of float, shape (n_rows,), optional
        Further scores whose mean counts, such as `probability_metrics.row_scores`.
    groups : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row; drawn as a whole. Single rows by default.
    n_replicates : int
        Number of draws, at least 1.
    seed : int
        The same seed, groups and rows give the same draws.

    Returns
    -------
    Replicates
        Named as in `metrics.scores`, `rows`, and ``precision``, ``recall`` and ``f1`` for each
        class.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    References
    ----------
    Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x (cluster bootstrap).

    Examples
    --------
    >>> y = np.arange(300) % 2
    >>> drawn = bootstrap(y, np.where(np.arange(300) % 5, y, 1 - y), n_classes=2)
    >>> found = drawn.interval("accuracy")
    >>> f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})"
    '0.80 (0.76 to 0.85)'
    """
    true, predicted = as_labels(y_true, n_classes), as_labels(y_pred, n_classes, "y_pred")
    same_length(y_true=true, y_pred=predicted)
    names, values = _stacked(rows or {}, len(true))
    fixed = 3 * n_classes + np.arange(values.shape[1])
    columns = np.column_stack([true, n_classes + true, 2 * n_classes + predicted,
                               np.broadcast_to(fixed, values.shape)])
    ones = np.ones(len(true))
    parts = np.column_stack([true == predicted, ones, ones, values])
    units = unit_codes(groups, len(true))
    table = sums_by_unit(units, columns, parts, 3 * n_classes + len(names))

    def score(sums: Floats) -> dict[str, Floats]:
        margin = Margins(*np.split(sums[:, :3 * n_classes], 3, axis=1))
        each = class_scores(margin)
        return (scores(margin)
                | {name: getattr(each, name) for name in ("precision", "recall", "f1")}
                | _means(names, sums[:, 3 * n_classes:], margin.support.sum(axis=1)))

    return Replicates(
        {name: value[0] for name, value in score(table.sum(axis=0)[None]).items()},
        score(resampled_sums(table, n_replicates, seed)), table.shape[0], groups is not None,
        fingerprint(true, units, n_replicates, seed))


def bootstrap_means(rows: Mapping[str, ArrayLike], *, groups: ArrayLike | None = None,
                    n_replicates: int = 1000, seed: int = 0) -> Replicates:
    """Resample means over rows only, such as log-loss or the signed gap.

    Parameters
    ----------
    rows : mapping of str to array-like of float, shape (n_rows,)
        Scores whose mean counts.
    groups : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row; drawn as a whole. Single rows by default.
    n_replicates : int
        Number of draws, at least 1.
    seed : int
        The same seed and groups give the same draws.

    Returns
    -------
    Replicates

    Raises
    ------
    InputError
        If lengths differ or a value is not finite.

    Examples
    --------
    >>> drawn = bootstrap_means({"brier": [0.1, 0.2, 0.3]}, groups=["a", "a", "b"])
    >>> drawn.caution
    'Only 2 groups: with fewer than 20, intervals are unreliable, probably too narrow.'
    """
    if not rows:
        raise InputError("rows: expected at least one score, got none.")
    names, values = _stacked(rows, np.size(next(iter(rows.values()))))
    units = unit_codes(groups, len(values))
    parts = np.column_stack([np.ones(len(values)), values])
    columns = np.broadcast_to(np.arange(parts.shape[1]), parts.shape)
    table = sums_by_unit(units, columns, parts, parts.shape[1])
    drawn = resampled_sums(table, n_replicates, seed)
    return Replicates(
        {name: values[:, j].mean() for j, name in enumerate(names)},
        _means(names, drawn[:, 1:], drawn[:, 0]), table.shape[0], groups is not None,
        fingerprint(units, n_replicates, seed))


def _stacked(rows: Mapping[str, ArrayLike], n_rows: int) -> tuple[list[str], NDArray[np.float64]]:
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in rows.items()}
    for name, values in columns.items():
        if values.shape != (n_rows,) or not n_rows or not np.isfinite(values).all():
            raise InputError(f"{name}: expected one finite number for each of {n_rows} rows (at "
                             f"least one), got shape {values.shape}.")
    return list(columns), np.column_stack([np.empty((n_rows, 0)), *columns.values()])


def _means(names: list[str], sums: Floats, n_rows: Floats) -> dict[str, Floats]:
    return {name: sums[:, j] / n_rows for j, name in enumerate(names)}
