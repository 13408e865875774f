"""Over-sampling up to a floor."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from plankton_features.heads.sampling.base import Codes, Outcome, Resampler, Rows
from plankton_features.heads.sampling.growing import VARIANTS, Growth, copies, smote, variant
from plankton_features.heads.sampling.limits import Floor

#: Rows that each class is brought to unless told otherwise.
DEFAULT_FLOOR = 100

FLOOR_KINDS = ("random-over", "smote", *VARIANTS)


class FloorSampler(Resampler):
    """Bring every class to at least `floor` rows; classes that have them are left alone.

    Each class ends with exactly the floor, whatever the kind. A class too small or unsuited for
    the kind gets the nearest thing that works, and `done_` says so.

    Parameters
    ----------
    kind : {"random-over", "smote", "borderline-smote", "svm-smote", "adasyn", "kmeans-smote"}
        How rows are made: copied, or interpolated within the class by SMOTE or a variant.
    floor : int or "balance", default=100
        Rows; ``balance`` is the size of the largest class, which multiplies long-tailed data:
        see `check_memory`.
    k_neighbors : int, default=5
        Neighbours that rows are interpolated with; lowered for classes with fewer.
    random_state : int, RandomState or None, default=None
        Of all draws.

    Attributes
    ----------
    done_ : dict of label to str
        What was done to each class.
    before_, after_ : dict of label to int
        Rows of each class.
    sampling_strategy_ : dict of label to int
        Rows to make.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).normal(size=(12, 3)), ["krill"] * 2 + ["copepod"] * 10
    >>> sampler = FloorSampler("smote", floor=5, random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> sampler.after_, sampler.done_["krill"]
    ({'copepod': 10, 'krill': 5}, 'SMOTE with k = 1 (2 rows)')
    """

    _sampling_type = "over-sampling"
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "kind": [StrOptions(set(FLOOR_KINDS))],
        "floor": [Interval(Integral, 1, None, closed="left"), StrOptions({"balance"})],
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, kind: str = "smote", floor: int | str = DEFAULT_FLOOR,
                 k_neighbors: int = 5, random_state: Any = None):
        self.kind = kind
        self.floor = floor
        self.k_neighbors = k_neighbors
        self.random_state = random_state

    @property
    def sampling_strategy(self) -> Floor:
        """The floor as imbalanced-learn asks for it."""
        return Floor(self.floor)

    def _resample(self, X: Rows, codes: Codes, classes: np.ndarray) -> Outcome:
        wanted = self.sampling_strategy(codes)
        rows, how = self._grow(X, codes, wanted)
        grown = sorted(rows)
        of = np.repeat(np.array(grown, dtype=np.int64), [len(rows[code]) for code in grown])
        return Outcome(np.arange(len(X)), how, [rows[code] for code in grown], of)

    def _grow(self, X: Rows, codes: Codes, wanted: dict[int, int]) -> Growth:
        if self.kind == "random-over":
            return copies(X, codes, wanted, self.random_state)
        if self.kind == "smote":
            return smote(X, codes, wanted, self.k_neighbors, self.random_state)
        return variant(self.kind, X, codes, wanted, self.k_neighbors, self.random_state)
