"""Scores of the validation part after each epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.assessment.confusion import confusion
from plankton_features.assessment.metrics import scores
from plankton_features.assessment.probability_metrics import log_loss
from plankton_features.heads.predictions import at_real_frequencies

KEPT = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "mcc")


def network_probabilities(logits: np.ndarray, source: NDArray[np.float64]) -> NDArray[np.float64]:
    """The network's own probabilities, 0 for classes that it never trained.

    Parameters
    ----------
    logits : ndarray of float, shape (n, K)
    source : ndarray of float64, shape (K,)
        Class frequencies of training; 0 for absent classes.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Rows sum to 1.
    """
    from scipy.special import softmax

    found = np.zeros(logits.shape)
    seen = source > 0
    found[:, seen] = softmax(logits[:, seen].astype(np.float64), axis=1)
    return found


def validation_scores(y: NDArray[np.int64], logits: np.ndarray, source: NDArray[np.float64],
                      target: NDArray[np.float64]) -> dict[str, Any]:
    """How good answers are.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
    logits : ndarray of float, shape (n, K)
    source, target : ndarray of float64, shape (K,)
        Class frequencies that the network answers for, and the real ones.

    Returns
    -------
    dict of str to float
        Those of `KEPT`, and ``validation_loss``: the log-loss at real frequencies of rows whose
        class was trained; NaN if there is none.
    """
    own = network_probabilities(logits, source)
    corrected = at_real_frequencies(own, source, target)
    found = scores(confusion(y, own.argmax(axis=1), len(source)))
    known = source[y] > 0
    return {"validation_loss": float(log_loss(y[known], corrected[known])) if known.any()
            else float("nan"),
            **{name: float(found[name]) for name in KEPT}}


def better(record: dict[str, Any], metric: str) -> float:
    """The value by which epochs are compared; larger is better, and never NaN."""
    value = -record["validation_loss"] if metric == "loss" else record[metric]
    return value if np.isfinite(value) else -np.inf
