"""What all samplers share: labels as numbers inside, an account of what was done to each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from imblearn.base import BaseSampler
from imblearn.utils import check_target_type
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from plankton_features.errors import PlanktonFeaturesError

Rows = NDArray[np.floating]
Codes = NDArray[np.int64]

UNTOUCHED = "left alone"


@dataclass(frozen=True)
class Outcome:
    """What a sampler made of rows whose classes are the numbers 0..K-1.

    Attributes
    ----------
    kept : ndarray of int64, shape (n_kept,)
        Positions of the rows that stay, ascending.
    how : dict of int to str
        What was done, for the classes that something was done to.
    made : sequence of ndarray of float, shape (..., n_features)
        New rows, in parts (joined once, to save memory).
    codes : ndarray of int64, shape (n_made,)
        Their classes.
    """

    kept: Codes
    how: dict[int, str]
    made: Sequence[Rows] = ()
    codes: Codes = field(default_factory=lambda: np.empty(0, dtype=np.int64))


class Resampler(BaseSampler):
    """Base of this package's samplers.

    Several of imbalanced-learn's samplers fail or go wrong unless labels are 0..K-1 without gaps
    (`InstanceHardnessThreshold` picks probabilities of another class), so they only get to see
    such numbers.
    """

    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Resample a training set.

        Parameters
        ----------
        X : array-like of float, shape (n_rows, n_features)
            Finite; float32 stays float32, whole numbers become float64.
        y : array-like of str or int, shape (n_rows,)
            Labels of at least two classes.

        Returns
        -------
        X_resampled : array-like of float, shape (n_resampled, n_features)
            Rows of `X` in their order, then made rows; `X` itself if nothing changed.
        y_resampled : array-like of str or int, shape (n_resampled,)
            Their labels; none of the classes is missing.

        Raises
        ------
        ValueError
            If parameters or arrays are not as described.
        """
        resampled: tuple[Any, Any] = super().fit_resample(X, y, **params)
        return resampled

    def _check_X_y(self, X: Any, y: Any) -> tuple[Rows, np.ndarray, bool]:
        y, one_vs_all = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_data(self, X, y, reset=True, dtype=[np.float64, np.float32])
        return X, y, one_vs_all

    def _fit_resample(self, X: Rows, y: np.ndarray, **params: Any) -> tuple[Rows, np.ndarray]:
        classes, codes = np.unique(y, return_inverse=True)
        out = self._resample(X, codes, classes)
        after = np.concatenate([codes[out.kept], out.codes])
        self._account(classes.tolist(), codes, after, out.how)
        kept = X if len(out.kept) == len(X) else X[out.kept]
        joined = np.concatenate([kept, *out.made], dtype=X.dtype) if len(out.codes) else kept
        return joined, classes[after]

    def _account(self, classes: list[object], before: Codes, after: Codes,
                 how: dict[int, str]) -> None:
        n_before, n_after = (np.bincount(c, minlength=len(classes)) for c in (before, after))
        vanished = [str(name) for name, n in zip(classes, n_after, strict=True) if n == 0]
        if vanished:
            raise PlanktonFeaturesError(
                f"{type(self).__name__} took every row of {', '.join(vanished)}. This is a "
                "fault of the program; use another sampler.")
        self.before_ = dict(zip(classes, n_before.tolist(), strict=True))
        self.after_ = dict(zip(classes, n_after.tolist(), strict=True))
        self.done_ = {name: how.get(code, UNTOUCHED) for code, name in enumerate(classes)}

    def _resample(self, X: Rows, codes: Codes, classes: np.ndarray) -> Outcome:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.dataframe = False  # dense ones do work; the tag promises sparse ones too
        return tags
