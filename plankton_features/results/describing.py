"""Everything that is told of a validated head: what results.json holds and the report shows."""

from __future__ import annotations

import fnmatch
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plankton_features.assessment.checks import composed
from plankton_features.assessment.summary import Summary
from plankton_features.errors import InputError
from plankton_features.heads.fitting import FitResult
from plankton_features.results.numbers import (
    Json,
    summarize_folds,
    validation_results,
    warnings_of,
    warnings_of_results,
)

_PACKAGES = ("plankton_features", "scikit-learn", "imbalanced-learn", "numpy")


def describe_fit(result: FitResult, *, groups: ArrayLike | None = None,
                 non_living: Sequence[str] = (), command: str = "",
                 summary: Summary | None = None) -> Json:
    """Scores, intervals, calibration, choices and warnings of a validated head.

    Parameters
    ----------
    result : FitResult
        From `fit_head`.
    groups : array-like, shape (n,), optional
        Those the folds were made with, to count the groups of each class.
    non_living : sequence of str
        Classes, or patterns such as ``detritus*``, to leave out of a second set of scores.
    command : str
        What was typed, if it was.
    summary : Summary, optional
        From `summarize_folds`, if it is known already.

    Returns
    -------
    dict
        What `report.write_report` and `report.write_json` take.

    Raises
    ------
    InputError
        If a pattern names no class, there is not one group for each row, or the folds were made
        without groups.

    Examples
    --------
    >>> from plankton_features.heads import fit_head, make_folds
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> results = describe_fit(fit_head(X, labels, make_folds(labels)))
    >>> results["classes"], results["scores"]["accuracy"]["estimate"] > 0.9
    (['copepod', 'diatom'], True)
    """
    left_out = non_living_classes(non_living, result.classes)
    _check_groups(result, groups)
    summary = summary or summarize_folds(result.y, result.out_of_fold, result.folds.units)
    options = {**result.head.info["options"], "repeats": len(result.folds.numbers),
               "non_living": list(non_living)}
    results = results_header(command, _features(result), options) | validation_results(
        result, summary, left_out, groups)
    told = warnings_of(result, summary) + warnings_of_results(results)
    return results | {"optimism": None, "comparison": None, "warnings": told}


def results_header(command: str, features: Mapping[str, Any], options: Mapping[str, Any]) -> Json:
    """The first parts of results.json: when, with which command, options and versions."""
    return {
        "format": "plankton_features results", "version": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command, "features": dict(features), "options": dict(options),
        "versions": {"python": platform.python_version(),
                     **{name: version(name) for name in _PACKAGES}},
    }


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


def _features(result: FitResult) -> Json:
    info = result.head.info
    return {"path": info.get("features", ""), "rows": len(result.y),
            "values": len(result.head.feature_names), "recipe_id": result.head.recipe_id,
            "recipe": result.head.recipe,
            **{name: str(info.get(name, ""))
               for name in ("weights_source", "engine", "precision")}}
