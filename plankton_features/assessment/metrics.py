"""Scores from confusion matrices (rows true, columns predicted), one matrix or a stack.

A class without support (no true row) has no recall (NaN) and is left out of macro averages. A
class with support that was never predicted has precision and F1 of 0. Every score follows from
three margins of the matrix (its diagonal, row sums and column sums), so a bootstrap needs only
those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from plankton_features.assessment.confusion import Floats, Margins, margins, ratio


@dataclass(frozen=True)
class ClassScores:
    """Scores of each class.

    Attributes
    ----------
    precision : ndarray of float64, shape (..., K)
        0 for a class with support never predicted; NaN without support and never predicted.
    recall : ndarray of float64, shape (..., K)
        NaN without support.
    f1 : ndarray of float64, shape (..., K)
        2 hits / (support + predicted); NaN where that divides by 0.
    support : ndarray of float64, shape (..., K)
        True rows.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    support: Floats


def class_scores(matrices: ArrayLike | Margins) -> ClassScores:
    """Precision, recall, F1 and support of each class.

    Parameters
    ----------
    matrices : array-like of shape (..., K, K), or Margins
        Counts or weights of at least 0, rows true, columns predicted.

    Returns
    -------
    ClassScores
        With arrays of shape (..., K).

    Raises
    ------
    InputError
        If the matrices are not square, or hold something else than counts.

    Examples
    --------
    >>> scores = class_scores([[3, 1, 0], [2, 0, 0], [0, 0, 0]])
    >>> scores.precision.tolist(), scores.recall.tolist()
    ([0.6, 0.0, nan], [0.75, 0.0, nan])
    """
    m = matrices if isinstance(matrices, Margins) else margins(matrices)
    return ClassScores(
        precision=ratio(m.hits, m.predicted, np.where(m.support > 0, 0.0, np.nan)),
        recall=ratio(m.hits, m.support),
        f1=ratio(2 * m.hits, m.support + m.predicted),
        support=m.support)


def scores(matrices: ArrayLike | Margins) -> dict[str, Floats]:
    """Every score of a whole confusion matrix.

    Parameters
    ----------
    matrices : array-like of shape (..., K, K), or Margins
        Counts or weights of at least 0, rows true, columns predicted.

    Returns
    -------
    dict of str to ndarray of float64, shape (...)
        ``accuracy``, ``balanced_accuracy`` (macro recall), ``macro_`` and ``weighted_``
        ``precision``, ``recall`` and ``f1``, all in [0, 1]; ``mcc`` (Gorodkin's R_K, in [-1, 1];
        0 if all rows have one true or one predicted class) and ``kappa`` (Cohen's, in [-1, 1]; NaN
        if all rows are right and of one class). All but ``mcc`` are NaN for a matrix without rows.

    Raises
    ------
    InputError
        If the matrices are not square, or hold something else than counts.

    References
    ----------
    Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006; Cohen 1960,
    doi:10.1177/001316446002000104.

    Examples
    --------
    >>> both = scores([[[2, 0], [0, 2]], [[1, 1], [1, 1]]])
    >>> both["accuracy"].tolist(), both["mcc"].tolist()
    ([1.0, 0.5], [1.0, 0.0])
    """
    m = matrices if isinstance(matrices, Margins) else margins(matrices)
    each = class_scores(m)
    found = {"accuracy": ratio(m.hits.sum(-1), m.support.sum(-1)),
             "balanced_accuracy": _macro(each.recall, m.support)}
    for kind, average in (("macro", _macro), ("weighted", _weighted)):
        for name in ("precision", "recall", "f1"):
            found[f"{kind}_{name}"] = average(getattr(each, name), m.support)
    return found | {"mcc": _mcc(m), "kappa": _kappa(m)}


def _macro(values: Floats, support: Floats) -> Floats:
    present = support > 0
    return ratio(np.where(present, values, 0).sum(-1), present.sum(-1))


def _weighted(values: Floats, support: Floats) -> Floats:
    return ratio((np.where(support > 0, values, 0) * support).sum(-1), support.sum(-1))


def _mcc(m: Margins) -> Floats:
    covariance = m.hits.sum(-1) * m.support.sum(-1) - (m.support * m.predicted).sum(-1)
    # sum of m (n - m), not n^2 - sum of m^2: exactly 0 for a single class
    spread = [(x * (x.sum(-1, keepdims=True) - x)).sum(-1) for x in (m.support, m.predicted)]
    return ratio(covariance, np.sqrt(spread[0] * spread[1]), 0.0)


def _kappa(m: Margins) -> Floats:
    by_chance = (m.support * m.predicted).sum(-1)
    beyond = (m.support * (m.predicted.sum(-1, keepdims=True) - m.predicted)).sum(-1)
    return ratio(m.hits.sum(-1) * m.support.sum(-1) - by_chance, beyond)
