"""From a fitted pipeline to probabilities of all classes at real frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from plankton_features.assessment.priors import correct_priors
from plankton_features.errors import InputError

Floats = NDArray[np.float64]


def all_class_scores(pipeline: Any, X: NDArray, n_classes: int) -> Floats:
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


def _shares(decisions: NDArray, n_classes: int) -> Floats:
    """Decision values, (n,) of two classes or (n, K), as probabilities."""
    wide = np.asarray(decisions, np.float64)
    if wide.ndim == 1:
        wide = np.column_stack([np.zeros(len(wide)), wide])
    if wide.shape[1] != n_classes:
        raise InputError(f"classifier: expected a decision value for each of {n_classes} classes, "
                         f"got {wide.shape[1]}. Set its decision_function_shape to 'ovr'.")
    return softmax(wide, axis=1)


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
