"""What ``fine-tune`` writes, and whether it may."""

from __future__ import annotations

import argparse
from pathlib import Path

from plankton_features.errors import InputError
from plankton_features.files.targets import check_output, check_target
from plankton_features.finetuning.exporting import check_exports, export_files
from plankton_features.finetuning.tuning import is_begun

SUFFIXES = {"model": ".keras", "report": ".report.html", "results": ".results.json",
            "predictions": ".predictions.csv", "log": ".log.csv"}


def output_files(args: argparse.Namespace) -> dict[str, Path]:
    """Names of the files to write; refused if one is there that is not of a run to go on with."""
    if args.output.suffix != ".keras":
        raise InputError(f"{args.output}: expected a name that ends with .keras. The order is: "
                         "plankton-features fine-tune IMAGES MODEL.keras")
    check_target(args.output)
    check_exports(args.export)
    files = {kind: args.output.with_suffix(suffix) for kind, suffix in SUFFIXES.items()}
    exports = [file for name in args.export
               for file in export_files(name, args.output.with_suffix(""))]
    for path in (*files.values(), *exports):
        check_output(path, may_replace(args))
    return files


def may_replace(args: argparse.Namespace) -> bool:
    """Whether files may be replaced; a run that goes on replaces its own."""
    return args.overwrite or is_begun(args.output)
