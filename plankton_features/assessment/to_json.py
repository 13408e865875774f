"""Results as plain dicts and lists for JSON, which knows no NaN: what is not finite is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plankton_features.errors import InputError

if TYPE_CHECKING:
    from plankton_features.assessment.abstention import AbstentionSummary
    from plankton_features.assessment.comparison import Comparison
    from plankton_features.assessment.replicates import Interval
    from plankton_features.assessment.summary import Summary

Json = dict[str, Any]


def number_to_json(value: Any) -> float | None:
    """A number as float; None if it is not finite.

    Parameters
    ----------
    value : float

    Returns
    -------
    float or None

    Examples
    --------
    >>> number_to_json(np.float32(0.5)), number_to_json(np.nan)
    (0.5, None)
    """
    return float(value) if np.isfinite(value) else None


def interval_to_json(interval: Interval, k: int | None = None) -> dict[str, float | None]:
    """``{"estimate", "low", "high"}`` of a number, or of class `k`.

    Parameters
    ----------
    interval : Interval
    k : int, optional

    Returns
    -------
    dict
    """
    ends = {"estimate": interval.estimate, "low": interval.low, "high": interval.high}
    return {name: number_to_json(value if k is None else value[k])
            for name, value in ends.items()}


def intervals_to_json(intervals: Mapping[str, Interval]) -> Json:
    """Of each score, such as `Summary.scores` or `Comparison.differences`.

    Parameters
    ----------
    intervals : mapping of str to Interval

    Returns
    -------
    dict
    """
    return {name: interval_to_json(interval) for name, interval in intervals.items()}


def numbers_to_json(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """Of each score a number, such as those of `baselines`; of an Interval its estimate.

    Parameters
    ----------
    scores : mapping of str to float or Interval

    Returns
    -------
    dict
    """
    return {name: number_to_json(getattr(value, "estimate", value))
            for name, value in scores.items()}


def classes_to_json(classes: Sequence[str], summary: Summary,
                    **columns: Sequence[Any] | np.ndarray | None) -> list[Json]:
    """One entry per class: support, predicted rows and scores.

    Parameters
    ----------
    classes : sequence of str, length K
        Names.
    summary : Summary
        Of K classes.
    **columns : sequence of number, length K, or None
        More of each class, such as ``groups``, ``training``, ``threshold`` and ``coverage``;
        None for a column of nothing. Whole numbers stay whole.

    Returns
    -------
    list of dict
        An infinite threshold (always abstain) is None like one that is missing; its coverage
        is 0.

    Raises
    ------
    InputError
        If a column or the summary has another length.
    """
    lengths = {"summary": len(summary.support)} | {
        name: len(column) for name, column in columns.items() if column is not None}
    for name, length in lengths.items():
        if length != len(classes):
            raise InputError(f"{name}: expected one entry for each of {len(classes)} classes, got "
                             f"{length}.")
    return [{"class": str(name), "support": int(summary.support[k]),
             "predicted": int(summary.predicted[k])}
            | {score: interval_to_json(found, k) for score, found in summary.per_class.items()}
            | {column: None if values is None else _cell(values[k])
               for column, values in columns.items()}
            for k, name in enumerate(classes)]


def _cell(value: Any) -> int | float | None:
    if value is None or not np.isfinite(value):
        return None
    return int(value) if isinstance(value, int | np.integer) else float(value)


def living_to_json(summary: Summary, left_out: Sequence[str]) -> Json:
    """Of `summary.living`, with the names of the classes left out.

    Parameters
    ----------
    summary : Summary
    left_out : sequence of str

    Returns
    -------
    dict
    """
    return {"classes": [str(name) for name in left_out], "rows": int(summary.support.sum()),
            "scores": intervals_to_json(summary.scores)}


def comparison_to_json(comparison: Comparison) -> Json:
    """``{"difference": ..., "verdict": ...}``.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
    """
    return {"difference": intervals_to_json(comparison.differences),
            "verdict": comparison.verdict}


def abstention_to_json(summary: AbstentionSummary, min_precision: float) -> Json:
    """With the precision that was promised.

    Parameters
    ----------
    summary : AbstentionSummary
    min_precision : float

    Returns
    -------
    dict
    """
    return {"min_precision": float(min_precision),
            "coverage": interval_to_json(summary.coverage),
            "precision": interval_to_json(summary.precision),
            "abstained_rows": summary.abstained_rows}
