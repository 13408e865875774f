"""What ``fine-tune`` does: from images to a network and what is told of it."""

from __future__ import annotations

import argparse
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plankton_features.assessment.lineage_scores import (
    lineage_scores,
    rank_accuracies,
    taxonomy_to_json,
)
from plankton_features.assessment.taxonomy import Taxonomy, lineage_matrix
from plankton_features.cli import fine_tune_text as text
from plankton_features.cli.display import shown_progress, shown_steps
from plankton_features.cli.fit_work import command_line, conflicts_sentence
from plankton_features.cli.options import source_options
from plankton_features.cli.resuming import keep_options, settled
from plankton_features.cli.training_display import TrainingDisplay
from plankton_features.cli.validation_options import grouping_of
from plankton_features.embedding import Recipe, Weights, get_backbone, make_recipe
from plankton_features.embedding.weights import find_weights, missing_weights, resolve_weights
from plankton_features.errors import InputError, WeightsError, counted
from plankton_features.files.together import Together
from plankton_features.finetuning.exporting import export_tuned
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.plan import Split, Tuned, TunePlan, Watch
from plankton_features.finetuning.saving import put_in_place
from plankton_features.finetuning.tuning import fine_tune, forget, is_begun, work_folder
from plankton_features.heads.file.persistence import load_head
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.images import build_catalog
from plankton_features.images.delimited import read_table
from plankton_features.report.files import write_json, write_predictions
from plankton_features.report.originals import recorded_digests
from plankton_features.report.page import write_report
from plankton_features.report.pictures import Pictures, collect_pictures
from plankton_features.results.describing import non_living_classes, results_header
from plankton_features.results.numbers import (
    prediction_frame,
    summarize_folds,
    validation_results,
    warnings_of,
    warnings_of_results,
)

if TYPE_CHECKING:
    from plankton_features.finetuning.canvases import Gathered
    from plankton_features.finetuning.exporting import Exported
    from plankton_features.heads.head import Head
    from plankton_features.heads.validation.folds import Folds

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
    recipe, weights = _head_recipe(begin, args) if begin else _own_recipe(args)
    epochs = args.head_epochs if args.head_epochs is not None else 0 if begin else 20
    own = {name: getattr(args, name) for name in TuneOptions.names()
           if name != "head_epochs"}
    options = TuneOptions(**own, head_epochs=epochs)
    return TunePlan(recipe, weights, options,
                Split(args.test_size, args.validation_size, grouping_of(args), args.seed),
                HeadOptions(calibration=args.calibration, min_precision=args.min_precision,
                            seed=args.seed), begin, read_taxonomy(args.taxonomy))


def read_taxonomy(path: Path | None) -> Taxonomy | None:
    """A table of name, parent and rank."""
    if path is None:
        return None
    if not path.exists():
        raise InputError(f"{path}: no such taxonomy.")
    try:
        rows = list(read_table(path, ("name", "parent", "rank"), needed=2))
    except InputError as error:
        raise InputError("taxonomy: not a table that can be used, expected columns name, parent, "
                         f"rank. {error}") from error
    names, parents, ranks = zip(*rows, strict=True) if rows else ((), (), ())
    return Taxonomy.from_table(names, parents, ranks)


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
                together: Together) -> tuple[dict[str, Any], Pictures, list[Exported]]:
    """Write network, report, results and predictions, all or none; then exports.

    What a resumed run needs is forgotten when all is there.
    """
    with shown_steps(args.quiet) as progress:
        progress(0, 2, "scores and intervals")
        results = results_of(args, plan, tuned, seconds)
        images = tuned.gathered.images
        frame = prediction_frame(tuned.result, images)
        pictures = collect_pictures(frame, args.images, sha256=recorded_digests(images),
                                    listed=images["path"], depth=plan.recipe.depth)
        with together.written() as folder:
            put_in_place(tuned.file, folder / files["model"].name)
            write_predictions(frame, folder / files["predictions"].name)
            write_json(results, folder / files["results"].name)
            write_report(results, folder / files["report"].name, pictures)
        progress(1, 2, "exports")
        exported = _export(args, tuned)
    forget(args.output)
    return results, pictures, exported


def results_of(args: argparse.Namespace, plan: TunePlan, tuned: Tuned,
               seconds: float) -> dict[str, Any]:
    """All that results.json holds."""
    result = tuned.result
    living = non_living_classes(args.non_living, tuned.gathered.images["label"].to_numpy(str))
    summary = summarize_folds(result.y, result.out_of_fold, result.folds.units)
    options = {**result.head.info["options"], "test_size": args.test_size,
               "validation_size": args.validation_size, "non_living": list(args.non_living)}
    features = {"path": str(args.images), "rows": len(result.y), "recipe": result.head.recipe,
                "values": len(result.head.feature_names), "recipe_id": result.head.recipe_id,
                "weights_source": f"before training: {plan.weights.source}",
                "engine": "tensorflow", "precision": plan.options.precision}
    results = {**results_header(command_line("plankton-features"), features, options),
               **validation_results(result, summary, living, _groups(tuned))}
    counts = tuned.parts.epoch_counts.tolist()
    for row, one, n in zip(results["sampling"], results["per_class"], counts, strict=True):
        row.update(after=n, how=_how(row["before"], n))
        one["training"] = n
    results["versions"] |= {name: version(name) for name in ("tensorflow", "keras")}
    results["network"] = _network_facts(plan, tuned)
    results["curves"] = tuned.trained.history
    results["taxonomy"] = _taxonomy(tuned)
    results["optimism"] = results["comparison"] = None
    results["warnings"] = (_warnings(plan, tuned) + warnings_of(result, summary)
                           + warnings_of_results(results))
    results["seconds"] = {"total": round(seconds, 1)}
    return results


