"""What a head says of vectors: from a fitted pipeline to probabilities, taxa and abstentions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from plankton_features.assessment.priors import correct_priors
from plankton_features.errors import InputError

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

    def take(self, rows: ArrayLike) -> Predictions:
        """Those of some rows, in any order and with repetitions.

        Parameters
        ----------
        rows : array-like of int, shape (m,)

        Returns
        -------
        Predictions
            Of m rows.
        """
        of = np.asarray(rows, np.int64)
        return Predictions(self.code[of], self.probabilities[of], self.accepted[of])

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


def all_class_scores(pipeline: Any, X: np.ndarray, n_classes: int) -> Floats:
    """A pipeline's own probabilities, with zero columns for classes that it never saw.

    Of a classifier that has decision values only, such as a support vector machine, they are the
    softmax of these (of two classes, the logistic function), and calibration gives them meaning.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted to class numbers in 0..n_classes-1.
    X : ndarray of float, shape (n, d)
    n_classes : int
        Number of classes K.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Rows sum to 1.
    """
    scores = np.zeros((len(X), n_classes))
    if len(X):
        scores[:, pipeline.classes_] = (pipeline.predict_proba(X)
                                        if hasattr(pipeline, "predict_proba")
                                        else _shares(pipeline.decision_function(X),
                                                     len(pipeline.classes_)))
    return scores


def _shares(decisions: np.ndarray, n_classes: int) -> Floats:
    """Decision values, (n,) of two classes or (n, K), as probabilities."""
    wide = np.asarray(decisions, np.float64)
    if wide.ndim == 1:
        wide = np.column_stack([np.zeros(len(wide)), wide])
    if wide.shape[1] != n_classes:
        raise InputError(f"classifier: expected a decision value for each of {n_classes} classes, "
                         f"got {wide.shape[1]}. Set its decision_function_shape to 'ovr'.")
    shares: Floats = softmax(wide, axis=1)
    return shares


def at_real_frequencies(scores: Floats, source: Floats, target: Floats) -> Floats:
    """Scores corrected from the class frequencies of training to the real ones.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, K)
        Rows sum to 1.
    source, target : ndarray of float64, shape (K,)
        Frequencies or counts; `source` is 0 for classes that the classifier never saw.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Rows sum to 1.
    """
    seen = source > 0
    corrected = np.zeros_like(scores)
    if len(scores):
        corrected[:, seen] = correct_priors(scores[:, seen], source[seen], target[seen])
    return corrected
