"""The pipeline that is fitted: scaling, PCA, samplers, classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from plankton_features.errors import InputError
from plankton_features.heads.classifiers import make_classifier
from plankton_features.heads.sampling import make_sampler


class UpToPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """PCA with up to `n_components`, fewer where there are fewer rows or values.

    Parameters
    ----------
    n_components : int, default=256

    Attributes
    ----------
    pca_ : sklearn.decomposition.PCA
        Fitted with what is possible.

    Examples
    --------
    >>> UpToPCA(256).fit_transform(np.eye(5, 3)).shape
    (5, 3)
    """

    def __init__(self, n_components: int = 256):
        self.n_components = n_components

    def fit(self, X: ArrayLike, y: object = None) -> UpToPCA:
        """Fit.

        Parameters
        ----------
        X : array-like of float, shape (n_rows, n_values)
        y : ignored

        Returns
        -------
        UpToPCA
        """
        rows: NDArray = validate_data(self, X, dtype=(np.float64, np.float32),
                                      ensure_min_samples=2)
        if self.n_components < 1:
            raise InputError(f"pca: expected 1 or more components, got {self.n_components}.")
        # Without a copy of X, and exact; it needs more rows than values to be precise.
        solver = "covariance_eigh" if rows.shape[0] > rows.shape[1] else "full"
        self.pca_ = PCA(min(self.n_components, *rows.shape), svd_solver=solver).fit(rows)
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Project.

        Parameters
        ----------
        X : array-like of float, shape (n_rows, n_values)

        Returns
        -------
        ndarray of float, shape (n_rows, n_components of `pca_`)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return self.pca_.transform(X)

    @property
    def _n_features_out(self) -> int:
        return self.pca_.n_components_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def make_head(classifier: Any = "logistic", sampler: str = "none", pca: int | None = 256,
              floor: int | str | None = None, cap: int | None = None, seed: int = 0) -> Any:
    """The pipeline that ``fit-head`` fits, not fitted; any step can be changed.

    Parameters
    ----------
    classifier : str or scikit-learn classifier, default="logistic"
        A key of `classifiers.CLASSIFIERS`, or any classifier, which is cloned.
    sampler : str, default="none"
        A key of `sampling.SAMPLERS`, or two of them joined by ``+``.
    pca : int or None, default=256
        Components kept at most; None for no PCA.
    floor, cap : int, optional
        Rows that every class is brought up to at least, and down to at most, in training folds.
    seed : int, default=0

    Returns
    -------
    imblearn.pipeline.Pipeline
        Steps ``scale``, ``pca``, those of the sampler, ``classifier``. Samplers work in ``fit``
        only, so ``cross_validate`` never resamples the rows it scores.

    Raises
    ------
    InputError
        If a name or number is not known or does not fit.

    Examples
    --------
    >>> [name for name, _ in make_head(sampler="random-under+smote", cap=300, floor=50).steps]
    ['scale', 'pca', 'random-under', 'smote', 'classifier']
    """
    from imblearn.pipeline import Pipeline

    steps: list[tuple[str, Any]] = [("scale", StandardScaler())]
    if pca is not None:
        steps.append(("pca", UpToPCA(pca)))
    steps += make_sampler(sampler, floor=floor, cap=cap, seed=seed)
    steps.append(("classifier", make_classifier(classifier, seed, sampler == "class-weight")))
    return Pipeline(steps)
