"""The head: what turns vectors into taxa and honest probabilities."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from plankton_features.errors import HeadError, InputError
from plankton_features.heads.file.pipeline_archive import Archive, pack_pipeline
from plankton_features.heads.head_parts import check_parts, prediction_pipeline
from plankton_features.heads.predictions import (
    Predictions,
    all_class_scores,
    at_real_frequencies,
    decide,
)

if TYPE_CHECKING:
    from plankton_features.heads.calibrators import Calibrator

Floats = NDArray[np.float64]

_PACKAGES = ("plankton_features", "scikit-learn", "numpy", "skops")


@dataclass(frozen=True, eq=False)
class Head:
    """A fitted classifier with all that its predictions need. It is no estimator: it is not fitted.

    Two outputs are kept apart on purpose. The *decision* keeps what resampling changed (rare
    classes win more often); the *probability* is corrected to the class frequencies of the
    training rows and calibrated, so that sums of it are expected numbers.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, of scaler, PCA and classifier; its classes are whole numbers in 0..K-1. Samplers
        and what only training needs are left out, and it predicts in one thread, so that sums
        over the trees of a forest have one order and repeat to the last bit.
    classes : array-like of str, shape (K,)
        Names of the classes, all different.
    source : array-like of float, shape (K,)
        Class frequencies or counts that the classifier was fitted with: after resampling, or
        equal ones for class weights.
    target : array-like of float, shape (K,)
        Class frequencies or counts of the training rows before resampling.
    calibrator : Calibrator
        Fitted out-of-fold on corrected probabilities.
    thresholds : array-like of float, shape (K,), or None
        Least probability at which a prediction of each class is accepted; infinite: never.
    recipe : dict
        Fields of the recipe of the vectors; empty of a head that was fitted on an array, which
        does not say how vectors are made of images.
    recipe_id : str
    feature_names : sequence of str
        One for each of the d values of a vector.
    info : dict
        What people may want to know of it; goes to JSON. Versions are added if not there.

    Raises
    ------
    InputError
        If the parts do not fit together.

    References
    ----------
    Saerens et al. 2002, doi:10.1162/089976602753284446, for the correction.
    """

    pipeline: Pipeline
    classes: NDArray[np.str_]
    source: Floats
    target: Floats
    calibrator: Calibrator
    thresholds: Floats | None
    recipe: dict[str, Any]
    recipe_id: str
    feature_names: tuple[str, ...]
    info: dict[str, Any]

    def __post_init__(self) -> None:
        fixed = {
            "pipeline": prediction_pipeline(self.pipeline),
            "classes": np.array([str(name) for name in self.classes], dtype=np.str_),
            "source": np.array(self.source, np.float64),
            "target": np.array(self.target, np.float64),
            "thresholds": None if self.thresholds is None else np.array(self.thresholds,
                                                                        np.float64),
            "recipe": dict(self.recipe), "recipe_id": str(self.recipe_id),
            "feature_names": tuple(map(str, self.feature_names)),
            "info": {"versions": {name: version(name) for name in _PACKAGES}, **self.info},
        }
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        check_parts(self.pipeline, self.classes, self.source, self.target, self.thresholds,
                    self.calibrator)

    def decision_scores(self, X: ArrayLike) -> Floats:
        """The classifier's own probabilities, neither corrected nor calibrated.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        ndarray of float64, shape (n, K)
            Rows sum to 1; 0 for classes that the classifier never saw.

        Raises
        ------
        InputError
            If vectors have another length, or values that are not finite.
        """
        return all_class_scores(self.pipeline, self._checked(X), len(self.classes))

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Corrected and calibrated probabilities.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        ndarray of float64, shape (n, K)
            Rows sum to 1.

        Raises
        ------
        InputError
            See `decision_scores`.
        """
        return self._probabilities(self.decision_scores(X))

    def predict(self, X: ArrayLike) -> NDArray[np.str_]:
        """Taxa: the classifier's own decision.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        ndarray of str, shape (n,)
            Of `classes`.

        Raises
        ------
        InputError
            See `decision_scores`.
        """
        return self.classes[self.classify(X).code]

    def classify(self, X: ArrayLike) -> Predictions:
        """Taxa as numbers, probabilities and whether to accept them.

        Parameters
        ----------
        X : array-like of float, shape (n, d)

        Returns
        -------
        Predictions

        Raises
        ------
        InputError
            See `decision_scores`.
        """
        scores = self.decision_scores(X)
        return decide(scores, self._probabilities(scores), self.thresholds)

    @property
    def head_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of its content, the same in every copy.

        Of a classifier that no file can hold, its description alone counts.
        """
        try:
            pipeline = self.archive.digest
        except HeadError:
            pipeline = ""
        content = hashlib.sha256(self.description).hexdigest() + pipeline
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def vectors_of(self) -> str:
        """In words, where the vectors come from that it was fitted on."""
        values = f"an array of {len(self.feature_names):,} values"
        return f"recipe {self.recipe_id}" if self.recipe else values

    @cached_property
    def description(self) -> bytes:
        """Everything but the pipeline, as canonical JSON; numbers that JSON lacks are text."""
        thresholds = self.thresholds
        parts = {
            "classes": self.classes.tolist(), "source": self.source.tolist(),
            "target": self.target.tolist(), "calibrator": self.calibrator.to_dict(),
            "thresholds": None if thresholds is None else
            [t if np.isfinite(t) else str(t) for t in thresholds.tolist()],
            "recipe": self.recipe, "recipe_id": self.recipe_id,
            "feature_names": self.feature_names, "info": self.info,
        }
        try:
            return json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False,
                              separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            raise InputError("head: info, recipe and calibrator must be plain JSON values "
                             f"({error}). Write NaN as None.") from error

    @cached_property
    def archive(self) -> Archive:
        """The pipeline as it stands in a file."""
        return pack_pipeline(self.pipeline)

    @property
    def version_note(self) -> str:
        """What to know if it was fitted with another scikit-learn than is here; else empty."""
        made = str(self.info["versions"].get("scikit-learn", "an unknown version"))
        here = version("scikit-learn")
        if made.split(".")[:2] == here.split(".")[:2]:
            return ""
        return (f"fitted with scikit-learn {made}, here is {here}: probabilities may differ. "
                "Install that version, or fit anew, to be sure.")

    def _checked(self, X: ArrayLike) -> NDArray[np.float32]:
        try:
            vectors = np.asarray(X, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(f"vectors: expected numbers ({error}).") from error
        d = len(self.feature_names)
        if vectors.ndim != 2 or vectors.shape[1] != d:
            raise InputError(f"vectors: expected shape (rows, {d}) as of {self.vectors_of}, got "
                             f"{vectors.shape}.")
        if not np.isfinite(vectors).all():
            row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise InputError(f"vectors: expected finite numbers, row {row} has others. Extract "
                             "the features anew.")
        return vectors

    def _probabilities(self, scores: Floats) -> Floats:
        if not len(scores):
            return scores
        corrected = at_real_frequencies(scores, self.source, self.target)
        return np.asarray(self.calibrator.apply(corrected), np.float64)
