"""How good predictions are on a taxonomy: overlaps of lineages, and accuracy at each rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_labels, same_length
from plankton_features.assessment.confusion import ratio
from plankton_features.assessment.intervals import bootstrap_means
from plankton_features.assessment.replicates import Interval
from plankton_features.assessment.taxonomy import Taxonomy, as_lineages, lineage_matrix
from plankton_features.assessment.to_json import Json, interval_to_json


@dataclass(frozen=True)
class LineageScores:
    """Scores that give credit for a lineage that is right in part.

    Attributes
    ----------
    precision, recall, f1 : Interval
        Of all nodes predicted, the share that is true; of all true ones, the share that was
        predicted; twice the common ones by the sum of both. In [0, 1].
    other_depth : Interval
        Share of rows with the right lineage at another depth: predicted as an ancestor or a
        descendant of the true class.
    caution : str
        Why intervals should not be trusted; empty if they can be.
    """

    precision: Interval
    recall: Interval
    f1: Interval
    other_depth: Interval
    caution: str


@dataclass(frozen=True)
class RankAccuracy:
    """Accuracy at one rank.

    Attributes
    ----------
    rank : str
        Such as ``family``.
    rows : int
        Whose true class is of that rank or has an ancestor of it.
    accuracy : Interval
        Share of them whose predicted class has the same one, in [0, 1]; NaN without rows.
    """

    rank: str
    rows: int
    accuracy: Interval


def score_lineages(y_true: ArrayLike, y_pred: ArrayLike, A: ArrayLike, *,
                   units: ArrayLike | None = None, n_replicates: int = 1000,
                   seed: int = 0) -> LineageScores:
    """Hierarchical precision, recall and F1 with 95 % bootstrap intervals.

    Each row's true and predicted class stand for the sets of nodes of their lineages; sizes of
    these sets and of what they share are summed over all rows. Roots are left out, since all
    below them would share them for nothing. A root that is itself a class, such as detritus, is
    kept: else its rows would have empty sets and not count. If classes below it are there too,
    they share it.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1: rows of `A`.
    A : array-like of bool, shape (K, n_nodes)
        From `lineage_matrix`.
    units : array-like of str or int, shape (n_rows,), optional
        What is drawn as a whole; single rows by default.
    n_replicates, seed : int
        Of the draws.

    Returns
    -------
    LineageScores

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    References
    ----------
    Kiritchenko et al. 2006, doi:10.1007/11766247_34.

    Examples
    --------
    >>> taxa = Taxonomy.from_table(["Crustacea", "Copepoda", "Calanus", "Oithona"],
    ...                            ["", "Crustacea", "Copepoda", "Copepoda"])
    >>> nodes, A = lineage_matrix(taxa, ["Calanus", "Oithona", "Copepoda"])
    >>> found = score_lineages([0, 0, 1], [0, 1, 2], A)
    >>> [round(float(one.estimate), 3) for one in (found.precision, found.recall, found.f1)]
    [0.8, 0.667, 0.727]
    >>> round(float(found.other_depth.estimate), 3)
    0.333
    """
    lineages = as_lineages(A)
    true, predicted = _pairs(y_true, y_pred, len(lineages))
    counted = _overlaps(lineages[:, _counted(lineages)])
    drawn = bootstrap_means({"common": counted[true, predicted], "true": counted[true, true],
                             "predicted": counted[predicted, predicted],
                             "other_depth": _other_depth(lineages)[true, predicted]},
                            groups=units, n_replicates=n_replicates, seed=seed)
    drawn = drawn.joined(*({
        "precision": ratio(part["common"], part["predicted"]),
        "recall": ratio(part["common"], part["true"]),
        "f1": ratio(2 * part["common"], part["true"] + part["predicted"])}
        for part in (drawn.estimates, drawn.replicates)))
    return LineageScores(drawn.interval("precision"), drawn.interval("recall"),
                         drawn.interval("f1"), drawn.interval("other_depth"), drawn.caution)


def rank_accuracies(y_true: ArrayLike, y_pred: ArrayLike, taxonomy: Taxonomy,
                    classes: Sequence[str], *, units: ArrayLike | None = None,
                    n_replicates: int = 1000, seed: int = 0) -> list[RankAccuracy]:
    """Accuracy at each rank that the lineages of classes have, with 95 % bootstrap intervals.

    Rows whose true class lies above a rank, or on a lineage without it, do not count there. A
    prediction that lies above it is wrong there, even if it is an ancestor of the true class.
    Where a lineage has a rank more than once, such as clade, the one nearest to the class counts.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n_rows,)
        Class numbers in 0..K-1.
    taxonomy : Taxonomy
    classes : sequence of str, length K
        Names in it.
    units : array-like of str or int, shape (n_rows,), optional
        What is drawn as a whole; single rows by default.
    n_replicates, seed : int
        Of the draws.

    Returns
    -------
    list of RankAccuracy
        From roots to tips; empty if the taxonomy has no ranks.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges, or classes are not in the taxonomy.

    Examples
    --------
    >>> taxa = Taxonomy.from_table(["Copepoda", "Calanus", "Oithona"],
    ...                            ["", "Copepoda", "Copepoda"], ["subclass", "genus", "genus"])
    >>> classes = ["Calanus", "Oithona", "Copepoda"]
    >>> found = rank_accuracies([0, 0, 1, 2], [0, 1, 1, 0], taxa, classes)
    >>> [(one.rank, one.rows, round(float(one.accuracy.estimate), 3)) for one in found]
    [('subclass', 4, 1.0), ('genus', 3, 0.667)]
    """
    taxa = _taxa_at_ranks(taxonomy, classes)
    true, predicted = _pairs(y_true, y_pred, len(classes))
    if not taxa:
        return []
    counted = {rank: at[true] >= 0 for rank, at in taxa.items()}
    right = {rank: counted[rank] & (at[true] == at[predicted]) for rank, at in taxa.items()}
    drawn = bootstrap_means({f"counted {rank}": rows for rank, rows in counted.items()}
                            | {f"right {rank}": rows for rank, rows in right.items()},
                            groups=units, n_replicates=n_replicates, seed=seed)
    drawn = drawn.joined(*({rank: ratio(part[f"right {rank}"], part[f"counted {rank}"])
                            for rank in taxa} for part in (drawn.estimates, drawn.replicates)))
    return [RankAccuracy(rank, int(counted[rank].sum()), drawn.interval(rank)) for rank in taxa]


def taxonomy_to_json(scores: LineageScores, ranks: Iterable[RankAccuracy], taxonomy: Taxonomy,
                     classes: Iterable[str]) -> Json:
    """Scores on a taxonomy as a plain dict, with the lineage of each class.

    Parameters
    ----------
    scores : LineageScores
    ranks : iterable of RankAccuracy
    taxonomy : Taxonomy
    classes : iterable of str
        Names in it.

    Returns
    -------
    dict
        ``precision``, ``recall``, ``f1`` and ``other_depth`` with their ends, ``ranks`` as a list
        with ``rank``, ``rows`` and ``accuracy``, and ``lineages`` as text by class.

    Raises
    ------
    InputError
        If a class is not in the taxonomy.
    """
    ends = {name: interval_to_json(getattr(scores, name))
            for name in ("precision", "recall", "f1", "other_depth")}
    return ends | {
        "ranks": [{"rank": one.rank, "rows": one.rows, "accuracy": interval_to_json(one.accuracy)}
                  for one in ranks],
        "lineages": {str(name): taxonomy.lineage_text(name) for name in classes}}


def _pairs(y_true: ArrayLike, y_pred: ArrayLike,
           n_classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    true, predicted = as_labels(y_true, n_classes), as_labels(y_pred, n_classes, "y_pred")
    same_length(y_true=true, y_pred=predicted)
    return true, predicted


def _counted(A: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nodes that are no roots, or are classes."""
    roots = A.argmax(axis=1)
    counted = np.ones(A.shape[1], dtype=bool)
    counted[roots] = False
    counted[roots[A.sum(axis=1) == 1]] = True
    return counted


