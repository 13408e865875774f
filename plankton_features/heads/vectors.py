"""Vectors by row, wherever they lie: in memory, in a feature file, or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError


@runtime_checkable
class VectorSource(Protocol):
    """What can be fitted on besides an array, such as a `FeatureFile`: vectors read when asked for.

    Attributes
    ----------
    shape : (int, int)
        Rows, and values of each vector.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def take(self, rows: NDArray[np.int64], /) -> NDArray[np.float32]:
        """A copy of some rows, in any order and with repetitions, shape (len(rows), values)."""

    def iter_blocks(self, rows: int = ..., /) -> Iterator[NDArray[np.float32]]:
        """All rows in their order, at most so many at once."""


class ArrayVectors:
    """An array in memory as a `VectorSource`.

    Parameters
    ----------
    array : array-like of float, shape (n, d)

    Examples
    --------
    >>> [len(block) for block in ArrayVectors(np.eye(3)).iter_blocks(2)]
    [2, 1]
    """

    def __init__(self, array: ArrayLike):
        self.array = np.asarray(array)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and values of each vector."""
        return self.array.shape

    def take(self, rows: NDArray[np.int64], /) -> NDArray[np.float32]:
        """A copy of some rows, shape (len(rows), d)."""
        return self.array[rows].astype(np.float32, copy=False)

    def iter_blocks(self, rows: int = 4096, /) -> Iterator[NDArray[np.float32]]:
        """Rows in their order, at most so many at once."""
        for start in range(0, len(self.array), rows):
            yield self.array[start:start + rows].astype(np.float32)


def vectors_of(features: Any) -> VectorSource:
    """Features of any kind as a `VectorSource`.

    Parameters
    ----------
    features : VectorSource or array-like of float, shape (n, d)

    Raises
    ------
    InputError
        If they have not two dimensions.
    """
    source = features if isinstance(features, VectorSource) else ArrayVectors(features)
    if len(source.shape) != 2:
        raise InputError(f"features: expected shape (rows, values), got {tuple(source.shape)}.")
    return source


class Vectors:
    """Some rows of a `VectorSource`, of which only those are in memory that a fit needs.

    Parameters
    ----------
    features : VectorSource or array-like of float, shape (n_all, d)
    rows : array-like of int, shape (n,), optional
        Rows to use, all by default.

    Raises
    ------
    InputError
        If they have not two dimensions.

    Examples
    --------
    >>> Vectors(np.eye(3), rows=[2, 0]).take([0]).tolist()
    [[0.0, 0.0, 1.0]]
    """

    def __init__(self, features: Any, rows: ArrayLike | None = None):
        self.source = vectors_of(features)
        self.rows = np.arange(self.source.shape[0]) if rows is None else np.asarray(rows, np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_values(self) -> int:
        """Values of each vector."""
        return int(self.source.shape[1])

    def take(self, rows: ArrayLike) -> NDArray[np.float32]:
        """A copy of the vectors of some rows, shape (len(rows), n_values), float32.

        Raises
        ------
        InputError
            If a value is not finite.
        """
        wanted = self.rows[np.asarray(rows, np.int64)]
        found = self.source.take(wanted)
        if not np.isfinite(found.sum(dtype=np.float64)):
            row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
            raise InputError(f"features: row {wanted[row]} has values that are not finite. Extract "
                             "the features anew.")
        return found
