"""A validated head with everything that is told of it: what the report and results.json show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.assessment.abstention import AbstentionSummary
from plankton_features.assessment.baselines import majority_baseline, prior_random_baseline
from plankton_features.assessment.calibration.report import CalibrationReport
from plankton_features.assessment.replicates import Interval
from plankton_features.assessment.summary import Summary
from plankton_features.assessment.to_json import (
    abstention_to_json,
    classes_to_json,
    intervals_to_json,
    number_to_json,
    numbers_to_json,
)
from plankton_features.heads import FitResult, Head
from plankton_features.heads.validation.folds import missing_classes
from plankton_features.heads.validation.labels import texts_of
from plankton_features.heads.validation.out_of_fold import Choice
from plankton_features.results.comparing import HeadComparison
from plankton_features.results.facts import ClassRows, FeatureFacts, NetworkFacts, RunFacts
from plankton_features.results.predictions import WhichProbabilities, out_of_fold_table
from plankton_features.results.scores import Living, Optimism
from plankton_features.results.whereabouts import Whereabouts

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Results:
    """A validated head and everything that is told of it.

    Attributes
    ----------
    fit : FitResult
        The head, its folds and its out-of-fold predictions.
    summary : Summary
        Every score with its interval, of all images and of each class; the confusion matrix.
    calibration : dict of str to CalibrationReport
        Of the probabilities ``before`` and ``after`` correction and calibration.
    features : FeatureFacts
        The vectors.
    images : DataFrame of n rows
        Of the rows that were fitted: columns path, id, group, label and, where known, sha256.
    groups : ndarray of str, shape (n,), or None
        Those that were kept together.
    options : mapping
        All that was chosen, by the names that results.json has.
    sampling : tuple of ClassRows
        Rows of each class before and after resampling, of the head.
    warnings : tuple of str
        What to keep in mind, as sentences.
    run : RunFacts
        When, how and with what.
    living : Living or None
        Scores without some classes, if they were named.
    abstention : AbstentionSummary or None
        What is kept, if a precision was promised.
    optimism : Optimism or None
        What scores would pretend if groups were split; with groups only.
    comparison : HeadComparison or None
        Other ways of fitting on the same folds, if any were named.
    network : NetworkFacts or None
        How the network was trained, of a fine-tuned one.
    whereabouts : Whereabouts
        Where the images lie, for their pictures in the report.
    """

    fit: FitResult
    summary: Summary
    calibration: Mapping[str, CalibrationReport]
    features: FeatureFacts
    images: pd.DataFrame
    groups: NDArray[np.str_] | None
    options: Mapping[str, Any]
    sampling: tuple[ClassRows, ...]
    warnings: tuple[str, ...]
    run: RunFacts
    living: Living | None = None
    abstention: AbstentionSummary | None = None
    optimism: Optimism | None = None
    comparison: HeadComparison | None = None
    network: NetworkFacts | None = None
    whereabouts: Whereabouts = field(default_factory=Whereabouts)

    @property
    def head(self) -> Head:
        """What classifies."""
        return self.fit.head

    @property
    def classes(self) -> NDArray[np.str_]:
        """Names, shape (K,)."""
        return self.fit.classes

    @property
    def scores(self) -> dict[str, Interval]:
        """Each score with its interval, such as ``scores["macro_f1"].estimate``."""
        return self.summary.scores

    @property
    def baselines(self) -> dict[str, dict[str, float | None]]:
        """What guessing would score: ``majority`` and ``prior_random``."""
        support = self.summary.support
        return {"majority": numbers_to_json(majority_baseline(support)),
                "prior_random": numbers_to_json(prior_random_baseline(support))}

    def predictions(self, probabilities: WhichProbabilities = "top") -> pd.DataFrame:
        """Out-of-fold predictions: one row for each image and repeat.

        Parameters
        ----------
        probabilities : {"top", "all"}, default="top"
            Whether those of all classes follow, in columns named ``p_`` and the class.

        Returns
        -------
        DataFrame
            As in NAME.predictions.csv.
        """
        images = self.images if self.groups is None else self.images.assign(group=self.groups)
        return out_of_fold_table(self.fit, images, probabilities)

    def per_class(self) -> pd.DataFrame:
        """One row for each class.

        Returns
        -------
        DataFrame of K rows
            With columns class, support, predicted; precision, recall, f1 and average_precision
            with ``.estimate``, ``.low`` and ``.high``; groups, training, threshold, coverage.
            NaN where there is no value.
        """
        return pd.json_normalize(self._per_class())

    def to_dict(self) -> Json:
        """The content of results.json: Python's own types, None for what has no value."""
        fit, promised = self.fit, self.options["min_precision"]
        found, optional = fit.out_of_fold, (self.living, self.optimism, self.comparison)
        living, optimism, comparison = (part and part.to_dict() for part in optional)
        seconds = {} if self.run.seconds is None else {
            "seconds": {"total": round(self.run.seconds, 1)}}
        return {
            "format": "plankton_features results", "version": 1,
            "created": self.run.created, "command": self.run.command,
            "features": self.features.to_dict(), "options": dict(self.options),
            "versions": dict(self.run.versions), "classes": self.classes.tolist(),
            "folds": self._folds(),
            "choices": [_choice(block.repeat, block.fold, block.choice) for block in found.blocks]
            + [_choice(None, None, fit.choice)],
            "sampling": [one.to_dict() for one in self.sampling],
            "scores": intervals_to_json(self.scores), "baselines": self.baselines,
            "living": living, "per_class": self._per_class(),
            "confusion": self.summary.confusion.tolist(),
            "calibration": {"method": self.options["calibration"],
                            **{stage: one.to_dict() for stage, one in self.calibration.items()}},
            "abstention": abstention_to_json(self.abstention, promised)
            if self.abstention else None,
            **(self.network.to_dict() if self.network else {}),
            "optimism": optimism, "comparison": comparison, "warnings": list(self.warnings),
            **seconds}

    def _per_class(self) -> list[Json]:
        return classes_to_json(
            self.classes.tolist(), self.summary, groups=self._groups_per_class(),
            training=[one.after for one in self.sampling], threshold=self.fit.choice.thresholds,
            coverage=self.abstention.class_coverage if self.abstention else None)

    def _folds(self) -> Json:
        folds, y = self.fit.folds, self.fit.y
        missing = [{"repeat": repeat, "fold": fold, "classes": self.classes[absent].tolist()}
                   for repeat, number in enumerate(folds.numbers) for fold in folds.scored
                   if len(absent := missing_classes(y, number, fold))]
        n_groups = None if self.groups is None else len(set(texts_of(self.groups)) - {""})
        return {"kind": folds.kind, "n_groups": n_groups, "without_group": folds.without_group,
                "repeats": len(folds.numbers), "rows": np.bincount(folds.numbers[0]).tolist(),
                "missing": missing}

    def _groups_per_class(self) -> list[int] | None:
        if self.groups is None:
            return None
        names = texts_of(self.groups)
        table = pd.DataFrame({"class": self.fit.y, "group": pd.Series(names).where(names != "")})
        counts: list[int] | None = table.groupby("class")["group"].nunique().tolist()
        return counts


def _choice(repeat: int | None, fold: int | None, choice: Choice) -> Json:
    """Of a fold, or of the head itself (no fold)."""
    return {"repeat": repeat, "fold": fold, "parameters": choice.parameters,
            "candidates": [{**parameters, "log_loss": number_to_json(loss)}
                           for parameters, loss in choice.losses],
            "temperature": choice.calibrator.to_dict().get("temperature")}