def _overlaps(A: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many nodes two classes share, shape (K, K); the diagonal has how many each has."""
    numbers = A.astype(np.float64)
    return numbers @ numbers.T


def _other_depth(A: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether one class is an ancestor of the other, shape (K, K)."""
    common, size = _overlaps(A), A.sum(axis=1)
    other: NDArray[np.bool_] = (common == np.minimum(size[:, None], size)) & (size[:, None] != size)
    return other


def _taxa_at_ranks(taxonomy: Taxonomy, classes: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Of each rank, from roots to tips, the node of each class, shape (K,); -1 where none."""
    nodes, A = lineage_matrix(taxonomy, classes)
    rank_of = dict(zip(taxonomy.names, taxonomy.ranks, strict=True))
    ranks = [rank_of[node] for node in nodes]
    order = _rank_order([[ranks[j] for j in np.flatnonzero(row)] for row in A])
    taxa = {rank: np.full(len(A), -1) for rank in order}
    for j, rank in enumerate(ranks):
        if rank:
            taxa[rank][A[:, j]] = j  # a later node is nearer to the class
    return taxa


def _rank_order(lineages: Sequence[Sequence[str]]) -> list[str]:
    """Ranks so that each comes after all that are found above it.

    Of those that could be next, and where two ranks are found above each other, the one that is
    found nearest to a root comes first.
    """
    least: dict[str, int] = {}
    above: dict[str, set[str]] = {}
    for lineage in lineages:
        for depth, rank in enumerate(lineage):
            if rank:
                least[rank] = min(depth, least.get(rank, depth))
                above.setdefault(rank, set()).update(set(lineage[:depth]) - {rank})
    order: list[str] = []
    while rest := least.keys() - order:
        free = [rank for rank in rest if not above[rank] & rest] or rest
        order.append(min(free, key=lambda rank: (least[rank], rank)))
    return order
