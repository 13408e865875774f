"""``plankton-features classify out.head new.h5 -o predictions.csv``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.cli.options import (
    add_drop_option,
    add_engine_options,
    add_probabilities_option,
    add_source_options,
    engine_options,
    source_options,
    whole_number,
)
from plankton_features.files.kinds import HDF5

INTERRUPTED = ("interrupted. Features that were extracted are kept: run the same command again to "
               "continue.")
STDOUT = Path("-")
MANY = 50_000  # images from which it takes seconds

if TYPE_CHECKING:
    from plankton_features.extraction import Session
    from plankton_features.heads.head import Head
    from plankton_features.progress import ProgressCallback
    from plankton_features.results.classifying import VectorBlock
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
                        help="predictions to write; - prints them")
    add_probabilities_option(parser, "OUT.csv")
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


def prints(args: argparse.Namespace) -> bool:
    """Whether the result is what is printed."""
    return bool(args.output == STDOUT)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.cli import classify_text as text
    from plankton_features.cli.display import shown_progress
    from plankton_features.cli.streams import data_output
    from plankton_features.heads.file.persistence import load_head
    from plankton_features.results.classifying import write_predictions

    ready = is_feature_file(args.source)
    _check_output(args, ready)
    head = load_head(args.head)
    with _results_beside(args.output):
        text.show_head(head, args)
        file, code = (_opened(args.source, head), 0) if ready else _extracted(args, head)
        if len(file):
            target = data_output() if args.output == STDOUT else args.output
            with shown_progress(args.quiet or len(file) < MANY) as progress:
                tally = write_predictions(head, _blocks(file, progress), target,
                                          overwrite=args.overwrite,
                                          probabilities=args.probabilities)
            text.show_summary(tally, head, file, args)
    return code


def is_feature_file(path: Path) -> bool:
    """Whether it is, or is to be, a feature file rather than images."""
    if path.is_dir():
        return False
    if path.suffix.lower() in (".h5", ".hdf5"):
        return True
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        with path.open("rb") as file:
            return file.read(8) == HDF5
    except OSError:
        return False


def _check_output(args: argparse.Namespace, ready: bool) -> None:
    from plankton_features.errors import InputError
    from plankton_features.files.targets import check_output
    from plankton_features.heads.file.persistence import is_head_file

    if ready and (args.features or args.update or args.drop or args.weights):
        args.parser.error("--features, --update, --drop and --weights are for images; "
                          f"{args.source} is a feature file")
    if not ready and is_head_file(args.source):
        raise InputError(f"{args.source}: a head, expected features or images. The order is: "
                         "plankton-features classify HEAD FEATURES.h5")
    if args.output == STDOUT:
        if not ready and not args.features:
            args.parser.error("-o - goes with --features FILE.h5, where features of images are "
                              "kept")
        return
    if any(args.output.resolve() == path.resolve() for path in (args.head, args.source)):
        raise InputError(f"{args.output}: would replace what is read. Choose another name for the "
                         "predictions.")
    check_output(args.output, args.overwrite)


def _opened(path: Path, head: Head) -> FeatureFile:
    from plankton_features.errors import InputError, counted
    from plankton_features.results.classifying import check_takes
    from plankton_features.store import read_features

    file = read_features(path)
    check_takes(head, file)
    if not len(file):
        raise InputError(f"{path}: holds no vectors ({counted(file.count('failures'), 'image')} "
                         "could not be used), so there is nothing to classify.")
    return file


def _extracted(args: argparse.Namespace, head: Head) -> tuple[FeatureFile, int]:
    """The features of images, and the exit code that their failures give."""
    from plankton_features.cli.extract import exit_code, run_session
    from plankton_features.cli.main import DONE
    from plankton_features.errors import InputError
    from plankton_features.files.targets import check_target
    from plankton_features.images import build_catalog
    from plankton_features.results.classifying import check_takes_images
    from plankton_features.store import read_features

    check_takes_images(head, args.head)
    features = args.features or args.output.with_suffix(".features.h5")
    check_target(features)
    catalog = build_catalog(args.source, **source_options(args))
    session = _session(args, head, features)
    how = {**vars(args), "images": args.source, "output": features, "overwrite": False,
           "derived": args.features is None}
    with _own_advice():
        report = run_session(argparse.Namespace(**how), catalog, session)
    code = exit_code(report, args.max_failures)
    if not report.written and code == DONE:
        raise InputError(f"{args.source}: none of the images can be used, so there is nothing to "
                         "classify.")
    return read_features(features), code


def _session(args: argparse.Namespace, head: Head, features: Path) -> Session:
    from plankton_features.errors import check_same
    from plankton_features.extraction.session import continue_session, existing_attributes

    asked: dict[str, object] = {"engine": "auto", "recipe": json.dumps(head.recipe)}
    asked.update((name, head.info[name]) for name in ("engine", "batch") if name in head.info)
    found = existing_attributes(features) or {}
    if found:
        check_same(json.loads(str(found["recipe"])), head.recipe,
                   f"{features}: made with another recipe than the head's",
                   "Use --features with another file name.",
                   whole=True)
    return continue_session({**asked, **found}, engine_options(args), _weights(args))


def _weights(args: argparse.Namespace) -> str:
    """A fine-tuned network brings its weights along."""
    from plankton_features.embedding.model_file import is_model_file

    if args.weights is None and is_model_file(args.head):
        return str(args.head)
    return args.weights or "imagenet"


@contextmanager
def _own_advice() -> Iterator[None]:
    """What to do about a feature file that does not fit is another thing here than in extract."""
    from plankton_features.errors import MismatchError

    try:
        yield
    except MismatchError as error:
        *lines, _ = str(error).splitlines()
        advice = ("If images were added, moved or relabelled, use --update (vectors of pictures "
                  "that are gone leave the file); or --features with another file name.")
        raise MismatchError("\n".join([*lines, advice]), error.fields) from error


@contextmanager
def _results_beside(output: Path) -> Iterator[None]:
    """If predictions go to standard output, all else goes to standard error."""
    from plankton_features.cli.display import console

    console.stderr = output == STDOUT
    try:
        yield
    finally:
        console.stderr = False


def _blocks(file: FeatureFile, progress: ProgressCallback) -> Iterator[VectorBlock]:
    from plankton_features.progress import Progress
    from plankton_features.results.classifying import VectorBlock

    columns = ["path", "id", *(name for name in ("group", "label")
                               if any(file.images[name]) or any(file.duplicates[name]))]
    images = file.images[columns]
    duplicates = file.duplicates[[*columns, "row"]].sort_values("row", kind="stable")
    start = 0
    for vectors in file.iter_blocks():
        stop = start + len(vectors)
        first, last = duplicates["row"].searchsorted([start, stop])
        again = duplicates.iloc[first:last]
        yield VectorBlock(vectors, images.iloc[start:stop], again.assign(row=again["row"] - start))
        progress(Progress(stop, len(file)))
        start = stop
