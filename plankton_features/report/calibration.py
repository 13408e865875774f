"""Are the probabilities to be believed? Diagrams and a table, before and after calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plankton_features.report.numbers import (
    Score,
    as_score,
    decimal,
    number,
    signed,
    spread,
    whole,
)
from plankton_features.report.reliability_drawing import confidence_histogram, reliability_diagram
from plankton_features.report.words import verdict_words, words_of

_NUMBERS = ("ece", "ece_mass", "class_wise_ece", "log_loss", "brier")
_BINNINGS = {"width": "bins of equal width", "mass": "bins of equal counts"}


def calibration(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Verdicts, diagrams, histogram and a table of numbers."""
    given = results.get("calibration")
    stages = {stage: given[stage] for stage in ("before", "after") if given and given.get(stage)}
    if not given or not stages:
        return None
    return {"method": given.get("method") or "none",
            "stages": [{"name": stage,
                        "verdict": verdict_words(one.get("verdict"), one.get("sentence"))}
                       for stage, one in stages.items()],
            "diagrams": [_diagram(stage, binning, one) for binning in _BINNINGS
                         for stage, one in stages.items() if _bins(one, binning)],
            "histogram": _histogram(stages),
            "numbers": [_gap(stages), *(_number(name, stages) for name in _NUMBERS)]}


def _bins(one: Mapping[str, Any], binning: str) -> list[Mapping[str, Any]]:
    return (one.get("reliability") or {}).get(binning) or []


def _diagram(stage: str, binning: str, one: Mapping[str, Any]) -> dict[str, Any]:
    bins = _bins(one, binning)
    title = f"{stage.capitalize()} calibration, {_BINNINGS[binning]}"
    return {"title": title, "drawing": reliability_diagram(bins, title), "rows": _rows(bins)}


def _rows(bins: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    return [(f"{decimal(b.get('low'))} – {decimal(b.get('high'))}", whole(b.get("count")),
             decimal(b.get("confidence")), decimal(b.get("accuracy")),
             spread(Score(None, number(b.get("accuracy_low")), number(b.get("accuracy_high")))))
            for b in bins]


def _histogram(stages: Mapping[str, Mapping[str, Any]]) -> Any:
    before, after = ((stages.get(s) or {}).get("histogram") or [] for s in ("before", "after"))
    if not (before or after):
        return None
    return confidence_histogram(before, after, "How many images have which confidence")


def _gap(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    gaps = {stage: as_score(one.get("gap")) for stage, one in stages.items()}
    return {"title": "signed gap", "meaning": "mean confidence minus accuracy; above 0 promises "
            "too much", "values": [(signed(g.estimate), spread(g)) for g in gaps.values()]}


def _number(name: str, stages: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    words = words_of(name)
    return {"title": words.title, "meaning": words.meaning,
            "values": [(decimal(one.get(name)), "") for one in stages.values()]}
