"""Probabilities for other class frequencies than those that trained the classifier."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plankton_features.assessment.checks import as_probabilities
from plankton_features.assessment.confusion import Floats
from plankton_features.errors import InputError


def correct_priors(probabilities: ArrayLike, source: ArrayLike, target: ArrayLike) -> Floats:
    """Undo what resampling did to probabilities: p * target / source, renormalised.

    Right where only class frequencies differ between training and use, not how a class looks.
    With `source` and `target` exchanged it is its own inverse.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_rows, K)
        Of a classifier trained with frequencies `source`; in [0, 1], rows sum to 1.
    source : array-like of float, shape (K,)
        Frequencies or counts after resampling (equal ones for balanced class weights), above 0.
    target : array-like of float, shape (K,)
        Frequencies or counts where the classifier is used, at least 0, not all 0. A class of
        frequency 0 gets probability 0, which cannot be undone.

    Returns
    -------
    ndarray of float64, shape (n_rows, K)
        Rows sum to 1.

    Raises
    ------
    InputError
        If arrays do not fit or are out of range, or a row gives all its probability to classes
        of frequency 0.

    References
    ----------
    Saerens et al. 2002, doi:10.1162/089976602753284446; Elkan 2001, The foundations of
    cost-sensitive learning, IJCAI.

    Examples
    --------
    >>> correct_priors([[0.5, 0.5]], source=[1, 1], target=[9, 1]).tolist()
    [[0.9, 0.1]]
    """
    p = as_probabilities(probabilities)
    factors = _shares(target, p.shape[1], "target") / _positive(source, p.shape[1])
    weighted = p * factors
    sums: Floats = weighted.sum(axis=1, keepdims=True)
    if not sums.all():
        raise InputError(f"target: {int((sums == 0).sum())} rows give all their probability to "
                         "classes of frequency 0. Give those classes a small frequency.")
    return weighted / sums


def _shares(frequencies: ArrayLike, n_classes: int, name: str) -> Floats:
    values = np.asarray(frequencies, dtype=np.float64)
    if values.shape != (n_classes,):
        raise InputError(f"{name}: expected one frequency for each of {n_classes} classes, got "
                         f"shape {values.shape}.")
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise InputError(f"{name}: expected frequencies of at least 0, not all 0, got "
                         f"{values.min():g}..{values.max():g}.")
    return values / np.float64(values.sum())


def _positive(source: ArrayLike, n_classes: int) -> Floats:
    shares = _shares(source, n_classes, "source")
    if not shares.all():
        raise InputError(f"source: class {int(shares.argmin())} has frequency 0, so the "
                         "classifier never saw it. Leave it out of the probabilities.")
    return shares
