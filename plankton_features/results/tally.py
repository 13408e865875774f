"""Sums over predictions, which need no more memory for more of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from plankton_features.assessment.metrics import scores
from plankton_features.heads import Predictions


class Tally:
    """Sums over pictures, duplicates left out.

    Parameters
    ----------
    classes : ndarray of str, shape (K,)

    Attributes
    ----------
    n : int
        Pictures.
    n_duplicates : int
        Further paths of them.
    confusion : ndarray of int64, shape (K, K)
        Of pictures whose label is one of `classes`; rows true, columns predicted.
    unknown : dict of str to int
        Pictures with another label.
    """

    def __init__(self, classes: ArrayLike):
        self.classes = np.asarray(classes)
        k = len(self.classes)
        self._codes = {name: i for i, name in enumerate(self.classes.tolist())}
        self.n = self.n_duplicates = 0
        self._count, self._abstained = np.zeros(k, np.int64), np.zeros(k, np.int64)
        self._sure, self._expected = np.zeros(k), np.zeros(k)
        self.confusion = np.zeros((k, k), np.int64)
        self.unknown: dict[str, int] = {}

    def add(self, found: Predictions, labels: ArrayLike = ()) -> None:
        """Count predictions.

        Parameters
        ----------
        found : Predictions
            Of n pictures.
        labels : array-like of str, shape (n,), optional
            Empty where unknown.
        """
        k = len(self.classes)
        self.n += len(found)
        self._count += np.bincount(found.code, minlength=k)
        self._abstained += np.bincount(found.code[~found.accepted], minlength=k)
        self._sure += np.bincount(found.code, found.probability, minlength=k)
        self._expected += found.probabilities.sum(axis=0)
        for label, code in zip(np.asarray(labels, dtype=object), found.code, strict=False):
            if label in self._codes:
                self.confusion[self._codes[label], code] += 1
            elif label:
                self.unknown[label] = self.unknown.get(label, 0) + 1

    def table(self) -> pd.DataFrame:
        """One row for each class, most pictures first.

        Returns
        -------
        DataFrame
            ``taxon``; ``images`` predicted so; their ``share`` of all; ``probability``, the mean
            of theirs (NaN without any); ``abstained``, how many of them; ``expected``, the sum of
            this taxon's probability over all pictures: the number of them that should be it.
        """
        with np.errstate(invalid="ignore"):
            table = pd.DataFrame({
                "taxon": self.classes, "images": self._count,
                "share": self._count / max(self.n, 1), "probability": self._sure / self._count,
                "abstained": self._abstained, "expected": self._expected})
        return table.sort_values(["images", "expected"], ascending=False, kind="stable",
                                 ignore_index=True)

    @property
    def n_labelled(self) -> int:
        """Pictures in `confusion`."""
        return int(self.confusion.sum())

    def scores(self) -> dict[str, float]:
        """``accuracy``, ``macro_f1`` and more of the labelled pictures; see `metrics.scores`."""
        return {name: float(value) for name, value in scores(self.confusion).items()}
