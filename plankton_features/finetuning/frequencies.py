"""Losses that make up for unequal classes, and the class frequencies that training leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError
from plankton_features.finetuning.draws import SAMPLERS


def class_weights(counts: ArrayLike) -> NDArray[np.float64]:
    """Weights in the loss with which every class weighs the same: n / (K * n_k).

    The ``balanced`` weights of scikit-learn.

    Parameters
    ----------
    counts : array-like of float, shape (K,)
        Rows of each class, at least 0, not all 0; absent classes do not count in K.

    Returns
    -------
    ndarray of float64, shape (K,)
        0 for absent classes. The mean over rows is 1.

    Raises
    ------
    InputError
        If counts are not as above.

    Examples
    --------
    >>> class_weights([6, 2, 0]).tolist()
    [0.6666666666666666, 2.0, 0.0]
    """
    n = _checked(counts, "counts")
    present = n > 0
    equal_share = np.float64(n.sum() / present.sum())
    return np.divide(equal_share, n, out=np.zeros_like(n), where=present)


def logit_offsets(counts: ArrayLike, tau: float) -> NDArray[np.float64]:
    """What the loss adds to the logits: tau * log(frequency).

    Parameters
    ----------
    counts : array-like of float, shape (K,)
        Rows of each class, at least 0, not all 0. An absent class gets the offset of a class of
        one row.
    tau : float
        At least 0; with 1 the network's own softmax is that of equal classes.

    Returns
    -------
    ndarray of float64, shape (K,)
        Finite, at most 0.

    Raises
    ------
    InputError
        If counts or tau are not as above.

    References
    ----------
    Menon et al. 2021, arXiv:2007.07314, equation 10.

    Examples
    --------
    >>> logit_offsets([90, 10], tau=1.0).round(3).tolist()
    [-0.105, -2.303]
    """
    n = _checked(counts, "counts")
    return _checked_tau(tau) * np.log(np.where(n > 0, n, 1) / np.float64(n.sum()))


def implied_frequencies(counts: ArrayLike, epoch_counts: ArrayLike, sampler: str,
                        tau: float = 1.0) -> NDArray[np.float64]:
    """Class frequencies to which the network's own softmax corresponds.

    They are the `source` of `plankton_features.assessment.priors.correct_priors`.

    Parameters
    ----------
    counts : array-like of float, shape (K,)
        From which `class_weights` of the loss were computed.
    epoch_counts : array-like of float, shape (K,)
        From `expected_counts`, and what `logit_offsets` were computed from.
    sampler : str
        A name in `plankton_features.finetuning.draws.SAMPLERS`: with ``class-weight`` the
        frequencies are epoch_counts * weights (equal ones if `counts` are `epoch_counts`), with
        ``logit-adjustment`` epoch_counts ** (1 - tau), otherwise epoch_counts.
    tau : float, default=1.0
        At least 0; of ``logit-adjustment`` only.

    Returns
    -------
    ndarray of float64, shape (K,)
        Sum 1; 0 for absent classes.

    Raises
    ------
    InputError
        If there is no such sampler, tau is below 0, or counts are not of the same classes.

    Examples
    --------
    >>> implied_frequencies([90, 10], [90, 10], "class-weight").tolist()
    [0.5, 0.5]
    >>> implied_frequencies([90, 10], [90, 10], "logit-adjustment", tau=0.5).tolist()
    [0.75, 0.25]
    """
    n, seen = _checked(counts, "counts"), _checked(epoch_counts, "epoch_counts")
    if n.shape != seen.shape or ((n > 0) != (seen > 0)).any():
        raise InputError("epoch_counts: expected rows of the classes that have counts, and of no "
                         "others. Take them from expected_counts of the same rows.")
    if sampler not in SAMPLERS:
        raise InputError(f"sampler '{sampler}': expected one of {', '.join(SAMPLERS)}.")
    if sampler == "class-weight":
        seen = seen * class_weights(n)
    elif sampler == "logit-adjustment":
        seen = np.where(seen > 0, np.where(seen > 0, seen, 1) ** (1 - _checked_tau(tau)), 0)
    return seen / np.float64(seen.sum())


def _checked(counts: ArrayLike, name: str) -> NDArray[np.float64]:
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise InputError(f"{name}: expected one number of at least 0 for each class, not all 0, "
                         f"got {values.tolist()}.")
    return values


def _checked_tau(tau: float) -> float:
    if not (np.isfinite(tau) and tau >= 0):
        raise InputError(f"tau: expected a number of at least 0, got {tau}. Try 1.")
    return tau
