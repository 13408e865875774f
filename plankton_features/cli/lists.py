"""Tables of backbones and layers."""

from __future__ import annotations

import argparse

from rich import box
from rich.table import Table

from plankton_features.cli.display import console, escape
from plankton_features.embedding import (
    PRESETS,
    Backbone,
    get_backbone,
    list_backbones,
    plugin_problems,
)
from plankton_features.embedding.backbones import DEFAULT_BACKBONE, OFFLINE_BACKBONE
from plankton_features.embedding.layers import layer_table
from plankton_features.embedding.presets import DEFAULT_PRESET
from plankton_features.embedding.weights import local_file


def show_backbones() -> int:
    """Print the registry."""
    table = _table(["name", "weights"],
                   ["canvas px", "values", "params M", "mult-adds G"])
    for b in list_backbones():
        table.add_row(b.name, _where(b), str(b.canvas), str(b.channels),
                      f"{b.parameters:.1f}", f"{b.multiply_adds:.2f}")
    console.print(table)
    console.print("weights: ImageNet's; here: on this machine. params: millions, without the "
                  "classification layer.\nmult-adds: billions of multiply-adds for one canvas of "
                  "that size.")
    for b in list_backbones():
        told = "; ".join(filter(None, (b.description, b.licence)))
        console.print(f"[bold]{escape(b.name)}[/bold]: {escape(told)}", soft_wrap=True)
    if broken := [one.name for one in plugin_problems() if one.what == "backbone"]:
        console.print(f"Cannot be loaded: {escape(', '.join(broken))}. plankton-features doctor "
                      "says why.", soft_wrap=True)
    return 0


def show_layers(args: argparse.Namespace) -> int:
    """Print the layers of a backbone."""
    preset = PRESETS[args.preset or DEFAULT_PRESET]
    chosen = {**preset, **({"backbone": args.backbone} if args.backbone else {})}
    known = get_backbone(backbone_now(chosen["backbone"]))
    own = {"canvas": known.canvas, **known.defaults}
    canvas = args.canvas or chosen.get("canvas") or own["canvas"]
    table = _table(["index", "name", "kind"], ["map", "channels", "parameters", "mult-adds M"])
    console.print(f"[bold]layers of {known.name}[/bold] on a canvas of {canvas} px")
    for row in layer_table(known.name, canvas):
        table.add_row(str(row.index), row.name, row.kind, f"{row.height} x {row.width}",
                      str(row.channels), f"{row.parameters:,}", f"{row.multiply_adds / 1e6:,.1f}")
    console.print(table)
    return 0


def backbone_now(backbone: str) -> str:
    """What ``auto`` is on this machine now, without downloading."""
    if backbone != "auto":
        return backbone
    return DEFAULT_BACKBONE if local_file(DEFAULT_BACKBONE) else OFFLINE_BACKBONE


def _table(words: list[str], figures: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in words:  # what a person may have to type stays whole
        table.add_column(name, no_wrap=name == "name", overflow="ignore" if name == "name"
                         else "ellipsis")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _where(backbone: Backbone) -> str:
    if not backbone.has_weights:
        return "none"
    if backbone.weights_finder:
        return "in package"
    if not backbone.weights_url:
        return "your own"
    return "here" if local_file(backbone.name) else "download"
