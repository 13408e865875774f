"""``plankton-features classify out.head new.h5 -o predictions.csv``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.cli.classify_to import add_to_options, check_to_options, write_to
from plankton_features.cli.options import (
    add_drop_option,
    add_engine_options,
    add_probabilities_option,
    add_source_options,
    engine_options,
    source_options,
    whole_number,
)

INTERRUPTED = ("interrupted. Features that were extracted are kept: run the same command again to "
               "continue.")
STDOUT = Path("-")
MANY = 50_000  # images from which it takes seconds

if TYPE_CHECKING:
    from plankton_features.heads import Head
    from plankton_features.store import FeatureFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("head", type=Path, metavar="HEAD|MODEL.keras",
                        help="from fit-head or fine-tune")
    parser.add_argument("source", type=Path, metavar="FEATURES.h5|IMAGES",
                        help="feature file of the head's recipe; or a folder of images or a CSV "
                             "table with columns path, label, group, id, whose features are "
                             "extracted first, with the head's recipe")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.csv",
                        help="predictions to write, as Parquet if the name ends with .parquet; - "
                             "prints them")
    add_probabilities_option(parser, "OUT.csv")
    parser.add_argument("--columns", default=(), type=_columns, metavar="all|NAME,...",
                        help="add these columns of the images' table, such as depth,ship")
    add_to_options(parser)
    parser.add_argument("--overwrite", action="store_true",
                        help="replace OUT.csv; features are kept all the same")
    parser.add_argument("--quiet", action="store_true", help="print only errors and the summary")
    images = parser.add_argument_group("images", "For IMAGES only.")
    images.add_argument("--features", type=Path, metavar="FILE.h5",
                        help="where to keep their features (default: OUT.features.h5)")
    images.add_argument("--update", action="store_true",
                        help="images were added, moved or relabelled: take over the vectors of "
                             "those with the same content")
    add_drop_option(images, "that file")
    images.add_argument("--weights", metavar="FILE",
                        help="the network's weights, if they are not in the usual place")
    images.add_argument("--max-failures", type=whole_number, metavar="N",
                        help="exit with 3 if more images than this fail (default: if all fail)")
    add_source_options(images)
    add_engine_options(parser)
    parser.set_defaults(parser=parser)


def _columns(text: str) -> str | tuple[str, ...]:
    return text if text == "all" else tuple(text.split(","))


def prints(args: argparse.Namespace) -> bool:
    """Whether the result is what is printed."""
    return bool(args.output == STDOUT)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.cli import classify_text as text
    from plankton_features.cli.display import shown_progress
    from plankton_features.cli.streams import data_output
    from plankton_features.heads import load_head
    from plankton_features.results.blocks import features_to_classify, is_feature_file
    from plankton_features.results.by_path import ByPath
    from plankton_features.results.classifying import classify_file

    check_to_options(args)
    ready = is_feature_file(args.source)
    _check(args, ready)
    head = load_head(args.head)
    with _results_beside(args.output):
        text.show_head(head, args)
        file, code = (features_to_classify(head, args.source), 0) if ready else _extracted(
            args, head)
        if len(file):
            target = data_output() if args.output == STDOUT else args.output
            said = ByPath()
            with shown_progress(args.quiet or len(file) < MANY) as progress:
                found = classify_file(head, file, target, overwrite=args.overwrite,
                                      probabilities=args.probabilities, columns=args.columns,
                                      progress=progress, also=said.add if args.to else None)
            text.show_summary(found, head, file, args)
            if args.to:
                write_to(args, head, file, said)
    return code


def _check(args: argparse.Namespace, ready: bool) -> None:
    """Refuse what cannot be, before anything is read."""
    from plankton_features.results.classifying import check_target_of, refuse_head

    if ready and (args.features or args.update or args.drop or args.weights):
        args.parser.error("--features, --update, --drop and --weights are for images; "
                          f"{args.source} is a feature file")
    if not ready:
        refuse_head(args.source)
    if args.output != STDOUT:
        check_target_of(args.output, (args.head, args.source), args.overwrite)
    elif not ready and not args.features:
        args.parser.error("-o - goes with --features FILE.h5, where features of images are kept")


def _extracted(args: argparse.Namespace, head: Head) -> tuple[FeatureFile, int]:
    """The features of images, and the exit code that their failures give."""
    from plankton_features.cli.extract import exit_code, run_session
    from plankton_features.cli.main import DONE
    from plankton_features.embedding.model_file import is_model_file
    from plankton_features.errors import InputError
    from plankton_features.files.targets import check_target
    from plankton_features.images import build_catalog
    from plankton_features.results.blocks import check_takes_images
    from plankton_features.results.extracting import advice_on_features, session_of_head
    from plankton_features.store import read_features

    check_takes_images(head, args.head)
    features = args.features or args.output.with_suffix(".features.h5")
    check_target(features)
    catalog = build_catalog(args.source, **source_options(args))
    weights = args.weights or (str(args.head) if is_model_file(args.head) else None)
    session = session_of_head(head, features, engine_options(args), weights)
    how = {**vars(args), "images": args.source, "output": features, "overwrite": False,
           "derived": args.features is None}
    with advice_on_features():
        report = run_session(argparse.Namespace(**how), catalog, session)
    code = exit_code(report, args.max_failures)
    if not report.written and code == DONE:
        raise InputError(f"{args.source}: none of the images can be used, so there is nothing to "
                         "classify.")
    return read_features(features), code


@contextmanager
def _results_beside(output: Path) -> Iterator[None]:
    """If predictions go to standard output, all else goes to standard error."""
    from plankton_features.cli.display import console

    console.stderr = output == STDOUT
    try:
        yield
    finally:
        console.stderr = False
