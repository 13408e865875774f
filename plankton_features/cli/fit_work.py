"""What ``fit-head`` does: from a feature file to a head and what is told of it."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.cli.validation_options import grouping_of
from plankton_features.errors import InputError, counted
from plankton_features.files.together import Together
from plankton_features.heads.file.persistence import save_head
from plankton_features.heads.fitting import FitResult, fit_head, prepare
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.validation.folds import Folds, make_folds, make_split
from plankton_features.heads.validation.groups import Groups, find_groups
from plankton_features.heads.validation.labels import labelled_rows
from plankton_features.heads.validation.out_of_fold import cross_predict
from plankton_features.progress import StepCallback
from plankton_features.report.files import write_json, write_predictions
from plankton_features.report.originals import (
    listed_paths,
    recorded_depth,
    recorded_digests,
    recorded_folder,
)
from plankton_features.report.page import write_report
from plankton_features.report.pictures import Pictures, collect_pictures
from plankton_features.results.comparing import (
    DEFAULT_LIST,
    Compared,
    compare_heads,
    comparison_results,
    limits_of,
    parse_list,
)
from plankton_features.results.describing import describe_fit, non_living_classes
from plankton_features.results.numbers import optimism, prediction_frame, summarize_folds
from plankton_features.store import FeatureFile

SUFFIXES = {"head": ".head", "report": ".report.html", "results": ".results.json",
            "predictions": ".predictions.csv"}


@dataclass(frozen=True)
class Rows:
    """The labelled rows of a feature file, and where pictures may be that lie elsewhere."""

    file: FeatureFile
    numbers: np.ndarray
    images: pd.DataFrame
    found_groups: Groups | None
    digests: list[bytes]
    unlabelled: int
    listed: frozenset[str]

    @property
    def labels(self) -> np.ndarray:
        """Label of each row."""
        labels: NDArray[np.str_] = self.images["label"].to_numpy(str)
        return labels

    @property
    def groups(self) -> np.ndarray | None:
        """Group of each row, if there are groups."""
        return None if self.found_groups is None else self.found_groups.names


def output_files(features: Path, output: Path | None) -> dict[str, Path]:
    """Names of the files to write, in a folder if that is given; the features are none of them."""
    stem = output or features.with_suffix("")
    if stem.is_dir() and output:
        stem = stem / features.stem
    stem = stem.with_name(stem.name.removesuffix(SUFFIXES["head"]))
    files = {kind: stem.with_name(stem.name + suffix) for kind, suffix in SUFFIXES.items()}
    if features.resolve() in {path.resolve() for path in files.values()}:
        raise InputError(f"{features}: would replace what is read. Give the head another name with "
                         "-o.")
    return files


def options_of(args: argparse.Namespace) -> HeadOptions:
    """Options of the head; with ``--compare``, floor and cap may be for other samplers only."""
    limits = {"floor": args.floor, "cap": args.cap}
    if args.compare is not None:
        limits = limits_of(args.sampler, **limits)
    return HeadOptions(args.classifier, args.sampler, args.pca, calibration=args.calibration,
                       min_precision=args.min_precision, seed=args.seed, **limits)


def rows_to_learn(args: argparse.Namespace, file: FeatureFile) -> Rows:
    """The rows that can be learnt from, and their groups."""
    listed = listed_paths(args.images)
    try:
        labelled = labelled_rows(file.y)
    except InputError as error:
        raise InputError(f"{args.features}: {error}") from error
    groups, kept = _groups(args, file, file.images.iloc[labelled]), labelled
    if groups is not None:
        kept = labelled[groups.rows]
    digests = file.digests()
    return Rows(file, kept, file.images.iloc[kept].reset_index(drop=True), groups,
                [digests[i] for i in kept], len(file) - len(labelled), listed)


def folds_of(args: argparse.Namespace, rows: Rows) -> Folds:
    """Folds, or the single split asked for."""
    given: dict[str, Any] = {"groups": rows.groups, "digests": rows.digests, "seed": args.seed}
    if args.test_size is None:
        if args.validation_size is not None:
            raise InputError("--validation-size goes with --test-size only.")
        return make_folds(rows.labels, n_folds=args.folds, repeats=args.repeats, **given)
    if args.repeats > 1:
        raise InputError("--repeats goes with folds only, not with --test-size.")
    return make_split(rows.labels, test_size=args.test_size,
                      validation_size=args.validation_size or args.test_size, **given)


def fit(args: argparse.Namespace, rows: Rows, folds: Folds, options: HeadOptions,
        progress: StepCallback) -> tuple[dict[str, Any], FitResult, pd.DataFrame]:
    """Validate, fit, and gather the results."""
    start = time.perf_counter()
    non_living_classes(args.non_living, rows.labels)  # refused before anything is fitted
    ways = None
    if args.compare is not None:
        ways = parse_list(args.compare.split(",") if args.compare else DEFAULT_LIST, options,
                          floor=args.floor, cap=args.cap)
    result = fit_head(rows.file, rows.labels, folds, options, rows=rows.numbers,
                      progress=progress)
    summary = summarize_folds(result.y, result.out_of_fold, folds.units)
    known = Compared(options, summary, time.perf_counter() - start)
    progress(1, 2, "scores and intervals")
    results = describe_fit(result, groups=rows.groups, non_living=args.non_living,
                           command=command_line("fit-head"), summary=summary)
    results["options"] |= {"folds": args.folds, "test_size": args.test_size}
    results["optimism"] = _optimism(
        args, rows, result, options, progress) if folds.grouped else None
    results["comparison"] = comparison_results(compare_heads(
        rows.file, rows.labels, folds, ways, rows=rows.numbers, known=known,
        progress=progress)) if ways else None
    results["warnings"] = _warnings(rows, results) + results["warnings"]
    results["seconds"] = {"total": round(time.perf_counter() - start, 1)}
    return results, result, prediction_frame(result, _with_groups(rows))


def write_files(args: argparse.Namespace, rows: Rows, results: dict[str, Any], result: FitResult,
                frame: pd.DataFrame, files: dict[str, Path], together: Together) -> Pictures:
    """Write head, report, results and predictions, all or none."""
    pictures = collect_pictures(frame, args.images or recorded_folder(rows.file),
                                sha256=recorded_digests(rows.images), listed=rows.listed,
                                depth=recorded_depth(rows.file))
    with together.written() as folder:
        new = {kind: folder / path.name for kind, path in files.items()}
        save_head(result.head, new["head"])
        write_predictions(frame, new["predictions"])
        write_json(results, new["results"])
        write_report(results, new["report"], pictures)
    return pictures


def _groups(args: argparse.Namespace, file: FeatureFile, images: pd.DataFrame) -> Groups | None:
    grouping = grouping_of(args)
    folder = args.images or recorded_folder(file)
    return None if grouping is None else find_groups(
        images, grouping, folder=None if folder is None else str(folder))


def _with_groups(rows: Rows) -> pd.DataFrame:
    return rows.images if rows.groups is None else rows.images.assign(group=rows.groups)


def _optimism(args: argparse.Namespace, rows: Rows, result: FitResult, options: HeadOptions,
              progress: StepCallback) -> dict[str, Any]:
    parted = make_folds(rows.labels, digests=rows.digests, n_folds=args.folds, seed=args.seed)
    _, task = prepare(rows.file, rows.labels, parted, options, rows.numbers)
    return optimism(result, cross_predict(task, progress))


def command_line(program: str) -> str:
    """The command as it was typed."""
    return shlex.join([program, *_arguments()])


def _arguments() -> list[str]:
    """The command's own arguments, however it was called."""
    given = sys.argv[1:]
    return given[1:] if given[:1] == ["fit"] else given


def conflicts_sentence(conflicts: pd.DataFrame) -> str:
    """What is told of pictures under two labels, given as by `FeatureFile.label_conflicts`."""
    first = conflicts.iloc[0]
    return (f"{counted(len(conflicts), 'file')} with a picture that lies under another label too, "
            f"such as {first['path']} ({first['label'] or 'unlabelled'}) and {first['first_path']} "
            f"({first['first_label'] or 'unlabelled'}); the first label is used.")


def _warnings(rows: Rows, results: dict[str, Any]) -> list[str]:
    told = []
    if rows.file.count_conflicts():
        told.append(f"{conflicts_sentence(rows.file.label_conflicts())} List them with "
                    "plankton-features info --problems.")
    if rows.unlabelled:
        told.append(f"{counted(rows.unlabelled, 'image')} without a label left out.")
    if rows.found_groups is not None and rows.found_groups.dropped:
        told.append(rows.found_groups.dropped)
    if str(rows.file.attributes.get("weights_source", "")).startswith("fine-tuned"):
        told.append("The features come from a fine-tuned network. Scores of images that trained it "
                    "are too good: only others say how good this head is.")
    if results["optimism"]:
        told.append(results["optimism"]["sentence"])
    return told
