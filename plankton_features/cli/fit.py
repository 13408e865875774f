"""``fit-head out.h5 --sampler smote``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from plankton_features.cli.options import whole_number
from plankton_features.cli.validation_options import (
    add_calibration_options,
    add_group_options,
    percent,
)

INTERRUPTED = "interrupted. Nothing was written; the feature file is as it was."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("features", type=Path, metavar="FEATURES.h5",
                        help="from extract-features")
    parser.add_argument("-o", "--output", type=Path, metavar="NAME",
                        help="a folder, or begin of the names of the files written: NAME.head, "
                             "NAME.report.html, NAME.results.json, NAME.predictions.csv (default: "
                             "FEATURES)")
    parser.add_argument("--overwrite", action="store_true", help="replace these files")
    parser.add_argument("--images", type=Path, metavar="FOLDER|TABLE",
                        help="where the images are now, for the pictures in the report (default: "
                             "where they were when the features were made); your own table of "
                             "them, if they lie in several places")
    parser.add_argument("--quiet", action="store_true", help="print only errors and the result")
    _add_head_options(parser)
    _add_validation_options(parser)


def _add_head_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("head")
    group.add_argument("--sampler", default="none", metavar="NAME[+NAME]",
                       help="how to resample training rows, or two ways in turn; a wrong name "
                            "prints all (default: none)")
    group.add_argument("--floor", type=_floor, metavar="N|balance",
                       help="images that over-samplers bring each class up to (default: 100; "
                            "balance: those of the largest class)")
    group.add_argument("--cap", type=_positive, metavar="N",
                       help="images that under-samplers bring each class down to (default: 300)")
    group.add_argument("--classifier", default="logistic", metavar="NAME",
                       help="logistic, mlp, random-forest, lda or knn (default: logistic)")
    group.add_argument("--pca", type=_pca, default=256, metavar="N|none",
                       help="components at most, after scaling (default: 256)")
    add_calibration_options(group)


def _add_validation_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("validation")
    group.add_argument("--folds", type=_positive, default=5, metavar="N",
                       help="3 or more (default: 5)")
    group.add_argument("--repeats", type=_positive, default=1, metavar="N",
                       help="divisions into folds (default: 1)")
    group.add_argument("--test-size", type=percent, metavar="PERCENT",
                       help="score a single test part of 5, 10 ... percent instead of folds")
    group.add_argument("--validation-size", type=percent, metavar="PERCENT",
                       help="with --test-size: part that choices are made on (default: the same)")
    group.add_argument("--seed", type=whole_number, default=0, metavar="N",
                       help="of folds, samplers and classifiers (default: 0)")
    add_group_options(group)
    group.add_argument("--compare", nargs="?", const="", metavar="NAME[,NAME...]",
                       help="cross-validate samplers, classifiers or SAMPLER/CLASSIFIER on the "
                            "same folds, and recommend (default: the common samplers)")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.cli import fit_text as text
    from plankton_features.cli import fit_work as work
    from plankton_features.cli.display import shown_steps
    from plankton_features.files.together import Together
    from plankton_features.store import read_features

    file = read_features(args.features)  # if it is none, that comes first
    files = work.output_files(args.features, args.output)
    with Together(list(files.values()), args.overwrite) as together:
        options = work.options_of(args)
        rows = work.rows_to_learn(args, file)
        folds = work.folds_of(args, rows)
        if not args.quiet:
            text.show_start(rows, folds, options)
        with shown_steps(args.quiet) as progress:
            results, result, frame = work.fit(args, rows, folds, options, progress)
            pictures = work.write_files(args, rows, results, result, frame, files, together)
    text.show_results(results, files, pictures, result.head.head_id)
    return 0


def _positive(text: str) -> int:
    return whole_number(text, least=1)


def _floor(text: str) -> Any:
    return text if text == "balance" else _positive(text)


def _pca(text: str) -> int | None:
    return None if text == "none" else _positive(text)
