"""Under-sampling down to a cap."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from imblearn.under_sampling import (
    ClusterCentroids,
    InstanceHardnessThreshold,
    NearMiss,
    RandomUnderSampler,
)
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from plankton_features.heads.sampling.base import Codes, Outcome, Resampler, Rows
from plankton_features.heads.sampling.limits import Cap

#: Rows that each class is cut to unless told otherwise.
DEFAULT_CAP = 300

#: Name of a sampler -> what it does to a class that has too many rows.
CAP_KINDS = {"random-under": "cut at random",
             "near-miss": "cut to the rows nearest the rarest class",
             "instance-hardness": "cut to the rows easiest to classify",
             "cluster-centroids": "replaced by centroids of clusters"}

#: What scikit-learn says of classes with fewer rows than folds; expected, and of no consequence
#: to the larger classes that are cut.
TINY_CLASSES = ("The least populated class", "Number of classes in training fold",
                 "Only one sample available")


class CapSampler(Resampler):
    """Cut every class to at most `cap` rows; classes that have no more are left alone.

    Parameters
    ----------
    kind : {"random-under", "near-miss", "instance-hardness", "cluster-centroids"}
        Which rows stay: random ones, those nearest to the rarest class (NearMiss-1), those that
        a linear discriminant classifies best out-of-fold, or none but the means of clusters.
    cap : int, default=300
        Rows.
    random_state : int, RandomState or None, default=None
        Of all draws.

    Attributes
    ----------
    done_ : dict of label to str
        What was done to each class.
    before_, after_ : dict of label to int
        Rows of each class.
    sampling_strategy_ : dict of label to int
        Rows to keep of the classes that are cut.

    References
    ----------
    NearMiss: Mani & Zhang 2003, ICML workshop on learning from imbalanced data sets. Instance
    hardness: Smith et al. 2014, doi:10.1007/s10994-013-5422-z.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).normal(size=(12, 3)), ["krill"] * 2 + ["copepod"] * 10
    >>> sampler = CapSampler("random-under", cap=5, random_state=0)
    >>> X_less, y_less = sampler.fit_resample(X, y)
    >>> sampler.after_, sampler.done_["copepod"]
    ({'copepod': 5, 'krill': 2}, 'cut at random')
    """

    _sampling_type = "under-sampling"
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "kind": [StrOptions(set(CAP_KINDS))],
        "cap": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, kind: str = "random-under", cap: int = DEFAULT_CAP,
                 random_state: Any = None):
        self.kind = kind
        self.cap = cap
        self.random_state = random_state

    @property
    def sampling_strategy(self) -> Cap:
        """The cap as imbalanced-learn asks for it."""
        return Cap(self.cap)

    def _resample(self, X: Rows, codes: Codes, classes: np.ndarray) -> Outcome:
        wanted = self.sampling_strategy(codes)
        if not wanted:
            return Outcome(np.arange(len(X)), {})
        if self.kind == "cluster-centroids":
            return self._centroids(X, codes, wanted)
        text = CAP_KINDS[self.kind]
        if self.kind == "near-miss":
            nearest = min(3, int(np.bincount(codes).min()))
            kept = _selected(NearMiss(sampling_strategy=wanted, n_neighbors=nearest), X, codes)
        elif self.kind == "instance-hardness":
            kept, text = self._easiest(X, codes, wanted)
        else:
            kept = self._drawn(X, codes, wanted)
        return Outcome(kept, dict.fromkeys(wanted, text))

    def _drawn(self, X: Rows, codes: Codes, wanted: dict[int, int]) -> Codes:
        return _selected(RandomUnderSampler(sampling_strategy=wanted,
                                            random_state=self.random_state), X, codes)

    def _easiest(self, X: Rows, codes: Codes, wanted: dict[int, int]) -> tuple[Codes, str]:
        judge = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        sampler = InstanceHardnessThreshold(
            estimator=judge, cv=min(5, int(np.bincount(codes).max())), sampling_strategy=wanted,
            random_state=self.random_state)
        try:
            with _silent_about_tiny_classes():
                kept = _selected(sampler, X, codes)
        except ValueError as error:  # a fold has too few rows or classes
            return self._drawn(X, codes, wanted), f"cut at random instead of by hardness: {error}"
        return self._without_ties(kept, codes, wanted), CAP_KINDS[self.kind]

    def _without_ties(self, kept: Codes, codes: Codes, wanted: dict[int, int]) -> Codes:
        """Instance hardness keeps all rows at the threshold; probabilities of 0 or 1 abound."""
        rng = check_random_state(self.random_state)
        for code, n in wanted.items():
            mine = np.flatnonzero(codes[kept] == code)
            kept = np.delete(kept, rng.permutation(mine)[n:])
        return kept

    def _centroids(self, X: Rows, codes: Codes, wanted: dict[int, int]) -> Outcome:
        sampler = ClusterCentroids(sampling_strategy=wanted, random_state=self.random_state)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
            rows, of = sampler.fit_resample(X, codes)
        made, kept = np.isin(of, list(wanted)), ~np.isin(codes, list(wanted))
        return Outcome(np.flatnonzero(kept), dict.fromkeys(wanted, CAP_KINDS[self.kind]),
                       [rows[made]], of[made])


def _selected(sampler: Any, X: Rows, codes: Codes) -> Codes:
    sampler.fit_resample(X, codes)
    return np.sort(sampler.sample_indices_)


@contextmanager
def _silent_about_tiny_classes() -> Iterator[None]:
    with warnings.catch_warnings():
        for begin in TINY_CLASSES:
            warnings.filterwarnings("ignore", begin)
        yield
