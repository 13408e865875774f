"""Rows in batches, none of them dropped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError


def batches(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Split rows in order; the last batch may be smaller.

    Nothing is dropped, as the batch generators of imbalanced-learn do with what fills no batch.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    size : int
        At least 1.

    Returns
    -------
    iterator of ndarray of int64, shape (size,) or less

    Raises
    ------
    InputError
        If `size` is below 1.
    """
    if size < 1:
        raise InputError(f"size: expected at least 1 row in a batch, got {size}.")
    return (rows[start : start + size] for start in range(0, len(rows), size))


def padded_batches(
        rows: NDArray[np.int64], size: int) -> Iterator[tuple[NDArray[np.int64],
                                                              NDArray[np.float32]]]:
    """Split rows in order into batches of one size, which a network compiles once for.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    size : int
        At least 1.

    Returns
    -------
    iterator of (ndarray of int64, ndarray of float32), both of shape (size,)
        Rows and their weights in the loss: 1, and 0 for what fills the last batch, which are its
        own rows again.

    Raises
    ------
    InputError
        If `size` is below 1.

    Examples
    --------
    >>> [(r.tolist(), w.tolist()) for r, w in padded_batches(np.array([5, 6, 7]), 2)]
    [([5, 6], [1.0, 1.0]), ([7, 7], [1.0, 0.0])]
    """
    return ((np.resize(batch, size), (np.arange(size) < len(batch)).astype(np.float32))
            for batch in batches(rows, size))
