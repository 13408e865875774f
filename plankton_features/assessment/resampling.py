"""Rows or groups drawn with replacement, as weights times sums per group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import same_length
from plankton_features.errors import InputError

#: Weights held at a time (8 bytes each), which bounds the memory of a bootstrap.
_WEIGHTS_AT_ONCE = 2_000_000


def unit_codes(groups: ArrayLike | None, n_rows: int) -> NDArray[np.int64]:
    """Number each row's sampling unit: its group, or without groups the row itself.

    Parameters
    ----------
    groups : array-like of str or int, shape (n_rows,), or None
        Sampling unit of each row; one that is empty, None or NaN is a unit of its own.
    n_rows : int
        Number of rows.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        From 0, in the order of the sorted groups, then rows without one.

    Raises
    ------
    InputError
        If there is not one group per row.
    """
    if groups is None:
        return np.arange(n_rows)
    names = np.asarray(groups)
    if names.shape != (n_rows,):
        raise InputError(f"groups: expected one for each of {n_rows} rows, got shape "
                         f"{names.shape}.")
    alone = pd.isna(names) | (names == "")
    codes = np.empty(n_rows, np.int64)
    codes[~alone] = np.unique(names[~alone], return_inverse=True)[1]
    codes[alone] = len(set(codes[~alone])) + np.arange(alone.sum())
    return codes


def sums_by_unit(units: NDArray[np.int64], columns: NDArray[np.int64],
                 values: NDArray[np.float64], n_columns: int) -> Any:
    """Add values up in a sparse table, one line per sampling unit.

    Parameters
    ----------
    units : ndarray of int64, shape (n_rows,)
        Line of each row.
    columns : ndarray of int64, shape (n_rows, m)
        Where each of a row's values goes.
    values : ndarray of float64, shape (n_rows, m)
        The values.
    n_columns : int
        Width of the table.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (n_units, n_columns)
        At most n_rows * m numbers are held.

    Raises
    ------
    InputError
        If lengths differ.
    """
    from scipy.sparse import coo_array

    same_length(units=units, columns=columns, values=values)
    lines = np.broadcast_to(units[:, None], values.shape)
    shape = (int(units.max()) + 1, n_columns)
    return coo_array((values.ravel(), (lines.ravel(), columns.ravel())), shape=shape).tocsr()


def resampled_sums(table: Any, n_replicates: int, seed: int) -> NDArray[np.float64]:
    """Column sums of a table whose lines were drawn with replacement, many times.

    The draws depend on nothing but the number of lines, of replicates, and the seed: two tables
    with the same lines are resampled alike, which makes their replicates paired.

    Parameters
    ----------
    table : scipy.sparse.csr_array of float64, shape (n_units, n_columns)
        From `sums_by_unit`.
    n_replicates : int
        Number of draws, at least 1.
    seed : int
        Of the generator.

    Returns
    -------
    ndarray of float64, shape (n_replicates, n_columns)

    Raises
    ------
    InputError
        If `n_replicates` is below 1.
    """
    return np.concatenate([w @ table for w in unit_weights(table.shape[0], n_replicates, seed)])


def unit_weights(n_units: int, n_replicates: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each draw took each unit, some draws at a time.

    Fewer replicates of the same seed are the first of more.

    Parameters
    ----------
    n_units : int
        Groups or rows to draw from; every draw takes as many.
    n_replicates : int
        Number of draws, at least 1.
    seed : int
        Of the generator.

    Yields
    ------
    ndarray of float64, shape (some draws, n_units)
        Whole numbers.

    Raises
    ------
    InputError
        If `n_replicates` is below 1.
    """
    if n_replicates < 1:
        raise InputError(f"n_replicates: expected at least 1, got {n_replicates}.")
    rng = np.random.default_rng(seed)
    at_once = max(1, _WEIGHTS_AT_ONCE // n_units)
    for start in range(0, n_replicates, at_once):
        size = min(at_once, n_replicates - start)
        drawn = rng.integers(n_units, size=(size, n_units)) + n_units * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n_units)
        yield counts.reshape(size, n_units).astype(np.float64)


def fingerprint(*parts: object) -> str:
    """Digest that tells whether two bootstraps drew the same rows."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return digest.hexdigest()
