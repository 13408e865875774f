"""What ``plankton-features classify`` says."""

from __future__ import annotations

import argparse

from rich import box
from rich.table import Table

from plankton_features.cli.display import console, escape
from plankton_features.heads.classifying import Tally
from plankton_features.heads.head import Head
from plankton_features.store import FeatureFile

_LEAST_SHOWN = 0.5  # expected number from which a taxon is shown that no picture was given to


def show_head(head: Head, args: argparse.Namespace) -> None:
    """Say what will classify."""
    if not args.quiet:
        _line("head", f"{escape(str(args.head))}: {len(head.classes):,} taxa, fitted on "
                      f"{head.target.sum():,.0f} {_rows_of(head)}  (id {head.head_id})")
    if head.version_note:
        _line("warning", f"[yellow]{escape(head.version_note)}[/yellow]")


def show_summary(tally: Tally, head: Head, file: FeatureFile, args: argparse.Namespace) -> None:
    """Sum up by taxon."""
    console.print(_table(tally, head.thresholds is not None))
    console.print("probability: mean of the pictures given to the taxon. expected: the taxon's "
                  "probability summed over all\npictures, which is how many there should be if "
                  "taxa are as frequent here as in training.")
    if tally.n_labelled or tally.unknown:
        _show_scores(tally)
    if failed := file.count("failures"):
        _line("failed", f"[red]{failed:,} images[/red] could not be used and are not among the "
                        f"predictions: plankton-features info {escape(str(file.path))} --problems")
    if tally.n_duplicates:
        _line("duplicates", f"{tally.n_duplicates:,} further paths of the same pictures have rows "
                            "of their own, but are not counted above")
    target = "standard output" if str(args.output) == "-" else str(args.output)
    _line("written", f"{escape(target)}: {tally.n + tally.n_duplicates:,} rows, head "
                     f"{head.head_id}, {head.vectors_of}")


def _rows_of(head: Head) -> str:
    return f"images of {head.vectors_of}" if head.recipe else f"rows of {head.vectors_of}"


def _table(tally: Tally, abstains: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    rows = tally.table()
    total = {"images": f"{tally.n:,}", "share": "100.0 %", "probability": "",
             "abstained": f"{rows['abstained'].sum():,}", "expected": f"{tally.n:,.1f}"}
    table.add_column("taxon", overflow="fold", footer="all")
    for name, text in total.items():
        if abstains or name != "abstained":
            table.add_column(name, justify="right", no_wrap=True, footer=text)
    for row in rows[(rows["images"] > 0) | (rows["expected"] >= _LEAST_SHOWN)].itertuples():
        cells = [escape(str(row.taxon)), f"{row.images:,}", f"{row.share:.1%}".replace("%", " %"),
                 f"{row.probability:.3f}" if row.images else ""]
        cells += [f"{row.abstained:,}"] if abstains else []
        table.add_row(*cells, f"{row.expected:,.1f}")
    return table


def _show_scores(tally: Tally) -> None:
    if tally.n_labelled:
        scores = tally.scores()
        _line("labels", f"accuracy {scores['accuracy']:.3f}, macro-F1 {scores['macro_f1']:.3f} on "
                        f"{tally.n_labelled:,} labelled pictures. [bold]Worth something only if "
                        "these pictures did not train the head.[/bold]")
    if tally.unknown:
        names = ", ".join(map(escape, list(tally.unknown)[:3]))
        _line("labels", f"{sum(tally.unknown.values()):,} pictures have labels that the head does "
                        f"not know ({names}{' ...' if len(tally.unknown) > 3 else ''})")


def _line(name: str, text: str) -> None:
    console.print(f"[bold]{name:<10}[/bold] {text}", soft_wrap=True)
