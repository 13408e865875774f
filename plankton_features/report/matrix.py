"""The confusion matrix: orders of classes, frequent confusions, what the page's script needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.report.numbers import chance, percent
from plankton_features.report.pictures import Picture, Pictures

Counts = NDArray[np.int64]
#: With more classes the plain table is left out.
PLAIN_TABLE = 30
_LISTED = 40
_OPTIMAL_UP_TO = 400


class Confusion(NamedTuple):
    """One cell off the diagonal: `images` in it, and their share of the true class."""

    true: int
    predicted: int
    images: int
    share: str


def counts_of(results: Mapping[str, Any]) -> Counts:
    """The matrix, rows true, columns predicted, int64, shape (K, K).

    Raises
    ------
    InputError
        If it is not square, or not of as many classes as are named.
    """
    k = len(results["classes"])
    rows = results["confusion"]
    if len(rows) != k or any(len(row) != k for row in rows):
        raise InputError(f"results: expected a confusion matrix of {k} x {k}, one row and column "
                         "for each class.")
    return np.asarray(rows, dtype=np.int64)


def frequent_confusions(counts: Counts, most: int = _LISTED) -> list[Confusion]:
    """Cells off the diagonal, the largest first.

    Examples
    --------
    >>> frequent_confusions(np.array([[8, 2], [0, 5]]))
    [Confusion(true=0, predicted=1, images=2, share='20\\u202f%')]
    """
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    support = counts.sum(axis=1)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(flat), len(counts)) for flat in order if wrong.flat[flat]]
    return [Confusion(i, j, int(counts[i, j]), percent(counts[i, j] / support[i]))
            for i, j in pairs]


def orders_of(classes: list[str], counts: Counts) -> dict[str, list[int]]:
    """Orders of classes to choose from.

    Returns
    -------
    dict of str to list of int
        ``name``, ``support`` (most images first) and, for more than 3 classes, ``similarity``:
        classes that are taken for each other side by side.
    """
    support = counts.sum(axis=1)
    orders = {"name": sorted(range(len(classes)), key=lambda k: classes[k].casefold()),
              "support": [int(k) for k in np.argsort(-support, kind="stable")]}
    if len(classes) > 3:
        orders["similarity"] = similarity_order(counts)
    return orders


def similarity_order(counts: Counts) -> list[int]:
    """Leaves of a tree of classes (average linkage on the cosine of their confusions).

    Parameters
    ----------
    counts : ndarray of int, shape (K, K)
        At least 2 classes.

    Returns
    -------
    list of int

    Examples
    --------
    >>> mixed = np.array([[5, 0, 5, 0], [0, 5, 0, 4], [4, 0, 6, 0], [0, 5, 0, 5]])
    >>> sorted(sorted(pair) for pair in np.reshape(similarity_order(mixed), (2, 2)).tolist())
    [[0, 2], [1, 3]]
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    both = shares + shares.T
    unit = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-12)
    distance = np.clip(1 - unit @ unit.T, 0, 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average",
                   optimal_ordering=len(counts) <= _OPTIMAL_UP_TO)
    return [int(k) for k in leaves_list(tree)]


def payload(results: Mapping[str, Any], counts: Counts,
            pictures: Pictures | None) -> dict[str, Any]:
    """What the page's script reads: classes, filled cells, orders, vignettes of cells."""
    classes = results["classes"]
    filled = np.argwhere(counts)
    rows = [] if pictures is None else [_row(row, classes) for row in pictures.rows]
    return {"classes": classes,
            "cells": np.column_stack([filled, counts[counts != 0]]).tolist(),
            "support": counts.sum(axis=1).tolist(), "predicted": counts.sum(axis=0).tolist(),
            "orders": orders_of(classes, counts),
            "rows": [row for row in rows if row is not None],
            "note": picture_note(pictures)}


def picture_note(pictures: Pictures | None) -> str:
    """Why there are no pictures, or not all; empty if nothing is amiss."""
    how = "Run the command again with --images FOLDER, the folder that their paths start from."
    if pictures is None or pictures.root is None:
        return f"This page was written without vignettes. {how}"
    if pictures.outside == len(pictures.failures) > 0 and not pictures.found:
        return (f"The paths lead out of {pictures.root}, and what lies outside of it is not shown. "
                "Run the command again with --images FOLDER, a folder that holds the images, or "
                "--images TABLE.csv, your own table of them.")
    if not pictures.found:
        return (f"The images were not found in {pictures.root}, so paths are listed instead. "
                f"{how}")
    if pictures.failures:
        return (f"{len(pictures.failures):,} pictures could not be read; their paths are listed.")
    return ""


def _row(row: Picture, classes: list[str]) -> list[Any] | None:
    """Path, true and predicted class, probability, size in words, picture."""
    if row.label not in classes or row.taxon not in classes:
        return None
    size = f"{row.size[0]} × {row.size[1]} px" if row.size else ""
    return [row.path, classes.index(row.label), classes.index(row.taxon),
            chance(row.probability), size, row.image]
