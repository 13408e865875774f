"""Confusion matrices (rows true, columns predicted) and the margins that scores need of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_labels, same_length
from plankton_features.errors import InputError

Floats = NDArray[np.float64]


@overload
def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int,
              weights: None = None) -> NDArray[np.int64]: ...


@overload
def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int,
              weights: ArrayLike) -> Floats: ...


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int,
              weights: ArrayLike | None = None) -> NDArray[np.int64] | Floats:
    """Count the rows of each pair of true and predicted class.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    n_classes : int
        Number of classes K.
    weights : array-like of float, shape (n_rows,), optional
        What each row counts; 1 by default.

    Returns
    -------
    ndarray of shape (K, K)
        int64, or float64 with `weights`.

    Raises
    ------
    InputError
        If labels are out of range or lengths differ.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], n_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = _cells(y_true, y_pred, n_classes)
    if weights is not None:
        weights = np.asarray(weights, dtype=np.float64)
        same_length(y_true=cells, weights=weights)
    return np.bincount(cells, weights, n_classes ** 2).reshape(n_classes, n_classes)


def confusion_by_group(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int,
                       groups: ArrayLike) -> NDArray[np.int64]:
    """One confusion matrix per group; their sum is `confusion` of all rows.

    Takes 8 * G * K * K bytes; the bootstrap of `intervals` does without it.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..n_classes-1.
    n_classes : int
        Number of classes K.
    groups : array-like of str or int, shape (n_rows,)
        Sampling unit of each row.

    Returns
    -------
    ndarray of int64, shape (G, K, K)
        In the order of ``numpy.unique(groups)``.

    Raises
    ------
    InputError
        If labels are out of range or lengths differ.

    Examples
    --------
    >>> confusion_by_group([0, 0, 1], [0, 1, 1], 2, ["tow 2", "tow 1", "tow 2"]).tolist()
    [[[0, 1], [0, 0]], [[1, 0], [0, 1]]]
    """
    cells = _cells(y_true, y_pred, n_classes)
    names, unit = np.unique(np.asarray(groups), return_inverse=True)
    same_length(y_true=cells, groups=unit)
    counts = np.bincount(unit * n_classes ** 2 + cells, minlength=len(names) * n_classes ** 2)
    return counts.reshape(len(names), n_classes, n_classes)


def _cells(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    true, predicted = as_labels(y_true, n_classes), as_labels(y_pred, n_classes, "y_pred")
    same_length(y_true=true, y_pred=predicted)
    return true * n_classes + predicted


@dataclass(frozen=True)
class Margins:
    """All that the scores need of a confusion matrix, or of a stack of them.

    Attributes
    ----------
    hits, support, predicted : ndarray of float64, shape (..., K)
        Right rows, true rows and predicted rows of each class.
    """

    hits: Floats
    support: Floats
    predicted: Floats


def margins(matrices: ArrayLike) -> Margins:
    """Diagonal, row sums and column sums of confusion matrices.

    Parameters
    ----------
    matrices : array-like, shape (..., K, K)

    Returns
    -------
    Margins

    Raises
    ------
    InputError
        If they are not square, or a count is negative or not finite.
    """
    stack = np.asarray(matrices, dtype=np.float64)
    if stack.ndim < 2 or stack.shape[-1] != stack.shape[-2]:
        raise InputError("confusion matrix: expected shape (..., K, K), got "
                         f"{stack.shape}.")
    if not np.isfinite(stack).all() or (stack < 0).any():
        raise InputError("confusion matrix: expected counts of at least 0, got "
                         f"{stack.min():g}..{stack.max():g}.")
    return Margins(np.diagonal(stack, axis1=-2, axis2=-1), stack.sum(-1), stack.sum(-2))


def ratio(top: ArrayLike, bottom: ArrayLike, empty: ArrayLike = np.nan) -> Floats:
    """Divide; where `bottom` is 0 the result is `empty`.

    Parameters
    ----------
    top, bottom, empty : array-like of float
        Of shapes that fit each other.

    Returns
    -------
    ndarray of float64
    """
    shape = np.broadcast_shapes(np.shape(top), np.shape(bottom))
    out = np.array(np.broadcast_to(np.asarray(empty, dtype=np.float64), shape))
    return np.divide(top, bottom, out=out, where=np.asarray(bottom) != 0)[()]
