"""From a fit to everything that is told of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from plankton_features.assessment.checks import composed
from plankton_features.assessment.summary import Summary
from plankton_features.errors import InputError
from plankton_features.heads import FitResult
from plankton_features.heads.validation.labels import texts_of
from plankton_features.results.cautions import cautions_of_fit, cautions_of_scores
from plankton_features.results.facts import RunFacts, class_rows, feature_facts
from plankton_features.results.results import Results
from plankton_features.results.scores import (
    abstention_scores,
    calibration_reports,
    living_scores,
    summarize_folds,
)

_COLUMNS = ("path", "id", "group", "label")


def describe_fit(result: FitResult, *, images: pd.DataFrame | None = None,
                 groups: ArrayLike | None = None, non_living: Sequence[str] = (),
                 options: Mapping[str, Any] | None = None, summary: Summary | None = None,
                 run: RunFacts | None = None) -> Results:
    """Scores, intervals, calibration, choices and warnings of a validated head.

    `validate` does this and more from a feature file; this is for a head that was fitted on an
    array.

    Parameters
    ----------
    result : FitResult
        From `fit_head`.
    images : DataFrame of n rows, optional
        With columns path, id and group, such as `FeatureFile.images`, of the rows that were
        fitted. By default a path is the number of its row.
    groups : array-like, shape (n,), optional
        Those the folds were made with.
    non_living : sequence of str
        Classes, or patterns such as ``detritus*``, to leave out of a second set of scores.
    options : mapping, optional
        Further ones to tell; JSON-able.
    summary : Summary, optional
        From `summarize_folds`, if it is known already.
    run : RunFacts, optional
        By default it was made now, by no command.

    Returns
    -------
    Results

    Raises
    ------
    InputError
        If a pattern names no class, there is not one image and group for each row, or the folds
        were made without groups.

    Examples
    --------
    >>> from plankton_features.heads import fit_head, make_folds
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> results = describe_fit(fit_head(X, labels, make_folds(labels)))
    >>> results.classes.tolist(), bool(results.scores["accuracy"].estimate > 0.9)
    (['copepod', 'diatom'], True)
    """
    left_out = non_living_classes(non_living, result.classes)
    _check_groups(result, groups)
    summary = summary or summarize_folds(result.y, result.out_of_fold, result.folds.units)
    calibration, kept = calibration_reports(result), abstention_scores(result)
    chosen = {**result.head.info["options"], "repeats": len(result.folds.numbers),
              "non_living": list(non_living), **(options or {})}
    told = cautions_of_fit(result, summary)
    told += cautions_of_scores(calibration, kept, chosen["min_precision"])
    return Results(
        fit=result, summary=summary, calibration=calibration, features=feature_facts(result),
        images=_images(result, images),
        groups=None if groups is None else texts_of(np.asarray(groups)),
        options=chosen, sampling=class_rows(result), warnings=tuple(told),
        run=run or RunFacts(), living=living_scores(result, left_out), abstention=kept)


def non_living_classes(patterns: Sequence[str], labels: ArrayLike) -> list[str]:
    """Classes that patterns such as ``detritus*`` name.

    Parameters
    ----------
    patterns : sequence of str
        Names of classes, or patterns with ``*``, ``?`` and ``[...]`` as in names of files. What is
        the name of a class is no pattern. In any normal form of Unicode.
    labels : array-like of str, shape (n,)

    Returns
    -------
    list of str
        In alphabetical order.

    Raises
    ------
    InputError
        If a pattern names no class, or all are named.

    Examples
    --------
    >>> non_living_classes(["detritus*"], ["copepod", "detritus_dark", "detritus_light"])
    ['detritus_dark', 'detritus_light']
    """
    classes = np.unique(np.asarray(labels).astype(np.str_)).tolist()
    found: set[str] = set()
    for pattern in map(composed, patterns):
        named = ([name for name in classes if composed(name) == pattern]
                 or [name for name in classes if fnmatch.fnmatchcase(composed(name), pattern)])
        if not named:
            comma = any("," in name for name in classes)
            raise InputError(f"non-living: no class is named '{pattern}'. There are "
                             f"{', '.join(classes[:20])}{' ...' if len(classes) > 20 else ''}."
                             + " Put a name that holds a comma in double quotes." * comma)
        found.update(named)
    if len(found) == len(classes):
        raise InputError("non-living: that is every class; leave at least one.")
    return sorted(found)


def _images(result: FitResult, images: pd.DataFrame | None) -> pd.DataFrame:
    n_rows = len(result.y)
    given = pd.DataFrame({"path": [str(i) for i in range(n_rows)]}) if images is None else images
    if len(given) != n_rows:
        raise InputError(f"images: expected one for each of {n_rows} rows that were fitted, got "
                         f"{len(given)}.")
    empty = {name: "" for name in _COLUMNS if name not in given}
    return given.assign(**{**empty, "label": result.classes[result.y]}).reset_index(drop=True)


def _check_groups(result: FitResult, groups: ArrayLike | None) -> None:
    if groups is None:
        return
    n, n_rows = len(np.asarray(groups)), len(result.y)
    if n != n_rows:
        raise InputError(f"groups: expected one for each of {n_rows} rows that were fitted, got "
                         f"{n}.")
    if not result.folds.grouped:
        raise InputError("groups: the folds were made without groups, so scores are not of new "
                         "groups. Make them with make_folds(labels, groups=groups), fit again.")
