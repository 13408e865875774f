"""What ``fine-tune`` does: from its arguments to calls of the library."""

from __future__ import annotations

import argparse
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plankton_features.cli import fine_tune_text as text
from plankton_features.cli.display import shown_progress, shown_steps
from plankton_features.cli.options import command_line, source_options
from plankton_features.cli.resuming import keep_options, settled
from plankton_features.cli.training_display import TrainingDisplay
from plankton_features.cli.validation_options import grouping_of
from plankton_features.embedding import Recipe, Weights
from plankton_features.errors import InputError
from plankton_features.files.together import Together
from plankton_features.finetuning import (
    Split,
    Tuned,
    TuneOptions,
    TunePlan,
    Watch,
    describe_tuned,
    export_tuned,
    fine_tune,
    forget,
)
from plankton_features.finetuning.beginning import (
    network_of_head,
    network_to_tune,
    read_taxonomy,
)
from plankton_features.finetuning.saving import put_in_place
from plankton_features.finetuning.tuning import is_begun, work_folder
from plankton_features.heads import HeadOptions, load_head
from plankton_features.images import build_catalog
from plankton_features.report.pictures import Pictures, pictures_of
from plankton_features.report.writing import write_told
from plankton_features.results import Results

if TYPE_CHECKING:
    from plankton_features.finetuning.canvases import Gathered
    from plankton_features.finetuning.exporting import Exported
    from plankton_features.heads import Folds, Head

_PIXELS = ("canvas", "framing", "background", "crop_bottom", "interpolation", "layers", "pooling",
           "views", "depth")


def settle(args: argparse.Namespace) -> argparse.Namespace:
    """Fill in what is not given: of the run that was broken off, or else the defaults."""
    goes_on = (args.resume or not args.overwrite) and args.output is not None and \
        is_begun(args.output)
    return settled(args, work_folder(args.output) if goes_on else None)


def plan_of(args: argparse.Namespace) -> TunePlan:
    """What the arguments ask for."""
    begin = load_head(args.begin) if args.begin else None
    recipe, weights = _of_head(begin, args) if begin else _of_arguments(args)
    epochs = args.head_epochs if args.head_epochs is not None else 0 if begin else 20
    own = {name: getattr(args, name) for name in TuneOptions.names()
           if name != "head_epochs"}
    options = TuneOptions(**own, head_epochs=epochs)
    taxonomy = read_taxonomy(args.taxonomy) if args.taxonomy else None
    return TunePlan(recipe, weights, options,
                Split(args.test_size, args.validation_size, grouping_of(args), args.seed),
                HeadOptions(calibration=args.calibration, min_precision=args.min_precision,
                            seed=args.seed), begin, taxonomy)


def train(args: argparse.Namespace, plan: TunePlan) -> tuple[Tuned, float]:
    """Read the images and train, saying what happens."""
    started = time.perf_counter()
    catalog = build_catalog(args.images, **source_options(args))
    if args.overwrite and not args.resume:
        forget(args.output)
        shutil.rmtree(args.output.with_suffix(".tensorboard"), ignore_errors=True)
    begun = is_begun(args.output)
    if not args.quiet:
        text.show_start(args, catalog, plan, begun)
    with ExitStack() as before, ExitStack() as after:  # one display at a time
        reading = before.enter_context(shown_progress(args.quiet))
        training = TrainingDisplay(args.quiet)

        def gathered(found: Gathered, folds: Folds) -> None:
            before.close()
            if not begun:
                keep_options(args, work_folder(args.output))
            if not args.quiet:
                text.show_split(found, folds)
            after.enter_context(training)

        watch = Watch(reading, training.steps, training, gathered)
        tuned = fine_tune(catalog, args.output, plan, overwrite=True, watch=watch,
                          readers=args.readers, place=False)
    return tuned, time.perf_counter() - started


def write_files(args: argparse.Namespace, plan: TunePlan, tuned: Tuned, seconds: float,
                files: dict[str, Path],
                together: Together) -> tuple[Results, Pictures, list[Exported]]:
    """Write network, report, results and predictions, all or none; then exports.

    What a resumed run needs is forgotten when all is there.
    """
    with shown_steps(args.quiet) as progress:
        progress(0, 2, "scores and intervals")
        results = describe_tuned(tuned, plan, args.images, non_living=args.non_living,
                                 command=command_line("plankton-features"), seconds=seconds)
        pictures = pictures_of(results)
        with together.written() as folder:
            new = {kind: folder / path.name for kind, path in files.items()}
            put_in_place(tuned.file, new["model"])
            write_told(results, new, pictures)
        progress(1, 2, "exports")
        exported = export_tuned(tuned, args.export, args.output.with_suffix("")) \
            if args.export else []
    forget(args.output)
    return results, pictures, exported


def exit_code(tuned: Tuned, max_failures: int | None) -> int:
    """1 if training ended before its time, 3 if more images failed than allowed."""
    from plankton_features.cli.main import DONE, TOO_MANY_FAILURES, WRONG

    if tuned.trained.stopped:
        return WRONG
    failed = len(tuned.gathered.failures)
    return TOO_MANY_FAILURES if max_failures is not None and failed > max_failures else DONE


def _of_arguments(args: argparse.Namespace) -> tuple[Recipe, Weights]:
    given: dict[str, Any] = {name: getattr(args, name) for name in _PIXELS}
    if given["background"] is not None and given["background"].isdecimal():
        given["background"] = int(given["background"])
    recipe, weights, why = network_to_tune(args.backbone, args.weights, **given)
    text.show_backbone(recipe, weights, why, args.quiet)
    return recipe, weights


def _of_head(head: Head, args: argparse.Namespace) -> tuple[Recipe, Weights]:
    given = [name for name in ("backbone", *_PIXELS) if getattr(args, name) is not None]
    if given:
        raise InputError(f"--from brings its own recipe: leave --{given[0].replace('_', '-')} out.")
    return network_of_head(head, args.weights)