def exit_code(tuned: Tuned, max_failures: int | None) -> int:
    """1 if training ended before its time, 3 if more images failed than allowed."""
    from plankton_features.cli.main import DONE, TOO_MANY_FAILURES, WRONG

    if tuned.trained.stopped:
        return WRONG
    failed = len(tuned.gathered.failures)
    return TOO_MANY_FAILURES if max_failures is not None and failed > max_failures else DONE


def _own_recipe(args: argparse.Namespace) -> tuple[Recipe, Weights]:
    given = {name: getattr(args, name) for name in _PIXELS}
    if given["background"] is not None and given["background"].isdecimal():
        given["background"] = int(given["background"])
    given["views"] = given["views"] or "none"
    recipe, weights, why = make_recipe("balanced", weights=args.weights or "imagenet",
                                       backbone=args.backbone, **given)
    text.show_backbone(recipe, weights, why, args.quiet)
    if args.backbone and args.backbone.endswith(".keras"):
        return recipe, weights
    last = get_backbone(recipe.backbone).last_layer
    return replace(recipe, layers=args.layers or (last,),
                   pooling=args.pooling or ("avg",)), weights


def _head_recipe(head: Head, args: argparse.Namespace) -> tuple[Recipe, Weights]:
    given = [name for name in ("backbone", *_PIXELS) if getattr(args, name) is not None]
    if given:
        raise InputError(f"--from brings its own recipe: leave --{given[0].replace('_', '-')} out.")
    if head.recipe.get("size_features"):
        raise InputError("--from: the head uses size features, which the network does not see. "
                         "Fit one on features without --size-features.")
    recipe = replace(Recipe(**head.recipe), precision="float32")
    weights = (resolve_weights(recipe.backbone, args.weights) if args.weights
               else find_weights(recipe.backbone, recipe.weights))
    if weights is None or weights.identity != recipe.weights:
        raise WeightsError(missing_weights(recipe.backbone, recipe.weights))
    return recipe, weights


def _groups(tuned: Tuned) -> Any:
    return None if tuned.groups is None else tuned.gathered.images["group"]


def _how(before: int, after: int) -> str:
    if not before:
        return "not trained"
    if after == before:
        return "each once"
    return "drawn anew for each epoch" if after < before else "repeated"


def _network_facts(plan: TunePlan, tuned: Tuned) -> dict[str, str]:
    from plankton_features.finetuning.augmentation import AUGMENTATIONS

    trained, options = tuned.trained, plan.options
    return {"Backbone": plan.recipe.backbone, "Trained": trained.what,
            "Parameters": f"{trained.parameters / 1e6:.1f} million, "
                          f"{trained.trained_parameters / 1e6:.1f} million trained",
            "Classification layers": f"{options.hidden} units, then classes" if options.hidden
            else "one layer",
            "Augmentation": AUGMENTATIONS[options.augment],
            "Learning rate": f"{options.optimizer}, {options.rates.describe()}"}


def _taxonomy(tuned: Tuned) -> dict[str, Any] | None:
    if tuned.taxonomy is None:
        return None
    result, found = tuned.result, tuned.result.out_of_fold
    classes = result.classes.tolist()
    _, lineages = lineage_matrix(tuned.taxonomy, classes)
    true, units = result.y[found.row], result.folds.units[found.row]
    scores = lineage_scores(true, found.predicted, lineages, units=units)
    ranks = rank_accuracies(true, found.predicted, tuned.taxonomy, classes, units=units)
    return taxonomy_to_json(scores, ranks, tuned.taxonomy, classes)


def _warnings(plan: TunePlan, tuned: Tuned) -> list[str]:
    told, gathered = [], tuned.gathered
    if plan.begin is not None:
        n = plan.begin.target.sum()
        told.append("The last layer began as a head that was fitted on "
                    f"{counted(round(n), 'image')}. Where the test part is among them, "
                    "its scores are too good.")
    if tuned.trained.stopped:
        told.append(f"Training ended before its time: {tuned.trained.stopped} The network is that "
                    "of the best epoch before.")
    if plan.weights.source.startswith("fine-tuned"):
        told.append("Training began with a fine-tuned network. Where the test part is among the "
                    "images that trained it, its scores are too good.")
    if tuned.unlabelled:
        told.append(f"{counted(tuned.unlabelled, 'image')} without a label left out.")
    if tuned.groups is not None and tuned.groups.dropped:
        told.append(tuned.groups.dropped)
    if n := len(gathered.failures):
        first = gathered.failures.iloc[0]
        told.append(f"{counted(n, 'image')} could not be used, such as {first['path']} "
                    f"({first['reason']}); left out.")
    if len(gathered.conflicts):
        told.append(conflicts_sentence(gathered.conflicts))
    return told


def _export(args: argparse.Namespace, tuned: Tuned) -> list[Exported]:
    if not args.export:
        return []
    return export_tuned(tuned, args.export, args.output.with_suffix(""))
