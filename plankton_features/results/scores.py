"""Scores of a fit: with intervals, of living classes, of what is accepted, with groups split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.assessment.abstention import AbstentionSummary, summarize_abstention
from plankton_features.assessment.calibration.report import (
    CalibrationReport,
    describe_calibration,
)
from plankton_features.assessment.comparison import optimism_sentence
from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.metrics import scores
from plankton_features.assessment.summary import Summary, living, summarize
from plankton_features.assessment.to_json import living_to_json, numbers_to_json
from plankton_features.heads import FitResult
from plankton_features.heads.validation.out_of_fold import OutOfFold


@dataclass(frozen=True)
class Living:
    """Scores without some classes.

    Attributes
    ----------
    left_out : tuple of str
        Names of the classes, such as detritus.
    summary : Summary
        Of the others, see `assessment.summary.living`.
    """

    left_out: tuple[str, ...]
    summary: Summary

    def to_dict(self) -> dict[str, Any]:
        """As in results.json."""
        return living_to_json(self.summary, self.left_out)


@dataclass(frozen=True)
class Optimism:
    """What scores would pretend if groups were split.

    Attributes
    ----------
    grouped, ungrouped : dict of str to float
        Scores with groups kept together, and with groups split.
    sentence : str
        The same for a person.
    """

    grouped: dict[str, float]
    ungrouped: dict[str, float]
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """As in results.json; NaN is None."""
        return {"grouped": numbers_to_json(self.grouped),
                "ungrouped": numbers_to_json(self.ungrouped), "sentence": self.sentence}


def summarize_folds(y: NDArray[np.int64], found: OutOfFold, units: NDArray[np.int64],
                    seed: int = 0) -> Summary:
    """Every score of out-of-fold predictions, with intervals that draw whole units.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
        Class numbers of all rows.
    found : OutOfFold
    units : ndarray of int64, shape (n,)
        Of `Folds`; a row that several repeats scored counts as one.
    seed : int

    Returns
    -------
    Summary
    """
    return summarize(y[found.row], found.predicted, found.probabilities,
                     units=units[found.row], seed=seed)


def calibration_reports(result: FitResult) -> dict[str, CalibrationReport]:
    """How honest out-of-fold probabilities are, before and after correction and calibration.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    dict of str to CalibrationReport
        ``before`` and ``after``.

    Examples
    --------
    >>> from plankton_features.heads import fit_head, make_folds
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> reports = calibration_reports(fit_head(X, labels, make_folds(labels)))
    >>> {stage: report.verdict for stage, report in reports.items()}
    {'before': 'neutral', 'after': 'neutral'}
    """
    found = result.out_of_fold
    y, units = result.y[found.row], result.folds.units[found.row]
    before = found.scores / found.scores.sum(axis=1, keepdims=True, dtype=np.float64)
    stages = {"before": before, "after": found.probabilities}
    return {stage: describe_calibration(y, found.predicted, shares, units)
            for stage, shares in stages.items()}


def living_scores(result: FitResult, left_out: Sequence[str]) -> Living | None:
    """Scores without some classes; None without any.

    Parameters
    ----------
    result : FitResult
    left_out : sequence of str
        Names of classes.

    Returns
    -------
    Living or None
    """
    if not left_out:
        return None
    found = result.out_of_fold
    return Living(tuple(left_out), living(
        result.y[found.row], found.predicted, found.probabilities,
        np.isin(result.classes, list(left_out)), units=result.folds.units[found.row]))


def abstention_scores(result: FitResult) -> AbstentionSummary | None:
    """What abstaining keeps; None if no precision was promised.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    AbstentionSummary or None
    """
    if result.head.info["options"]["min_precision"] is None:
        return None
    found = result.out_of_fold
    return summarize_abstention(result.y[found.row], found.predicted, found.accepted,
                                len(result.classes), units=result.folds.units[found.row])


def measure_optimism(result: FitResult, ungrouped: OutOfFold) -> Optimism:
    """What scores would pretend if groups were split; both without repeats.

    Parameters
    ----------
    result : FitResult
        Validated with groups.
    ungrouped : OutOfFold
        Of the same rows and options, with folds made without groups.

    Returns
    -------
    Optimism
    """
    found, n_classes = result.out_of_fold, len(result.classes)
    once = found.block < len(result.folds.scored)
    lost = result.folds.without_group or result.folds.hardly_grouped
    honest, other = ({name: float(value) for name, value in scores(counts).items()} for counts in (
        confusion_matrix(result.y[found.row[once]], found.predicted[once], n_classes),
        confusion_matrix(result.y[ungrouped.row], ungrouped.predicted, n_classes)))
    return Optimism(honest, other, optimism_sentence(honest, other, complete=not lost))


def confusion_table(result: FitResult, shares: bool = False) -> pd.DataFrame:
    """Confusions of out-of-fold predictions as a pandas crosstab with margins.

    Parameters
    ----------
    result : FitResult
    shares : bool, default=False
        Of each true class, instead of counts.

    Returns
    -------
    DataFrame, shape (K + 1, K + 1), or (K + 1, K) for shares
        Rows true, columns predicted; ``All`` is the margin.
    """
    found = result.out_of_fold
    true, predicted = (pd.Categorical.from_codes(codes, categories=result.classes)
                       for codes in (result.y[found.row], found.predicted))
    return pd.crosstab(true, predicted, rownames=["true"], colnames=["predicted"], margins=True,
                       dropna=False, normalize="index" if shares else False)
