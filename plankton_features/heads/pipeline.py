"""What the user chose for a head, and the pipeline that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from plankton_features.errors import InputError
from plankton_features.heads.calibrators import CALIBRATIONS
from plankton_features.heads.classifiers import classifier_name, known, make_classifier
from plankton_features.heads.sampling.names import make_sampler


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
        rows: np.ndarray = validate_data(self, X, dtype=(np.float64, np.float32),
                                      ensure_min_samples=2)
        if self.n_components < 1:
            raise InputError(f"pca: expected 1 or more components, got {self.n_components}.")
        # Without a copy of X, and exact; it needs more rows than values to be precise.
        solver = "covariance_eigh" if rows.shape[0] > rows.shape[1] else "full"
        self.pca_ = PCA(min(self.n_components, *rows.shape), svd_solver=solver).fit(rows)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
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
        reduced: np.ndarray = self.pca_.transform(X)
        return reduced

    @property
    def _n_features_out(self) -> int:
        return int(self.pca_.n_components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def head_pipeline(classifier: Any = "logistic", sampler: str = "none", pca: int | None = 256,
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
    >>> [name for name, _ in head_pipeline(sampler="random-under+smote", cap=300, floor=50).steps]
    ['scale', 'pca', 'random-under', 'smote', 'classifier']
    """
    from imblearn.pipeline import Pipeline

    steps: list[tuple[str, Any]] = [("scale", StandardScaler())]
    if pca is not None:
        steps.append(("pca", UpToPCA(pca)))
    steps += make_sampler(sampler, floor=floor, cap=cap, seed=seed)
    steps.append(("classifier", make_classifier(classifier, seed, sampler == "class-weight")))
    return Pipeline(steps)


@dataclass(frozen=True)
class HeadOptions:
    """What the user chose for a head; the defaults are those of ``fit-head``.

    Attributes
    ----------
    classifier, sampler, pca, floor, cap, seed
        See `head_pipeline`; a name of `CLASSIFIERS`, or any scikit-learn classifier.
    calibration : {"temperature", "isotonic", "sigmoid", "none"}
    min_precision : float or None
        Promised precision in (0, 1]; below the thresholds that keep it, the head abstains.

    Raises
    ------
    InputError
        If a value is not allowed.
    """

    classifier: Any = "logistic"
    sampler: str = "none"
    pca: int | None = 256
    floor: int | str | None = None
    cap: int | None = None
    calibration: str = "temperature"
    min_precision: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.calibration not in CALIBRATIONS:
            raise InputError(f"calibration '{self.calibration}' is not known. Choose one of: "
                             f"{', '.join(CALIBRATIONS)}.")
        if self.min_precision is not None and not 0 < self.min_precision <= 1:
            raise InputError(f"min-precision: expected a number above 0, up to 1, got "
                             f"{self.min_precision}.")
        self.pipeline()

    @property
    def candidates(self) -> tuple[dict[str, Any], ...]:
        """Parameters of the classifier to choose from."""
        return known(self.classifier).candidates

    @property
    def warm_start(self) -> bool:
        """Whether each candidate's fit begins at the solution of the last."""
        return known(self.classifier).warm_start

    @property
    def chooses(self) -> bool:
        """Whether rows that are neither trained on nor scored are needed for choices."""
        return (len(self.candidates) > 1 or self.calibration != "none"
                or self.min_precision is not None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; a classifier of one's own by how it is made."""
        return {**vars(self), "classifier": classifier_name(self.classifier)}

    def pipeline(self) -> Any:
        """The pipeline, not fitted."""
        return head_pipeline(self.classifier, self.sampler, self.pca, self.floor, self.cap,
                             self.seed)
