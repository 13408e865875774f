"""The head as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from plankton_features.errors import InputError
from plankton_features.heads.fitting import FitResult, fit_head
from plankton_features.heads.head import Head
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.predictions import Predictions
from plankton_features.heads.validation.folds import make_folds, rows_together

_FEWEST_FOLDS = 3


class HeadClassifier(ClassifierMixin, BaseEstimator):
    """What ``fit-head`` fits, for `cross_val_score`, `GridSearchCV` and pipelines.

    Scaling, PCA, sampler and classifier are fitted on the rows given. Strength of the penalty or
    number of neighbours, calibration and thresholds are chosen by folds within these rows, so a
    row that is scored from outside has chosen nothing. Probabilities are corrected to the class
    frequencies of the training rows and calibrated.

    Parameters
    ----------
    classifier : str or scikit-learn classifier, default="logistic"
        A key of `classifiers.CLASSIFIERS`, or any classifier with ``predict_proba`` or
        ``decision_function``, which is cloned.
    sampler : str, default="none"
        A key of `sampling.SAMPLERS`, or two of them joined by ``+``.
    pca : int or None, default=256
        Components kept at most; None for no PCA.
    floor, cap : int, optional
        Rows that the sampler brings every class up to at least, and down to at most.
    calibration : {"temperature", "isotonic", "sigmoid", "none"}, default="temperature"
    min_precision : float, optional
        Promised precision in (0, 1], for `classify`.
    folds : int, default=5
        Folds within the training rows, at least 3; fewer are made where there are fewer groups,
        or fewer rows of the largest class.
    seed : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        As in `y`.
    head_ : Head
        For `save_head`; its classes are the names of `classes_`, in the order of text.
    result_ : FitResult
        The folds' predictions, for `describe_fit`.
    n_features_in_ : int

    See Also
    --------
    fit_head : The same on a feature file, with folds of one's own.

    Examples
    --------
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> from sklearn.model_selection import cross_val_score
    >>> bool(cross_val_score(HeadClassifier(), X, labels, cv=3).mean() > 0.9)
    True
    """

    def __init__(self, classifier: Any = "logistic", sampler: str = "none", *,
                 pca: int | None = 256, floor: int | str | None = None, cap: int | None = None,
                 calibration: str = "temperature", min_precision: float | None = None,
                 folds: int = 5, seed: int = 0):
        self.classifier = classifier
        self.sampler = sampler
        self.pca = pca
        self.floor = floor
        self.cap = cap
        self.calibration = calibration
        self.min_precision = min_precision
        self.folds = folds
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> HeadClassifier:
        """Choose and fit.

        Parameters
        ----------
        X : array-like of float, shape (n, d)
        y : array-like of str or int, shape (n,)
        groups : array-like, shape (n,), optional
            Sampling unit of each row: rows of one are never parted by the folds within.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If an option is not allowed, there are fewer than two classes, or too few rows or
            groups for three folds.
        """
        X, y = validate_data(self, X, y, dtype=np.float32, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        names = self.classes_.astype(np.str_)
        if len(np.unique(names)) < len(names):
            raise InputError("labels: two of them are written alike. Give text, or numbers of one "
                             "kind.")
        options = HeadOptions(self.classifier, self.sampler, self.pca, self.floor, self.cap,
                              self.calibration, self.min_precision, self.seed)
        folds = make_folds(codes, groups=groups, n_folds=self._n_folds(codes, groups),
                           seed=self.seed)
        self.result_: FitResult = fit_head(X, names[codes], folds, options)
        self.head_: Head = self.result_.head
        #: Of each of `classes_`, its number in the head.
        self._numbers = np.argsort(np.argsort(names))
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Taxa: the classifier's own decision, which keeps what resampling changed.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        ndarray of shape (n,)
            Of `classes_`.
        """
        code = self.classify(X).code
        return self.classes_[np.argsort(self._numbers)[code]]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Corrected and calibrated probabilities.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        ndarray of float64, shape (n, K)
            Columns in the order of `classes_`; rows sum to 1.
        """
        probabilities = self.classify(X).probabilities
        return probabilities[:, self._numbers]

    def classify(self, X: ArrayLike) -> Predictions:
        """What the head says of each row, with whether it is accepted.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        Predictions
            Its codes are numbers of ``head_.classes``.
        """
        check_is_fitted(self)
        return self.head_.classify(validate_data(self, X, dtype=np.float32, reset=False))

    def _n_folds(self, codes: np.ndarray, groups: ArrayLike | None) -> int:
        """Those asked for, or as many as there can be."""
        n_units = len(np.unique(rows_together(len(codes), groups)))
        most = min(n_units, int(np.bincount(codes).max()))
        return max(min(self.folds, most), min(self.folds, _FEWEST_FOLDS))
