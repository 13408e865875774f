"""Average precision of many draws, with one sort for each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import labels_and_probabilities
from plankton_features.assessment.confusion import Floats, ratio
from plankton_features.assessment.resampling import unit_codes, unit_weights


def resampled_average_precision(y_true: ArrayLike, probabilities: ArrayLike, *,
                                groups: ArrayLike | None = None, n_replicates: int = 200,
                                seed: int = 0) -> Floats:
    """Each class's average precision in every draw; `average_precision` has that of all rows.

    Parameters
    ----------
    y_true : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    groups : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row; drawn as a whole. Single rows by default.
    n_replicates : int
        Number of draws, at least 1; they are the first ones of `intervals.bootstrap`.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray of float64, shape (n_replicates, K)
        In [0, 1]; NaN where no row of the class was drawn.

    Raises
    ------
    InputError
        If arrays or options are out of their ranges.

    Examples
    --------
    >>> p = [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]]
    >>> resampled_average_precision([0, 0, 1, 1], p, n_replicates=50).shape
    (50, 2)
    """
    y, p = labels_and_probabilities(y_true, probabilities)
    units = unit_codes(groups, len(y))
    # float32 counts whole numbers up to 16 million exactly and halves what has to be held
    weights = np.ascontiguousarray(np.concatenate(
        [w.astype(np.float32) for w in unit_weights(units.max() + 1, n_replicates, seed)]).T)
    out = np.full((n_replicates, p.shape[1]), np.nan)
    for k in np.unique(y):
        hits, drawn = (table @ weights for table in _steps(y == k, p[:, k], units, len(weights)))
        out[:, k] = _average_precision(hits.astype(np.float64), drawn.astype(np.float64))
    return out


def _average_precision(hits: Floats, drawn: Floats) -> Floats:
    """From rows right and rows drawn at each step down the ranking, shape (steps, draws)."""
    precision = ratio(hits.cumsum(axis=0), drawn.cumsum(axis=0), 0.0)
    return ratio((hits * precision).sum(axis=0), hits.sum(axis=0))


def _steps(right: NDArray[np.bool_], p: Floats, units: NDArray[np.int64],
           n_units: int) -> tuple[Any, Any]:
    """Rows right, and all rows, that each step down to the next right row takes in, by unit.

    Rows of equal probability are one step. Rows below the last right one do not matter.
    """
    order = np.argsort(-p, kind="stable")
    p, right, units = p[order], right[order], units[order]
    block = np.append(0, np.cumsum(p[1:] != p[:-1]))
    blocks, n_right = np.unique(block[right], return_counts=True)
    ends = np.searchsorted(block, blocks, side="right")
    return (_indicator(units[right], n_right.cumsum(), n_units),
            _indicator(units[:ends[-1]], ends, n_units))


def _indicator(units: NDArray[np.int64], ends: NDArray[np.int64], n_units: int) -> Any:
    from scipy.sparse import csr_array

    ones = np.ones(len(units), dtype=np.float32)
    return csr_array((ones, units, np.append(0, ends)), shape=(len(ends), n_units))
