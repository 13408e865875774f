"""The table of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from plankton_features.report.drawings import track
from plankton_features.report.numbers import as_score, decimal, number, spread, whole

_SUPPORT = ("support", "images", "images of this class")
_SCORES = (("f1", "F1", "harmonic mean of precision and recall"),
           ("precision", "precision", "share of images named so that are"),
           ("recall", "recall", "share of this class that is found"),
           ("average_precision", "average precision", "area under the precision-recall curve"))
_OTHERS = (("predicted", "predicted", "images named so"),
           ("groups", "groups", "groups the images come from"),
           ("training", "training rows", "after resampling, final fit"),
           ("threshold", "threshold", "probability below which it abstains"),
           ("coverage", "coverage", "share of images named so that is kept"))
_DRAWN = frozenset(name for name, _, _ in _SCORES)


class Cell(NamedTuple):
    """What a cell shows, what it is sorted by, and its drawing."""

    text: str
    value: float | None
    interval: str = ""
    drawing: Markup | None = None


def class_table(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Columns and rows; columns without a single value are left out."""
    rows = results.get("per_class") or []
    if not rows:
        return None
    columns = [c for c in (_SUPPORT, *_SCORES, *_OTHERS)
               if any(as_score(row.get(c[0])).estimate is not None for row in rows)]
    place = {name: k for k, name in enumerate(results["classes"])}
    return {"columns": [(title, meaning, name in _DRAWN) for name, title, meaning in columns],
            "rows": [{"name": row.get("class"), "index": place.get(row.get("class")),
                      "cells": [_cell(name, row.get(name)) for name, _, _ in columns]}
                     for row in rows]}


def _cell(name: str, value: Any) -> Cell:
    if name in _DRAWN:
        score = as_score(value)
        return Cell(decimal(score.estimate), score.estimate, spread(score, 2),
                    track(score, width=70))
    found = number(value)
    is_share = name in ("threshold", "coverage")
    return Cell(decimal(found) if is_share else whole(found), found)
