"""What ``fine-tune`` says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.table import Table

from plankton_features.cli.catalog_text import label_notes, left_aside
from plankton_features.cli.display import console, escape
from plankton_features.cli.fit_text import line, show_scores
from plankton_features.cli.lists import backbone_now
from plankton_features.cli.remarks_text import remark_lines
from plankton_features.errors import counted

if TYPE_CHECKING:
    from plankton_features.embedding import Recipe, Weights
    from plankton_features.finetuning.canvases import Gathered
    from plankton_features.finetuning.exporting import Exported
    from plankton_features.finetuning.plan import Tuned, TunePlan
    from plankton_features.heads.validation.folds import Folds
    from plankton_features.images import Catalog
    from plankton_features.report.pictures import Pictures
    from plankton_features.results import Results


def show_layers(args: argparse.Namespace) -> int:
    """Print the layers of a backbone, and what would be trained."""
    from plankton_features.finetuning.blocks import trained_layers

    recipe = _recipe_without_weights(args)
    layers = trained_layers(recipe, args.unfreeze)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("index", "name", "kind", "block", "parameters", "trained"):
        table.add_column(title, no_wrap=True,
                         justify="right" if title in ("index", "parameters") else "left")
    for one in layers:
        table.add_row(str(one.index), one.name, one.kind, one.block, f"{one.parameters:,}",
                      "yes" if one.trained else "")
    console.print(table)
    total, trained = (sum(one.parameters for one in layers if one.trained or every)
                      for every in (True, False))
    line("backbone", f"{recipe.backbone}: {total:,} parameters, {trained:,} of them in layers that "
                     f"--unfreeze {escape(args.unfreeze)} trains")
    return 0


def _recipe_without_weights(args: argparse.Namespace) -> Recipe:
    from plankton_features.embedding import get_backbone
    from plankton_features.embedding.model_file import read_description
    from plankton_features.embedding.presets import assemble

    own: dict[str, Any] = {}
    if args.backbone and args.backbone.endswith(".keras"):
        own = read_description(Path(args.backbone))["recipe"]
    name = own.pop("backbone", None) or backbone_now(args.backbone or "auto")
    given = {"layers": args.layers, "canvas": args.canvas}
    chosen = {"layers": get_backbone(name).last_layer, **own,
              **{key: value for key, value in given.items() if value is not None}}
    return assemble(name, "random:0", chosen)


def show_backbone(recipe: Recipe, weights: Weights, why: str, quiet: bool) -> None:
    """Say which network is trained, and why if it is not the usual one."""
    if quiet:
        return
    line("backbone", f"{recipe.backbone}, {escape(weights.source)}, {recipe.canvas} px")
    if why:
        line("note", f"[yellow]{escape(why)}[/yellow]")


def show_start(args: argparse.Namespace, catalog: Catalog, plan: TunePlan, begun: bool) -> None:
    """Say what will be done."""
    if begun:
        line("note", "goes on where a run was broken off, with its options")
    line("images", f"{escape(str(args.images))}: {len(catalog):,} found{left_aside(catalog)}")
    if catalog.recognised:
        line("source", escape(catalog.recognised))
    for note in label_notes(catalog, args):
        line("note", f"[yellow]{escape(note)}[/yellow]")
    options = plan.options
    line("training", f"{options.sampler} sampler, {options.augment} augmentation, "
                     f"{options.optimizer}, {options.rates.describe()}")


def show_split(gathered: Gathered, folds: Folds) -> None:
    """Say what was read, and how it is divided."""
    from plankton_features.extraction.remarks import remarks_of

    counts = np.unique(gathered.images["label"], return_counts=True)[1]
    failed, again = len(gathered.failures), gathered.duplicates
    line("read", f"{counted(len(gathered.images), 'image')} of {counted(len(counts), 'class')} of "
                 f"{counts.min():,} to {counts.max():,}; {failed:,} failed, "
                 f"{counted(again, 'duplicate')} left out")
    for told in remark_lines(remarks_of(gathered.images)):
        line("pictures", f"[yellow]{told}[/yellow]")
    line("split", folds.kind)


def show_results(results: Results, files: dict[str, Path], pictures: Pictures,
                 exported: list[Exported], tuned: Tuned) -> None:
    """Say how good the network is, and where everything lies."""
    show_scores(results, "test part")
    kept = [record for record in tuned.trained.history if record["best"]]
    if kept:
        line("epoch", f"{kept[0]['epoch']} of {len(tuned.trained.history)} was the best "
                      f"({tuned.trained.what})")
    for one in exported:
        line("export", f"{', '.join(escape(str(file)) for file in one.files)}  (differs by "
                       f"{one.largest_difference:.1e})")
    line("model", f"{escape(str(files['model']))}  (recipe {tuned.recipe.recipe_id})")
    for kind in ("report", "results", "predictions", "log"):
        line(kind, escape(str(files[kind])))
    line("time", f"{results.run.seconds or 0:,.0f} s")
    if not pictures.found:
        line("note", "[yellow]The images were not found again, so the report has no "
                     "pictures.[/yellow]")
