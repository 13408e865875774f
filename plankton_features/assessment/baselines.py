"""What a classifier that looks at no image would score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.confusion import Floats
from plankton_features.assessment.metrics import scores
from plankton_features.errors import InputError


def majority_baseline(support: ArrayLike) -> dict[str, Floats]:
    """Scores of always answering with the most frequent class (the first of equals).

    Its probabilities are the frequencies of the classes, so it is calibrated. All is exact.

    Parameters
    ----------
    support : array-like of float, shape (K,)
        True rows of each class, at least 0, not all 0.

    Returns
    -------
    dict of str to float64
        Each of `summary.SCORES`.

    Raises
    ------
    InputError
        If `support` is not a row of counts.

    Examples
    --------
    >>> float(majority_baseline([8, 2])["accuracy"])
    0.8
    """
    counts = _counts(support)
    matrix = np.zeros((len(counts), len(counts)))
    matrix[:, counts.argmax()] = counts
    return scores(matrix) | _of_probabilities(counts / counts.sum())


def prior_random_baseline(support: ArrayLike) -> dict[str, Floats]:
    """Scores of drawing each answer at random with the classes' true frequencies.

    Accuracy and recall (macro: balanced accuracy) are exact expected values. Precision, F1, MCC and
    kappa are those of the expected confusion matrix; their own expected values differ from these
    by about 1 / rows of the class. Its probabilities are the frequencies themselves: top-3
    accuracy, log-loss and Brier are theirs, and calibration errors are 0, as in many rows.

    Parameters
    ----------
    support : array-like of float, shape (K,)
        True rows of each class, at least 0, not all 0.

    Returns
    -------
    dict of str to float64
        Each of `summary.SCORES`.

    Raises
    ------
    InputError
        If `support` is not a row of counts.

    Examples
    --------
    >>> guess = prior_random_baseline([8, 2])
    >>> round(float(guess["accuracy"]), 2), round(float(guess["brier"]), 2)
    (0.68, 0.32)
    """
    counts = _counts(support)
    prior = counts / counts.sum()
    return scores(np.outer(counts, prior)) | {"mcc": np.asarray(0.0)} | _of_probabilities(prior)


def _of_probabilities(prior: Floats) -> dict[str, Floats]:
    """Scores of the class frequencies as every row's probabilities."""
    seen = prior[prior > 0]
    found = {"top_3_accuracy": np.sort(prior)[-3:].sum(),
             "log_loss": -(seen * np.log(seen)).sum(), "brier": 1 - (prior ** 2).sum()}
    errors = dict.fromkeys(("ece", "ece_mass", "class_wise_ece"), 0.0)
    return {name: np.asarray(value) for name, value in (found | errors).items()}


def _counts(support: ArrayLike) -> NDArray[np.float64]:
    counts = np.asarray(support, dtype=np.float64)
    if counts.ndim != 1 or not np.isfinite(counts).all() or (counts < 0).any() or not counts.any():
        raise InputError("support: expected a row of counts, not all 0, got "
                         f"{np.array2string(counts, threshold=5)}.")
    return counts
