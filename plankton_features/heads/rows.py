"""Vectors by row, from memory or from a feature file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError


class Vectors:
    """Vectors of some rows; a feature file is read when rows are asked for.

    Parameters
    ----------
    source : array-like of float, shape (n_all, d), or an object with ``shape`` and ``take(rows)``
        Such as a `FeatureFile`, which keeps only the rows in memory that a fit needs.
    rows : array-like of int, shape (n,), optional
        Rows to use, all by default.

    Raises
    ------
    InputError
        If `source` has not two dimensions.

    Examples
    --------
    >>> Vectors(np.eye(3), rows=[2, 0]).take([0]).tolist()
    [[0.0, 0.0, 1.0]]
    """

    def __init__(self, source: Any, rows: ArrayLike | None = None):
        self.source = source if hasattr(source, "iter_blocks") else np.asarray(source)
        if len(self.source.shape) != 2:
            raise InputError(f"features: expected shape (rows, values), got {self.source.shape}.")
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
        if isinstance(self.source, np.ndarray):
            found = self.source[wanted].astype(np.float32, copy=False)
        else:
            found = self.source.take(wanted)
        if not np.isfinite(found.sum(dtype=np.float64)):
            row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
            raise InputError(f"features: row {wanted[row]} has values that are not finite. Extract "
                             "the features anew.")
        return found
