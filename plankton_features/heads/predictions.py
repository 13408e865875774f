"""What a head says of vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """Taxa of vectors.

    Attributes
    ----------
    code : ndarray of int64, shape (n,)
        The predicted class of each row, in 0..K-1: the classifier's own decision.
    probabilities : ndarray of float64, shape (n, K)
        Corrected to real class frequencies and calibrated; rows sum to 1. The largest one need
        not be that of `code`.
    accepted : ndarray of bool, shape (n,)
        Whether the probability of the predicted class reaches its threshold.
    """

    code: NDArray[np.int64]
    probabilities: Floats
    accepted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.code)

    @property
    def probability(self) -> Floats:
        """Probability of the predicted class, shape (n,)."""
        return self.probabilities[np.arange(len(self)), self.code]

    def ranked(self, k: int) -> NDArray[np.int64]:
        """The predicted class, then the others by falling probability.

        Parameters
        ----------
        k : int
            Classes wanted, at least 1.

        Returns
        -------
        ndarray of int64, shape (n, min(k, K))

        Examples
        --------
        >>> import numpy as np
        >>> p = Predictions(np.array([1]), np.array([[0.5, 0.3, 0.2]]), np.array([True]))
        >>> p.ranked(2).tolist()
        [[1, 0]]
        """
        keys = -self.probabilities
        keys[np.arange(len(self)), self.code] = -np.inf
        return np.argsort(keys, axis=1, kind="stable")[:, :k]
