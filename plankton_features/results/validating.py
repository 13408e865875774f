"""From a feature file to a validated head: all that ``fit-head`` does but its files."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from plankton_features.errors import InputError
from plankton_features.heads import (
    FitResult,
    Folds,
    Grouping,
    HeadOptions,
    fit_head,
    make_folds,
    make_split,
)
from plankton_features.heads.fitting import prepare
from plankton_features.heads.validation.out_of_fold import cross_predict
from plankton_features.progress import StepCallback, ignore_steps
from plankton_features.results.comparing import (
    DEFAULT_LIST,
    Compared,
    HeadComparison,
    compare_heads,
    ways_to_compare,
)
from plankton_features.results.describing import describe_fit, non_living_classes
from plankton_features.results.facts import RunFacts
from plankton_features.results.learning import LearningRows, learning_rows
from plankton_features.results.results import Results
from plankton_features.results.scores import Optimism, measure_optimism, summarize_folds
from plankton_features.store import FeatureFile, read_features

Features = FeatureFile | str | os.PathLike[str]
Ways = Sequence[str | HeadOptions]

BY_COLUMN = Grouping()


@dataclass(frozen=True)
class Validation:
    """What will be validated; what can be refused before anything is fitted, has been.

    Attributes
    ----------
    rows : LearningRows
    folds : Folds
    options : HeadOptions
    ways : tuple of HeadOptions
        To be compared; empty if nothing is.
    non_living : tuple of str
    n_folds : int
    test_size : float or None
    """

    rows: LearningRows
    folds: Folds
    options: HeadOptions
    ways: tuple[HeadOptions, ...]
    non_living: tuple[str, ...]
    n_folds: int
    test_size: float | None

    def run(self, command: str = "", progress: StepCallback = ignore_steps) -> Results:
        """Validate, fit and tell.

        Parameters
        ----------
        command : str
            What was typed, if it was.
        progress : callable of (done, total, what), optional

        Returns
        -------
        Results
        """
        start, rows = time.perf_counter(), self.rows
        result = fit_head(rows.file, rows.labels, self.folds, self.options, rows=rows.numbers,
                          progress=progress)
        summary = summarize_folds(result.y, result.out_of_fold, self.folds.units)
        known = Compared(self.options, summary, time.perf_counter() - start)
        progress(1, 2, "scores and intervals")
        told = describe_fit(
            result, images=rows.images, groups=rows.groups, non_living=self.non_living,
            options={"folds": self.n_folds, "test_size": self.test_size}, summary=summary)
        optimism = self._optimism(result, progress) if self.folds.grouped else None
        comparison = self.compare(known, progress) if self.ways else None
        said = [optimism.sentence] if optimism else []
        return replace(told, optimism=optimism, comparison=comparison,
                       warnings=(*rows.cautions(), *said, *told.warnings),
                       whereabouts=rows.whereabouts,
                       run=RunFacts(command, time.perf_counter() - start))

    def compare(self, known: Compared | None = None,
                progress: StepCallback = ignore_steps) -> HeadComparison:
        """Cross-validate the ways to compare, and no head."""
        return compare_heads(self.rows.file, self.rows.labels, self.folds, self.ways,
                             rows=self.rows.numbers, known=known, progress=progress)

    def _optimism(self, result: FitResult, progress: StepCallback) -> Optimism:
        rows = self.rows
        parted = make_folds(rows.labels, digests=rows.digests, n_folds=self.n_folds,
                            seed=self.options.seed)
        _, task = prepare(rows.file, rows.labels, parted, self.options, rows.numbers)
        return measure_optimism(result, cross_predict(task, progress))


def plan_validation(features: Features, options: HeadOptions | None = None, *,
                    grouping: Grouping | None = BY_COLUMN, folds: int = 5, repeats: int = 1,
                    test_size: float | None = None, validation_size: float | None = None,
                    compare: Ways | None = None, non_living: Sequence[str] = (),
                    images: str | os.PathLike[str] | None = None) -> Validation:
    """What `validate` will do, with the same parameters; nothing is fitted.

    Returns
    -------
    Validation
    """
    options = options or HeadOptions()
    file = features if isinstance(features, FeatureFile) else read_features(features)
    rows = learning_rows(file, grouping, images)
    made = _folds(rows, options.seed, folds, repeats, test_size, validation_size)
    non_living_classes(non_living, rows.labels)
    ways = () if compare is None else ways_to_compare(compare, options)
    return Validation(rows, made, options, tuple(ways), tuple(non_living), folds, test_size)


def validate(features: Features, options: HeadOptions | None = None, *,
             grouping: Grouping | None = BY_COLUMN, folds: int = 5, repeats: int = 1,
             test_size: float | None = None, validation_size: float | None = None,
             compare: Ways | None = None, non_living: Sequence[str] = (),
             images: str | os.PathLike[str] | None = None, command: str = "",
             progress: StepCallback = ignore_steps) -> Results:
    """Cross-validate a head on the labelled rows of a feature file, then fit it on all of them.

    Parameters
    ----------
    features : FeatureFile or path-like
        From `extract`.
    options : HeadOptions, optional
        Sampler, classifier, calibration, promised precision, seed.
    grouping : Grouping or None, optional
        Which images must stay together: by default those of one group of the file, if it has
        groups; None leaves groups aside.
    folds : int, default=5
        At least 3.
    repeats : int, default=1
        Divisions into folds.
    test_size : float, optional
        Score a single test part instead: a share of 0.05, 0.1 ... 0.95.
    validation_size : float, optional
        With `test_size`: the part that choices are made on, by default as large.
    compare : sequence of str or HeadOptions, optional
        Samplers, classifiers or ``sampler/classifier`` to cross-validate on the same folds, see
        `ways_to_compare`.
    non_living : sequence of str
        Classes, or patterns such as ``detritus*``, to leave out of a second set of scores.
    images : path-like, optional
        Where the images are now, a folder or your own table, for their pictures in the report;
        by default as the file records it.
    command : str
        What was typed, if it was.
    progress : callable of (done, total, what), optional

    Returns
    -------
    Results

    Raises
    ------
    InputError
        If no row has a label, groups cannot be found, there are too few rows or groups for the
        folds, or a name is not known.
    StoreError
        If the feature file cannot be read.

    See Also
    --------
    write_results : Its files, with the report.
    """
    planned = plan_validation(
        features, options, grouping=grouping, folds=folds, repeats=repeats, test_size=test_size,
        validation_size=validation_size, compare=compare, non_living=non_living, images=images)
    return planned.run(command, progress)


def compare(features: Features, ways: Ways = DEFAULT_LIST, options: HeadOptions | None = None, *,
            progress: StepCallback = ignore_steps, **how: Any) -> HeadComparison:
    """Cross-validate several ways of fitting on the same folds: which differences are real?

    Parameters
    ----------
    features : FeatureFile or path-like
    ways : sequence of str or HeadOptions
        See `ways_to_compare`. The way without resampling comes first; the others are compared
        with it.
    options : HeadOptions, optional
        What the names of `ways` do not say.
    progress : callable of (done, total, what), optional
    **how
        ``grouping``, ``folds``, ``repeats``, ``test_size``, ``validation_size`` of `validate`.

    Returns
    -------
    HeadComparison

    Raises
    ------
    InputError, StoreError
        See `validate`.
    """
    return plan_validation(features, options, compare=ways, **how).compare(progress=progress)


def _folds(rows: LearningRows, seed: int, folds: int, repeats: int, test_size: float | None,
           validation_size: float | None) -> Folds:
    given: dict[str, Any] = {"groups": rows.groups, "digests": rows.digests, "seed": seed}
    if test_size is None:
        if validation_size is not None:
            raise InputError("--validation-size goes with --test-size only.")
        return make_folds(rows.labels, n_folds=folds, repeats=repeats, **given)
    if repeats > 1:
        raise InputError("--repeats goes with folds only, not with --test-size.")
    return make_split(rows.labels, test_size=test_size,
                      validation_size=validation_size or test_size, **given)
