"""Scores on a taxonomy: credit for a lineage that is right in part, accuracy by rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plankton_features.report.drawings import track
from plankton_features.report.numbers import as_score, decimal, spread, whole
from plankton_features.report.tables import score_rows

_SCORES = ("precision", "recall", "f1", "other_depth")


def lineages(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Scores, ranks, and the lineage of each class."""
    given = results.get("taxonomy")
    if not given:
        return None
    told = lineage_texts(results)
    return {"scores": score_rows({f"lineage_{name}": given[name] for name in _SCORES
                                  if given.get(name) is not None}),
            "ranks": [_rank(one) for one in given.get("ranks") or ()],
            "classes": [(name, told[name]) for name in results["classes"] if name in told]}


def lineage_texts(results: Mapping[str, Any]) -> dict[str, str]:
    """Lineage of each class that has one, from the class to its root."""
    given = (results.get("taxonomy") or {}).get("lineages") or {}
    return {name: str(text).replace(" -> ", " → ") for name, text in given.items() if text}


def _rank(one: Mapping[str, Any]) -> dict[str, Any]:
    score = as_score(one.get("accuracy"))
    return {"rank": one.get("rank") or "", "rows": whole(one.get("rows")),
            "accuracy": decimal(score.estimate), "interval": spread(score),
            "drawing": track(score)}
