"""What ``plankton-features classify`` says."""

from __future__ import annotations

import argparse

from rich import box
from rich.table import Table

from plankton_features.cli.display import console, escape
from plankton_features.errors import counted
from plankton_features.heads.head import Head
from plankton_features.results.classifying import Classified
from plankton_features.results.tally import Tally
from plankton_features.store import FeatureFile

_LEAST_SHOWN = 0.5  # expected number from which a taxon is shown that no picture was given to


def show_head(head: Head, args: argparse.Namespace) -> None:
    """Say what will classify."""
    if not args.quiet:
        _line("head", f"{escape(str(args.head))}: {len(head.classes):,} taxa, fitted on "
                      f"{_rows_of(head)}  (id {head.head_id})")
    if head.version_note:
        _line("warning", f"[yellow]{escape(head.version_note)}[/yellow]")


def show_summary(found: Classified, head: Head, file: FeatureFile,
                 args: argparse.Namespace) -> None:
    """Sum up by taxon."""
    tally = found.tally
    console.print(_table(tally, head.thresholds is not None))
    console.print("probability: mean of the pictures given to the taxon. expected: the taxon's "
                  "probability summed over all\npictures, which is how many there should be if "
                  "taxa are as frequent here as in training.")
    if tally.n_labelled or tally.unknown:
        _show_scores(tally)
    if failed := len(found.failures):
        _line("failed", f"[red]{counted(failed, 'image')}[/red] could not be used and "
                        "have no prediction: plankton-features info "
                        f"{escape(str(file.path))} --problems")
    if tally.n_duplicates:
        _line("duplicates", f"{counted(tally.n_duplicates, 'row')} for further paths of the same "
                            "pictures, not counted above")
    target = "standard output" if str(args.output) == "-" else str(args.output)
    _line("written", f"{escape(target)}: {counted(tally.n + tally.n_duplicates, 'row')}, head "
                     f"{head.head_id}, {head.vectors_of}")


def _rows_of(head: Head) -> str:
    return f"{counted(round(head.target.sum()), 'image' if head.recipe else 'row')} of " + (
        head.vectors_of)


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
                        f"{counted(tally.n_labelled, 'picture')} with labels. [bold]Worth "
                        "something only if these pictures did not train the head.[/bold]")
    if tally.unknown:
        names = ", ".join(map(escape, list(tally.unknown)[:3]))
        names += " ..." if len(tally.unknown) > 3 else ""
        _line("labels", f"{counted(sum(tally.unknown.values()), 'picture')} with labels that "
                        f"the head does not know ({names})")


def _line(name: str, text: str) -> None:
    console.print(f"[bold]{name:<10}[/bold] {text}", soft_wrap=True)
