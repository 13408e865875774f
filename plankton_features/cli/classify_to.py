"""``classify --to FORMAT DIR``: results in files that other programs read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.errors import InputError, counted

if TYPE_CHECKING:
    from plankton_features.heads import Head
    from plankton_features.store import FeatureFile

FORMATS = ("ecotaxa",)


def add_to_options(parser: argparse.ArgumentParser) -> None:
    """Add where and how results go to other programs."""
    group = parser.add_argument_group("other programs")
    group.add_argument("--to", nargs=2, metavar=("FORMAT", "DIR"),
                       help="also write the results for another program into DIR: ecotaxa (tables "
                            "that its import takes, with pictures)")
    group.add_argument("--update-ecotaxa", action="store_true",
                       help="the objects are in EcoTaxa already: tables that update their taxa, "
                            "without pictures")


def check_to_options(args: argparse.Namespace) -> None:
    """Refuse what cannot be, before anything is read."""
    from plankton_features.results.blocks import is_feature_file

    if args.to and args.to[0] not in FORMATS:
        args.parser.error(f"--to {args.to[0]}: expected one of {', '.join(FORMATS)}, then a folder")
    if args.update_ecotaxa and not args.to:
        args.parser.error("--update-ecotaxa goes with --to ecotaxa DIR")
    if args.to and not is_feature_file(args.source):
        _check_source(args.source, args.kind)


def write_to(args: argparse.Namespace, head: Head, file: FeatureFile) -> None:
    """Write the results of a feature file for another program, and say so."""
    from plankton_features.cli.display import console, escape
    from plankton_features.exchange import write_ecotaxa
    from plankton_features.results.blocks import is_feature_file
    from plankton_features.results.by_path import predictions_by_path
    from plankton_features.results.whereabouts import recorded_folder

    folder = Path(args.to[1])
    images = args.source
    if is_feature_file(images):
        images = Path(recorded_folder(file) or "")
        _check_source(images)
    paths, predictions = predictions_by_path(head, file)
    tables = write_ecotaxa(folder, images, paths, head.classes.tolist(), predictions,
                           update=args.update_ecotaxa, head_id=head.head_id,
                           overwrite=args.overwrite)
    console.print(f"[bold]{'ecotaxa':<10}[/bold] {counted(len(tables), 'table')} in "
                  f"{escape(str(folder))}; what people have said of objects is kept",
                  soft_wrap=True)


def _check_source(images: Path, kind: str | None = None) -> None:
    from plankton_features.images.sources import kind_of

    if kind_of(images, kind).name != "ecotaxa":
        raise InputError(f"--to ecotaxa: no tables of EcoTaxa are at '{images}', where the "
                         "pictures are. Give the export or import itself: classify HEAD EXPORT "
                         "-o OUT.csv")
