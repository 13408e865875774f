"""What ``fit-head`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.table import Table

from plankton_features.assessment.abstention import AbstentionSummary
from plankton_features.assessment.replicates import Interval
from plankton_features.cli.display import console, escape
from plankton_features.errors import counted
from plankton_features.report.pictures import Pictures
from plankton_features.report.words import words_of
from plankton_features.report.writing import Written
from plankton_features.results import HeadComparison, Results
from plankton_features.results.validating import Validation

_SHOWN = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "top_3_accuracy", "log_loss", "ece")


def show_start(planned: Validation) -> None:
    """Say what will be done."""
    rows, options, folds = planned.rows, planned.options, planned.folds
    counts = np.unique(rows.labels, return_counts=True)[1]
    groups = "no groups" if rows.found_groups is None else rows.found_groups.summary
    line("features", f"{escape(str(rows.file.path))}: {counted(counts.sum(), 'image')}, "
                     f"{counted(len(counts), 'class')} of {counts.min():,} to "
                     f"{counts.max():,}, {escape(groups)}")
    line("head", f"{options.sampler} sampler, {options.classifier}, {options.calibration} "
                 f"calibration")
    line("folds", folds.kind + (f", {len(folds.numbers)} times" if len(folds.numbers) > 1 else ""))


def show_results(results: Results, written: Written) -> None:
    """Say how good the head is, and where everything lies."""
    show_scores(results, "out-of-fold")
    _show_pictures(written.pictures)
    line("head", f"{escape(str(written.files['head']))}  (id {results.head.head_id})")
    for kind in ("report", "results", "predictions"):
        line(kind, escape(str(written.files[kind])))
    line("time", f"{results.run.seconds or 0:,.0f} s")


def show_scores(results: Results, title: str) -> None:
    """Scores, calibration, comparison and what to keep in mind."""
    console.print()
    console.print(_scores(results, title))
    console.print()
    for stage in ("before", "after"):
        line("calibration", f"{stage}: {escape(results.calibration[stage].sentence)}")
    if results.abstention:
        line("abstains", _abstention(results.abstention, results.options["min_precision"]))
    if results.comparison:
        console.print()
        console.print(_comparison(results.comparison))
        line("advice", escape(results.comparison.recommendation))
    for warning in results.warnings:
        line("note", f"[yellow]{escape(warning)}[/yellow]")


def line(name: str, text: str) -> None:
    """A line of the summary."""
    console.print(f"[bold]{name:<12}[/bold]{text}", soft_wrap=True)


def _show_pictures(pictures: Pictures) -> None:
    if pictures.outside:
        line("note", f"[yellow]{pictures.outside:,} pictures lie outside of "
                     f"{escape(str(pictures.root))} and are not shown: other programs write paths "
                     "too. If they are yours, give --images TABLE, your own table of them, or "
                     "--images FOLDER, a folder that holds them.[/yellow]")
    elif not pictures.found:
        line("note", "[yellow]The images were not found, so the report has no pictures. Say where "
                     "they are with --images FOLDER.[/yellow]")


def _scores(results: Results, title: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(title)
    for name in ("score", "95 %", "majority", "random"):
        table.add_column(name, justify="right")
    living = results.living
    if living:
        table.add_column("living only", justify="right")
    baselines = results.baselines
    for name in _SHOWN:
        score = results.scores[name]
        cells = [words_of(name).title, _number(score.estimate), _range(score),
                 *(_number(baselines[kind].get(name)) for kind in ("majority", "prior_random"))]
        if living:
            cells.append(_number(living.summary.scores[name].estimate))
        table.add_row(*cells)
    return table


def _comparison(compared: HeadComparison) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("sampler / classifier")
    baseline = compared.ways[0].name.split(" /")[0]
    for name in ("macro-F1", f"difference to {baseline} (95 %)", "accuracy", "bal. accuracy",
                 "log-loss", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for one in compared.ways:
        scores: Mapping[str, Interval] = one.summary.scores if one.summary else {}
        told = _difference(one.difference.differences["macro_f1"]) if one.difference else ""
        values = [_number(scores[name].estimate) if scores else ""
                  for name in ("macro_f1", "accuracy", "balanced_accuracy", "log_loss")]
        table.add_row(escape(one.name), values[0], told, *values[1:], f"{one.seconds:.0f}",
                      escape(one.verdict))
    return table


def _difference(one: Interval) -> str:
    if not np.isfinite([one.estimate, one.low, one.high]).all():
        return ""
    return f"{one.estimate:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _abstention(told: AbstentionSummary, promised: float) -> str:
    return (f"promised precision {promised:g}: answers "
            f"{_percent(told.coverage)} of the images and is right in "
            f"{_percent(told.precision)} of these ({told.abstained_rows:,} left to people)")


def _percent(one: Interval) -> str:
    return f"{100 * one.estimate:.1f} %" if np.isfinite(one.estimate) else "none"


def _number(value: Any) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.3f}"


def _range(score: Interval) -> str:
    if not np.isfinite([score.low, score.high]).all():
        return ""
    return f"{score.low:.3f} - {score.high:.3f}"
