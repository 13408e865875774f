"""How training went: drawings, a sentence, and the table of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from plankton_features.report.axes import small_text
from plankton_features.report.curve_drawing import Epochs, Line, curve_chart
from plankton_features.report.curve_words import pace, phases, verdict
from plankton_features.report.numbers import NONE, decimal, number, percent, whole

Rows = Sequence[Mapping[str, Any]]

#: Of each drawing: title, lines as (name of the value, name at the line's end, look), width, and
#: how many times the smallest value the largest must be for a logarithmic scale.
_CHARTS = (
    ("Loss: lower is better", (("loss", "training", "plain"),
                               ("validation_loss", "validation", "first")), 400, 1000.0),
    ("Validation scores: higher is better", (("accuracy", "accuracy", "second"),
                                             ("mcc", "MCC", "third"),
                                             ("macro_f1", "macro-F1", "first")), 400, float("inf")),
    ("Learning rate", (("rate", "", "plain"),), 280, 10.0))
_COLUMNS = (("phase", "phase", ""), ("loss", "training loss", "mean over the epoch"),
            ("validation_loss", "validation loss", "at the end of the epoch"),
            ("macro_f1", "macro-F1", ""), ("accuracy", "accuracy", ""), ("mcc", "MCC", ""),
            ("macro_precision", "macro precision", ""), ("macro_recall", "macro recall", ""),
            ("rate", "learning rate", "at the end of the epoch"), ("seconds", "seconds", ""),
            ("images_per_second", "images/s", ""),
            ("waiting", "waiting", "share of the time that the network waited for images"))
_TEXTS = {"phase": whole, "rate": lambda v: NONE if v is None else small_text(v),
          "seconds": whole, "images_per_second": whole, "waiting": percent}


def learning_curves(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Sentences, drawings and the table; columns without a single value are left out."""
    rows = _numbered(results.get("curves") or ())
    if not rows:
        return None
    kept = next((k for k, row in enumerate(rows) if row.get("best")), None)
    metric = (results.get("options") or {}).get("metric")
    columns = [c for c in _COLUMNS if any(number(row.get(c[0])) is not None for row in rows)]
    return {"verdict": verdict(rows, kept, metric), "phases": phases(rows), "pace": pace(rows),
            "charts": _charts(rows, kept), "columns": [(title, why) for _, title, why in columns],
            "rows": [{"epoch": row["epoch"], "kept": k == kept,
                      "cells": [_cell(name, row.get(name)) for name, _, _ in columns]}
                     for k, row in enumerate(rows)]}


def _numbered(given: Rows) -> list[dict[str, Any]]:
    """Epochs with their numbers, or with their places if these are no ascending numbers."""
    numbers = [number(row.get("epoch")) for row in given]
    found = [int(n) for n in numbers if n is not None]
    if len(found) < len(numbers) or any(b <= a for a, b in pairwise(found)):
        found = list(range(1, len(numbers) + 1))
    return [{**row, "epoch": n} for row, n in zip(given, found, strict=True)]


def _charts(rows: Rows, kept: int | None) -> list[dict[str, Any]]:
    drawn = []
    for title, given, width, log_from in _CHARTS:
        lines = [Line(name, look, [number(row.get(key)) for row in rows])
                 for key, name, look in given]
        if all(v is None for line in lines for v in line.values):
            continue
        epochs = Epochs([row["epoch"] for row in rows], _phase_names(rows), kept,
                        [_told(row, given) for row in rows])
        drawn.append({"title": title, "small": width < 400, "drawing": curve_chart(
            lines, epochs, _label(title, lines, rows), width, log_from)})
    return drawn


def _phase_names(rows: Rows) -> list[str]:
    return [f"phase {row['phase']}" if number(row.get("phase")) is not None else ""
            for row in rows]


def _told(row: Mapping[str, Any], given: Sequence[tuple[str, str, str]]) -> str:
    values = ", ".join(f"{name or 'rate'} {_text(key, row.get(key))}" for key, name, _ in given)
    return f"Epoch {row['epoch']}: {values}"


def _label(title: str, lines: Sequence[Line], rows: Rows) -> str:
    """First and last value of each line, in words."""
    parts = []
    for line in lines:
        there = [(row["epoch"], v) for row, v in zip(rows, line.values, strict=True)
                 if v is not None]
        if there:
            ends = [f"{decimal(v) if line.name else small_text(v)} in epoch {epoch}"
                    for epoch, v in (there[0], there[-1])]
            parts.append(f"{line.name} {' and '.join(end for end, _ in groupby(ends))}".strip())
    return f"{title}. By epoch: {'; '.join(parts)}."


def _cell(name: str, value: Any) -> tuple[str, float | None]:
    return _text(name, value), number(value)


def _text(name: str, value: Any) -> str:
    return _TEXTS.get(name, decimal)(number(value))
