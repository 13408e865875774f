"""What ``extract-features`` says."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.panel import Panel
from rich.table import Table

from plankton_features.cli.catalog_text import label_notes, left_aside
from plankton_features.cli.display import clock, console, escape
from plankton_features.cli.remarks_text import remark_lines
from plankton_features.embedding import Engine, Recipe, engine_title
from plankton_features.errors import OtherPicturesError, counted
from plankton_features.extraction import ExtractionReport, Session, Space, Survey, report_of
from plankton_features.extraction.drift import Drift
from plankton_features.extraction.remarks import Remarks, remarks_on
from plankton_features.images import Catalog
from plankton_features.store import FeatureFile, read_features


def show_start(catalog: Catalog, session: Session, args: argparse.Namespace) -> None:
    """Say what will be done."""
    show_fallback(session)
    if args.quiet:
        return
    n_classes = len({label for label in catalog.label if label})
    kinds = f"{counted(n_classes, 'class')}" if n_classes else "unlabelled"
    _line("images", f"{escape(str(args.images))}: {counted(len(catalog), 'image')}, {kinds}"
                    f"{left_aside(catalog)}")
    _show_recognised(catalog)
    _show_label_notes(catalog, args)
    _line("recipe", f"{_recipe_text(session.recipe)}  (id {session.recipe.recipe_id})")
    _line("weights", escape(session.weights_source))


def _show_recognised(catalog: Catalog) -> None:
    if catalog.recognised:
        _line("source", escape(catalog.recognised))


def _show_label_notes(catalog: Catalog, args: argparse.Namespace) -> None:
    for note in label_notes(catalog, args):
        _line("note", f"[yellow]{escape(note)}[/yellow]")


def show_fallback(session: Session) -> None:
    """Say what stands in for InceptionV3, so that it cannot be missed."""
    if session.fallback:
        console.print(Panel(
            f"[bold]Using {session.recipe.backbone} instead of inception_v3[/bold] for this file, "
            f"now and whenever it is continued.\n{escape(session.fallback)}",
            border_style="yellow", title="backbone", title_align="left"))
    if session.recipe.random_seed is not None:
        console.print(Panel("[bold]The weights are RANDOM.[/bold] The network was not trained on "
                            "anything; use this for comparisons only.", border_style="red"))


def show_engine(engine: Engine, args: argparse.Namespace) -> None:
    """Say what will compute."""
    if not args.quiet:
        _line("engine", _engine_text(engine.name, engine.precision, engine.device)
              + f", {counted(engine.batch, 'image')} a batch")


def show_space(space: Space, output: Path) -> None:
    """Say if the disk may become full."""
    if not space.enough:
        _line("warning", f"[yellow]{escape(str(output))}: {space}. If the disk becomes full, free "
                         "some and run the same command again.[/yellow]")


def show_drift(drift: Drift | None, session: Session, args: argparse.Namespace) -> None:
    """Say how far narrower numbers move the vectors."""
    if not args.quiet:
        _line(session.recipe.precision, str(drift) if drift else "drift not measured: none of the "
              "sampled images can be read")


def already_done(output: Path) -> ExtractionReport:
    """The report of a file that an earlier run finished."""
    console.print(f"{escape(str(output))} is complete: nothing to do.")
    return report_of(read_features(output))


def show_other_pictures(error: OtherPicturesError) -> None:
    """Say that a file made for another result only is brought up to date."""
    *found, _ = str(error).splitlines()
    for text in (*found, "Their features are computed now."):
        console.print(escape(text), soft_wrap=True)


def show_end(report: ExtractionReport, session: Session, output: Path) -> None:
    """Sum up."""
    text = (f"{report.found:,} found = {report.written:,} written + "
            f"{report.duplicates:,} duplicates + {report.failed:,} failed")
    _line("images", text if not report.failed else text.replace(
        f"{report.failed:,} failed", f"[red]{report.failed:,} failed[/red]"))
    if report.resumed or report.reused:
        _line("kept", f"{counted(report.resumed, 'image')} from an earlier run, "
                      f"{counted(report.reused, 'vector')} from the file before")
    if report.dropped:
        _line("dropped", f"[yellow]{counted(report.dropped, 'vector')} of the file before, of "
                         "pictures that are not among these images[/yellow]")
    if report.seconds:
        new = report.found - report.resumed
        _line("time", f"{clock(report.seconds)} ({new / report.seconds:,.0f} images/s): "
              + ", ".join(f"{name} {share:.0%}" for name, share in report.shares.items()))
    _line("engine", _engine_text(report.engine, report.precision, report.device))
    _line("written", f"{escape(str(output))}: {counted(report.written, 'vector')}, recipe "
                     f"{session.recipe.recipe_id}")
    file = read_features(output)
    _show_remarks(remarks_on(file))
    _show_file_problems(report, file)


def show_survey(found: Survey, catalog: Catalog, session: Session, engine: Engine,
                args: argparse.Namespace) -> None:
    """Show a dry run."""
    show_fallback(session)
    if found.n_read < found.n_images:
        console.print(f"Read an even sample of {found.n_read:,} of {found.n_images:,} images.")
    table = Table(title="classes", title_justify="left")
    table.add_column("class")
    table.add_column("images", justify="right")
    for name, n in found.classes.items():
        table.add_row(escape(str(name)) or "(unlabelled)", f"{n:,}")
    console.print(table)
    _line("images", f"{found.n_images:,}{left_aside(catalog)}")
    _show_recognised(catalog)
    _show_label_notes(catalog, args)
    for side, five in (("width", found.width), ("height", found.height)):
        least, low, middle, high, most = five
        _line(side, f"{least:.0f} - {most:.0f} px, median {middle:.0f}, half of them "
                    f"{low:.0f} - {high:.0f}")
    _line("grounds", ", ".join(f"{n:,} {g}" for g, n in sorted(found.grounds.items())) or "none")
    _line("duplicates", f"{found.duplicates:,}, of which {found.conflicts:,} under another label")
    _line("problems", f"{len(found.failures):,}")
    for row in found.failures.head(20).itertuples():
        _line("", f"{escape(str(row.path))}: {row.stage}: {escape(str(row.reason))}")
    _show_remarks(found.remarks)
    _line("recipe", f"{_recipe_text(session.recipe)}  (id {session.recipe.recipe_id})")
    _line("engine", _engine_text(engine.name, engine.precision, engine.device))
    _line("time", f"about {clock(found.seconds)} ({found.n_images / found.seconds:,.0f} images/s)")
    console.print("Nothing was written.")


def _show_remarks(remarks: Remarks) -> None:
    for told in remark_lines(remarks):
        _line("pictures", f"[yellow]{told}[/yellow]")


def _show_file_problems(report: ExtractionReport, file: FeatureFile) -> None:
    if not report.failed and not report.conflicts:
        return
    for row in file.failures.head(5).itertuples():
        _line("", f"[red]failed[/red] {escape(row.path)}: {row.stage}: {escape(row.reason)}")
    for row in file.label_conflicts().head(5).itertuples():
        _line("", f"[yellow]label conflict[/yellow] {escape(row.path)} ({_label(row.label)}) is "
                  f"the same picture as {escape(row.first_path)} ({_label(row.first_label)})")
    _line("", f"all of them: plankton-features info {escape(str(file.path))} --problems")


def _label(label: str) -> str:
    return escape(label) or "unlabelled"


def _line(name: str, text: str) -> None:
    """A name and what it is; long text hangs on a terminal, and stays one line in a log."""
    if not console.is_terminal:
        console.print(f"[bold]{name:<10}[/bold] {text}", soft_wrap=True)
        return
    line = Table.grid(padding=(0, 1))
    line.add_column(width=10, style="bold")
    line.add_column(overflow="fold")
    line.add_row(name, text)
    console.print(line)


def _recipe_text(recipe: Recipe) -> str:
    cut = f", bottom {recipe.crop_bottom} px cut" if recipe.crop_bottom else ""
    size = " + size" if recipe.size_features else ""
    depth = f", depth {recipe.depth}" if recipe.depth != "auto" else ""
    return (f"{recipe.backbone}, {'+'.join(recipe.layers)} {'+'.join(recipe.pooling)}{size}, views "
            f"{recipe.views}, {recipe.framing} {recipe.canvas} px on {recipe.background}{cut}"
            f"{depth}, {recipe.precision}")


def _engine_text(name: str, precision: str, device: str) -> str:
    return f"{engine_title(name)}, {precision}" + (f", {device}" if device else "")
