"""The files that come with a head: all of them or none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from plankton_features.errors import InputError
from plankton_features.files.together import Together
from plankton_features.heads import save_head
from plankton_features.report.files import write_json, write_predictions
from plankton_features.report.page import write_report
from plankton_features.report.pictures import Pictures, pictures_of
from plankton_features.results.predictions import WhichProbabilities, check_which
from plankton_features.results.results import Results

StrPath = str | os.PathLike[str]

SUFFIXES = {"head": ".head", "report": ".report.html", "results": ".results.json",
            "predictions": ".predictions.csv"}


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    files : dict of str to Path
        ``head``, ``report``, ``results`` and ``predictions``.
    pictures : Pictures
        Of the report.
    """

    files: dict[str, Path]
    pictures: Pictures


class ResultFiles(Together):
    """Names of the files of a head, kept for this process. Use it as a context manager.

    Parameters
    ----------
    features : path-like
        The feature file, which is none of them.
    name : path-like, optional
        Begin of their names, or a folder; by default the feature file's.
    overwrite : bool, default=False
        Whether files that are there may be replaced.

    Raises
    ------
    StoreError
        If another process writes them, or they cannot be written.
    InputError
        If one is there and may not be replaced, or is the feature file.
    """

    def __init__(self, features: StrPath, name: StrPath | None = None, overwrite: bool = False):
        self.files = result_files(features, name)
        super().__init__(list(self.files.values()), overwrite)

    def write(self, results: Results, probabilities: WhichProbabilities = "top") -> Written:
        """Write head, report, results and predictions, all or none; see `write_results`."""
        check_which(probabilities)
        pictures = pictures_of(results)
        with self.written() as folder:
            new = {kind: folder / path.name for kind, path in self.files.items()}
            save_head(results.head, new["head"])
            write_told(results, new, pictures, probabilities)
        return Written(self.files, pictures)


def write_results(results: Results, name: StrPath | None = None, *, overwrite: bool = False,
                  probabilities: WhichProbabilities = "top") -> Written:
    """Write a validated head, its report, its numbers and its predictions, all or none.

    Parameters
    ----------
    results : Results
        From `validate` or `describe_fit`.
    name : path-like, optional
        Begin of the names ``NAME.head``, ``NAME.report.html``, ``NAME.results.json`` and
        ``NAME.predictions.csv``, or a folder; by default the feature file's.
    overwrite : bool, default=False
        Whether files that are there may be replaced.
    probabilities : {"top", "all"}, default="top"
        Whether the predictions have a column for each class.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If there is no name, or a file is there and may not be replaced.
    HeadError
        If no file can hold the classifier.
    StoreError
        If the files cannot be written; those that were there are as before.
    """
    check_which(probabilities)
    if name is None and not results.features.path:
        raise InputError("name: expected the begin of the names of the files to write, since the "
                         "head was fitted on no feature file.")
    with ResultFiles(results.features.path or "vectors", name, overwrite) as files:
        return files.write(results, probabilities)


def write_told(results: Results, files: dict[str, Path], pictures: Pictures,
               probabilities: WhichProbabilities = "top") -> None:
    """Write what is told of a head or a network.

    Parameters
    ----------
    results : Results
    files : dict of str to Path
        ``report``, ``results`` and ``predictions``.
    pictures : Pictures
    probabilities : {"top", "all"}, default="top"
    """
    write_predictions(results.predictions(probabilities), files["predictions"])
    write_json(results, files["results"])
    write_report(results, files["report"], pictures)


def result_files(features: StrPath, name: StrPath | None) -> dict[str, Path]:
    """Names of the files, in a folder if that is given; the features are none of them."""
    features = Path(features)
    stem = Path(name) if name else features.with_suffix("")
    if name and stem.is_dir():
        stem = stem / features.stem
    stem = stem.with_name(stem.name.removesuffix(SUFFIXES["head"]))
    files = {kind: stem.with_name(stem.name + suffix) for kind, suffix in SUFFIXES.items()}
    if features.resolve() in {path.resolve() for path in files.values()}:
        raise InputError(f"{features}: would replace what is read. Give the head another name with "
                         "-o.")
    return files
