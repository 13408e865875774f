"""Folds that keep together what belongs together, and the proof that they do."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError
from plankton_features.heads.validation.labels import refuse_unlabelled, texts_of

Ints = NDArray[np.int64]

#: A single split is put together from this many folds, so it is right to 5 percent of the rows.
PARTS = 20


@dataclass(frozen=True)
class Folds:
    """Which rows are left out together.

    Attributes
    ----------
    numbers : ndarray of int64, shape (n_repeats, n_rows)
        Fold of each row.
    pairs : tuple of (int, int)
        Folds that are left out together where choices are made: a model that saw neither makes
        the choices for the one from the rows of the other.
    scored : tuple of int
        Folds whose rows give the scores.
    units : ndarray of int64, shape (n_rows,)
        Rows with the same number (one group, or copies of one picture) are never parted.
    grouped : bool
        Whether groups were given.
    kind : str
        For a person, such as ``5 folds, grouped and stratified``.
    without_group : int
        Rows that have no group though groups were given: each is a unit of its own.
    """

    numbers: Ints
    pairs: tuple[tuple[int, int], ...]
    scored: tuple[int, ...]
    units: Ints
    grouped: bool
    kind: str
    without_group: int = 0

    @property
    def hardly_grouped(self) -> bool:
        """Whether more than nine in ten of the rows with a group are the only one of it."""
        alone = (np.bincount(self.units) == 1)[self.units].sum() - self.without_group
        return self.grouped and bool(alone > 0.9 * (len(self.units) - self.without_group))

    def neighbours(self, fold: int) -> tuple[int, ...]:
        """Folds from whose rows the choices for a fold are made."""
        return tuple(b if a == fold else a for a, b in self.pairs if fold in (a, b))


def make_folds(y: ArrayLike, *, groups: ArrayLike | None = None,
               digests: Sequence[object] | None = None, n_folds: int = 5, repeats: int = 1,
               seed: int = 0) -> Folds:
    """Divide rows into stratified folds that part no group and no copies of a picture.

    Parameters
    ----------
    y : array-like of int or str, shape (n_rows,)
        Classes.
    groups : array-like of str or int, shape (n_rows,), optional
        Sampling unit of each row; one that is empty, None or NaN is a unit of its own.
    digests : sequence, of length n_rows, optional
        Content of each row's picture; rows of equal content stay together.
    n_folds : int
        At least 3: choices are made on rows that are neither trained on nor scored.
    repeats : int
        How often to divide anew, at least 1.
    seed : int
        Of the divisions.

    Returns
    -------
    Folds

    Raises
    ------
    InputError
        If a row has no label, there are too few rows, groups or rows of a class, or a fold stays
        empty.

    Examples
    --------
    >>> folds = make_folds([0, 1] * 6, groups=list("aabbccddeeff"), n_folds=3)
    >>> folds.kind, np.bincount(folds.numbers[0]).tolist()
    ('3 folds, grouped and stratified', [4, 4, 4])
    """
    y, units = np.asarray(y), rows_together(len(np.asarray(y)), groups, digests)
    if n_folds < 3:
        raise InputError(f"folds: expected 3 or more, got {n_folds}.")
    if repeats < 1:
        raise InputError(f"repeats: expected 1 or more, got {repeats}.")
    _check_enough(y, units, n_folds, groups is not None, f"{n_folds} folds",
                  ("choose fewer folds (3 or more)",))
    numbers = np.stack([_divide(y, units, n_folds, seed + r) for r in range(repeats)])
    ring = tuple((i, (i + 1) % n_folds) for i in range(n_folds))
    bare = _without(groups)
    folds = Folds(numbers, ring, tuple(range(n_folds)), units, groups is not None,
                  f"{n_folds} folds, {_way(groups, bare)}", bare)
    check_folds(folds)
    return folds


def make_split(y: ArrayLike, *, groups: ArrayLike | None = None,
               digests: Sequence[object] | None = None, test_size: float = 0.2,
               validation_size: float = 0.2, seed: int = 0) -> Folds:
    """Divide rows once: some to train on, some to make choices on, some to score.

    Parameters
    ----------
    y : array-like, shape (n,)
        Labels.
    groups, digests : optional
        See `make_folds`.
    test_size, validation_size : float
        Shares of the rows, in (0, 1), to the next 0.05; together below 1.
    seed : int, default=0

    Returns
    -------
    Folds
        Fold 0 is the test part, 1 the validation part, 2 the rest.

    Raises
    ------
    InputError
        See `make_folds`.

    Examples
    --------
    >>> np.bincount(make_split([0, 1] * 50).numbers[0]).tolist()
    [20, 20, 60]
    """
    test, validation = round(test_size * PARTS), round(validation_size * PARTS)
    if min(test, validation) < 1 or test + validation >= PARTS:
        raise InputError("split: expected shares of at least 0.05 that leave something to train "
                         f"on, got test {test_size} and validation {validation_size}.")
    y, units = np.asarray(y), rows_together(len(np.asarray(y)), groups, digests)
    _check_enough(y, units, 3, groups is not None, "split: three parts", ())
    part = _in_parts(y, units, seed)
    number = np.digitize(part, [test, test + validation])
    if len(np.unique(number)) < 3:
        raise InputError(
            f"split: {len(np.unique(units))} {'different images' if groups is None else 'groups'} "
            f"are too few for a test part of {100 * test // PARTS} % and a validation part of "
            f"{100 * validation // PARTS} %, and a rest. Choose other shares, or folds, or add "
            "images.")
    bare = _without(groups)
    folds = Folds(number[None], ((0, 1),), (0,), units, groups is not None,
                  f"single split ({test * 100 // PARTS} % test, {validation * 100 // PARTS} % "
                  f"validation), {_way(groups, bare)}", bare)
    check_folds(folds)
    return folds


def rows_together(n_rows: int, groups: Any = None,
                  digests: Sequence[object] | None = None) -> Ints:
    """Number the units: rows joined by a group or by the content of their pictures.

    Parameters
    ----------
    n_rows : int
    groups, digests
        See `make_folds`.

    Returns
    -------
    ndarray of int64, shape (n_rows,)

    Raises
    ------
    InputError
        If lengths differ.

    Examples
    --------
    >>> rows_together(4, groups=["a", "b", "", "b"], digests=[1, 2, 1, 3]).tolist()
    [0, 1, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = [np.arange(n_rows)]
    for name, column in (("groups", groups), ("digests", digests)):
        if column is None:
            continue
        if len(column) != n_rows:
            raise InputError(f"{name}: expected {n_rows}, one for each row, got {len(column)}.")
        links.append(_first_alike(column))
    ends = np.concatenate(links)
    starts = np.tile(np.arange(n_rows), len(links))
    graph = coo_array((np.ones(len(ends), bool), (starts, ends)), shape=(n_rows, n_rows))
    units: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return units


def check_folds(folds: Folds) -> None:
    """Prove that no unit lies in two folds and that no fold is empty.

    Raises
    ------
    InputError
        If one does, or one is.
    """
    n_folds = max(max(folds.scored), *(max(pair) for pair in folds.pairs)) + 1
    for number in folds.numbers:
        parted = np.unique(np.column_stack([folds.units, number]), axis=0)
        if len(parted) != folds.units.max() + 1:
            raise InputError("folds: a group or a picture lies in two of them.")
        if len(np.unique(number)) < n_folds:
            raise InputError("folds: one is empty, because few groups hold most of the images. "
                             "Choose fewer folds.")


def missing_classes(y: ArrayLike, number: ArrayLike, fold: int) -> np.ndarray:
    """Classes of which every row is left out with a fold, so that its rows cannot be right."""
    y, left_out = np.asarray(y), np.asarray(number) == fold
    return np.setdiff1d(y[left_out], y[~left_out])


def _without(groups: Any) -> int:
    """How many rows have no group."""
    return 0 if groups is None else int((texts_of(groups) == "").sum())


def _way(groups: Any, without: int) -> str:
    if groups is None:
        return "stratified"
    return "grouped and stratified" + (f", {without} without a group" if without else "")


def _first_alike(column: Sequence[object]) -> Ints:
    """For each row the first one of the same value; itself for an empty one."""
    values = texts_of(column)
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.where(values == "", np.arange(len(values)), first[inverse])


def _check_enough(y: np.ndarray, units: Ints, n_folds: int, grouped: bool, what: str,
                  advice: tuple[str, ...]) -> None:
    refuse_unlabelled(y)
    classes, counts = np.unique(y, return_counts=True)
    n_units = len(np.unique(units))
    if len(classes) < 2:
        raise InputError(f"labels: expected at least two classes, got {len(classes)}"
                         f"{f' ({classes[0]})' if len(classes) else ''}. Add images of another "
                         "class.")
    if n_units < n_folds:
        kind, other = (("groups", "use --ungrouped for scores that are too good") if grouped else
                       ("different images", "add images"))
        raise InputError(f"{what} need at least {n_folds} {kind}, got {n_units}. "
                         f"{', or '.join([*advice, other]).capitalize()}.")
    if counts.max() < n_folds:
        raise InputError(f"{what} need at least {n_folds} images of one class, the largest has "
                         f"{counts.max()}. {', or '.join([*advice, 'add images']).capitalize()}.")


def _divide(y: np.ndarray, units: Ints, n_folds: int, seed: int) -> Ints:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    alone = len(np.unique(units)) == len(units)
    divider = (StratifiedKFold if alone else StratifiedGroupKFold)(
        n_folds, shuffle=True, random_state=seed)
    number = np.empty(len(y), np.int64)
    with warnings.catch_warnings():
        # Classes with fewer rows than folds are the rule here; the report lists them.
        warnings.filterwarnings("ignore", "The least populated class")
        for fold, (_, left_out) in enumerate(divider.split(y, y, None if alone else units)):
            number[left_out] = fold
    return number


def _in_parts(y: np.ndarray, units: Ints, seed: int) -> Ints:
    """Part of each row, 0..PARTS-1; with fewer units than parts, evenly spread numbers."""
    n = min(PARTS, len(np.unique(units)), int(np.unique(y, return_counts=True)[1].max()))
    return _divide(y, units, n, seed) * PARTS // n
