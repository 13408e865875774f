"""Cleaning: rows that sit among those of other classes are dropped."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from imblearn.under_sampling import (
    EditedNearestNeighbours,
    NeighbourhoodCleaningRule,
    TomekLinks,
)
from sklearn.utils._param_validation import StrOptions

from plankton_features.heads.sampling.base import Codes, Outcome, Resampler, Rows

CLEANING_KINDS = ("tomek", "edited-neighbours", "neighbourhood-cleaning")

#: A class is not cleaned below so many rows; smaller ones lose none.
LEAST_ROWS = 10

_NEIGHBORS = 3


class CleaningSampler(Resampler):
    """Drop rows that sit among those of other classes; a class that would shrink too far stays.

    On overlapping classes these rules can take all rows of a class. Here one that would keep
    fewer than 10 rows, or had fewer and would lose any, stays as it was.

    Parameters
    ----------
    kind : {"tomek", "edited-neighbours", "neighbourhood-cleaning"}
        Drop rows of Tomek links (two classes, each the other's next row); rows with any other
        class among their three next ones; or the rows that Laurikkala's rule names.
    sampling_strategy : {"auto", "all"} or list of labels, default="auto"
        Classes to clean, as in imbalanced-learn: ``auto`` spares the smallest class.

    Attributes
    ----------
    done_ : dict of label to str
        What was done to each class.
    before_, after_ : dict of label to int
        Rows of each class.
    sampling_strategy_ : dict
        Its keys are the classes to clean.

    References
    ----------
    Tomek 1976, doi:10.1109/TSMC.1976.4309452. Wilson 1972, doi:10.1109/TSMC.1972.4309137.
    Laurikkala 2001, doi:10.1007/3-540-48229-6_9.

    Examples
    --------
    >>> X = np.r_[np.arange(20.0), 4.9][:, None]
    >>> sampler = CleaningSampler("tomek").fit(X, ["copepod"] * 20 + ["krill"])
    >>> X_less, y_less = sampler.fit_resample(X, ["copepod"] * 20 + ["krill"])
    >>> sampler.after_, sampler.done_["copepod"]
    ({'copepod': 19, 'krill': 1}, 'cleaned')
    """

    _sampling_type = "clean-sampling"
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "kind": [StrOptions(set(CLEANING_KINDS))],
        "sampling_strategy": [StrOptions({"auto", "all"}), list],
    }

    def __init__(self, kind: str = "tomek", sampling_strategy: str | list[Any] = "auto"):
        self.kind = kind
        self.sampling_strategy = sampling_strategy

    def _resample(self, X: Rows, codes: Codes, classes: np.ndarray) -> Outcome:
        targets = [code for code, name in enumerate(classes.tolist())
                   if name in self.sampling_strategy_]
        sampler = self._sampler(targets, len(X))
        sampler.fit_resample(X, codes)
        stays = np.zeros(len(X), dtype=bool)
        stays[sampler.sample_indices_] = True
        before, after = np.bincount(codes), np.bincount(codes[stays], minlength=len(classes))
        spared = after < np.minimum(before, LEAST_ROWS)
        how = {int(code): _text(before[code], after[code], spared[code])
               for code in np.flatnonzero(after < before)}
        return Outcome(np.flatnonzero(stays | spared[codes]), how)

    def _sampler(self, targets: list[int], n_rows: int) -> Any:
        if self.kind == "tomek":
            return TomekLinks(sampling_strategy=targets)
        rule = (EditedNearestNeighbours if self.kind == "edited-neighbours"
                else NeighbourhoodCleaningRule)
        return rule(sampling_strategy=targets, n_neighbors=min(_NEIGHBORS, n_rows - 1))


def _text(before: int, after: int, spared: bool) -> str:
    return f"left alone: cleaning would keep {after} of {before}" if spared else "cleaned"
