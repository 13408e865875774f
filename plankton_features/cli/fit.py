"""``fit-head out.h5 --sampler smote``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plankton_features.cli.options import add_probabilities_option, command_line, whole_number
from plankton_features.cli.validation_options import (
    add_calibration_options,
    add_group_options,
    grouping_of,
    percent,
)

if TYPE_CHECKING:
    from plankton_features.heads import HeadOptions

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
    add_probabilities_option(parser, "NAME.predictions.csv")
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
    from plankton_features.cli.display import shown_steps
    from plankton_features.report.writing import ResultFiles
    from plankton_features.results.validating import plan_validation
    from plankton_features.store import read_features

    file = read_features(args.features)  # if it is none, that comes first
    with ResultFiles(args.features, args.output, args.overwrite) as files:
        options = _options(args)
        planned = plan_validation(
            file, options, grouping=grouping_of(args), folds=args.folds, repeats=args.repeats,
            test_size=args.test_size, validation_size=args.validation_size,
            compare=_ways(args, options), non_living=args.non_living, images=args.images)
        if not args.quiet:
            text.show_start(planned)
        with shown_steps(args.quiet) as progress:
            results = planned.run(command_line("fit-head"), progress)
            written = files.write(results, args.probabilities)
    text.show_results(results, written)
    return 0


def _options(args: argparse.Namespace) -> HeadOptions:
    """Options of the head; with ``--compare``, floor and cap may be for other samplers only."""
    from plankton_features.heads import HeadOptions
    from plankton_features.results.comparing import limits_of

    limits = {"floor": args.floor, "cap": args.cap}
    if args.compare is not None:
        limits = limits_of(args.sampler, **limits)
    return HeadOptions(args.classifier, args.sampler, args.pca, calibration=args.calibration,
                       min_precision=args.min_precision, seed=args.seed, **limits)


def _ways(args: argparse.Namespace, options: HeadOptions) -> list[HeadOptions] | None:
    from plankton_features.results.comparing import DEFAULT_LIST, ways_to_compare

    if args.compare is None:
        return None
    names = args.compare.split(",") if args.compare else DEFAULT_LIST
    return ways_to_compare(names, options, floor=args.floor, cap=args.cap)


def _positive(text: str) -> int:
    return whole_number(text, least=1)


def _floor(text: str) -> Any:
    return text if text == "balance" else _positive(text)


def _pca(text: str) -> int | None:
    return None if text == "none" else _positive(text)
