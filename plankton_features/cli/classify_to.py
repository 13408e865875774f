"""``classify --to FORMAT DIR``: results in files that other programs read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.errors import InputError, counted

if TYPE_CHECKING:
    from plankton_features.heads import Head
    from plankton_features.results.by_path import ByPath
    from plankton_features.store import FeatureFile

FORMATS = ("ecotaxa", "ifcb")


def add_to_options(parser: argparse.ArgumentParser) -> None:
    """Add where and how results go to other programs."""
    group = parser.add_argument_group("other programs")
    group.add_argument("--to", nargs=2, metavar=("FORMAT", "DIR"),
                       help="also write the results for another program into DIR: ecotaxa (tables "
                            "that its import takes, with pictures) or ifcb (a file of class "
                            "scores for each bin, as the Dashboard and iRfcb read them)")
    group.add_argument("--update-ecotaxa", action="store_true",
                       help="the objects are in EcoTaxa already: tables that update their taxa, "
                            "without pictures")


def check_to_options(args: argparse.Namespace) -> None:
    """Refuse what cannot be, before anything is read."""
    from plankton_features.results.blocks import is_feature_file

    if args.to and args.to[0] not in FORMATS:
        args.parser.error(f"--to {args.to[0]}: expected one of {', '.join(FORMATS)}, then a folder")
    if args.update_ecotaxa and (not args.to or args.to[0] != "ecotaxa"):
        args.parser.error("--update-ecotaxa goes with --to ecotaxa DIR")
    if args.to and not is_feature_file(args.source):
        _check_source(args.to[0], args.source, args.kind)


def write_to(args: argparse.Namespace, head: Head, file: FeatureFile, said: ByPath) -> None:
    """Write the results of a feature file for another program, and say so."""
    from plankton_features.cli.display import console, escape

    name, folder = args.to[0], Path(args.to[1])
    told = (_ecotaxa if name == "ecotaxa" else _ifcb)(args, head, file, said, folder)
    console.print(f"[bold]{name:<10}[/bold] {told.format(folder=escape(str(folder)))}",
                  soft_wrap=True)


def _ecotaxa(args: argparse.Namespace, head: Head, file: FeatureFile, said: ByPath,
             folder: Path) -> str:
    from plankton_features.exchange import write_ecotaxa
    from plankton_features.results.blocks import is_feature_file
    from plankton_features.results.whereabouts import recorded_folder

    images = args.source
    if is_feature_file(images):
        images = Path(recorded_folder(file) or "")
        _check_source("ecotaxa", images)
    tables = write_ecotaxa(folder, images, said.paths, head.classes.tolist(), said.predictions(),
                           update=args.update_ecotaxa, head_id=head.head_id,
                           overwrite=args.overwrite)
    return (f"{counted(len(tables), 'table')} in {{folder}}; what people have said of objects is "
            "kept")


def _ifcb(args: argparse.Namespace, head: Head, file: FeatureFile, said: ByPath,
          folder: Path) -> str:
    from plankton_features.exchange import write_class_scores
    from plankton_features.images.ifcb import split_picture_id

    pictures = [split_picture_id(path.rpartition("/")[2]) for path in said.paths]
    if None in pictures:
        raise InputError(f"--to ifcb: {said.paths[pictures.index(None)]} is no picture of an "
                         "IFCB's bin, such as D20220519T124533_IFCB134_00007. Class-score files "
                         "are of bins only.")
    bins, targets = zip(*(picture for picture in pictures if picture), strict=True)
    files = write_class_scores(folder, bins, targets, head.classes.tolist(),
                               said.predictions(), thresholds=head.thresholds,
                               classifier=Path(args.head).stem, model_id=head.head_id,
                               overwrite=args.overwrite)
    return f"class scores of {counted(len(files), 'bin')} in {{folder}}"


def _check_source(name: str, images: Path, kind: str | None = None) -> None:
    from plankton_features.images.sources import kind_of

    if name != "ecotaxa" or kind_of(images, kind).name == "ecotaxa":
        return
    raise InputError(f"--to ecotaxa: no tables of EcoTaxa are at '{images}', where the "
                     "pictures are. Give the export or import itself: classify HEAD EXPORT "
                     "-o OUT.csv")
