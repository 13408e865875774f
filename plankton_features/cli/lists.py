"""Tables of backbones and layers."""

from __future__ import annotations

import argparse

from rich.table import Table

from plankton_features.cli.display import console
from plankton_features.embedding import get_backbone, list_backbones
from plankton_features.embedding.backbones import DEFAULT_BACKBONE, Backbone
from plankton_features.embedding.layers import layer_table
from plankton_features.embedding.weights import local_file


def show_backbones() -> int:
    """Print the registry."""
    table = Table(title="backbones", title_justify="left")
    for name in ("name", "canvas px", "values", "parameters M", "multiply-adds G",
                 "ImageNet weights", "last map"):
        table.add_column(name, justify="left" if name in ("name", "ImageNet weights", "last map")
                         else "right")
    for b in list_backbones():
        table.add_row(b.name, str(b.canvas), str(b.channels), f"{b.parameters:.1f}",
                      f"{b.multiply_adds:.2f}", _where(b), b.last_layer)
    console.print(table)
    console.print("Parameters without the classification layer; multiply-adds for one canvas of "
                  "the given size.")
    return 0


def show_layers(args: argparse.Namespace) -> int:
    """Print the layers of a backbone."""
    known = get_backbone(args.backbone or DEFAULT_BACKBONE)
    canvas = args.canvas or known.canvas
    table = Table(title=f"layers of {known.name} at {canvas} px", title_justify="left")
    for name in ("index", "name", "kind", "map", "channels", "parameters", "multiply-adds M"):
        table.add_column(name, justify="left" if name in ("name", "kind") else "right")
    for row in layer_table(known.name, canvas):
        table.add_row(str(row.index), row.name, row.kind, f"{row.height} x {row.width}",
                      str(row.channels), f"{row.parameters:,}", f"{row.multiply_adds / 1e6:,.1f}")
    console.print(table)
    return 0


def _where(backbone: Backbone) -> str:
    if not backbone.factory:
        return "none needed"
    if not backbone.weights_path:
        return "come with the package"
    return "on this machine" if local_file(backbone.name) else "download"
