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


def decide(scores: Floats, probabilities: Floats, thresholds: Floats | None) -> Predictions:
    """Take the class of the highest score, and accept it if its probability is enough.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, K)
        The classifier's own.
    probabilities : ndarray of float64, shape (n, K)
        Corrected and calibrated.
    thresholds : ndarray of float64, shape (K,), or None
        Least probability of each class; None accepts all.

    Returns
    -------
    Predictions

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([[0.7, 0.3]])
    >>> decide(p, p, np.array([0.8, 0.0])).accepted.tolist()
    [False]
    """
    found = Predictions(scores.argmax(axis=1), probabilities, np.ones(len(scores), bool))
    if thresholds is not None:
        found.accepted[:] = found.probability >= thresholds[found.code]
    return found
