"""From blocks of vectors to a table of predictions and their sums, with little memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.metrics import scores
from plankton_features.csv_writing import write_csv
from plankton_features.errors import InputError, MismatchError, check_same
from plankton_features.files.locking import WriteLock
from plankton_features.files.replacing import replacing
from plankton_features.files.targets import check_output
from plankton_features.heads import Head, Predictions
from plankton_features.results.predictions import WhichProbabilities, prediction_table


@dataclass(frozen=True)
class VectorBlock:
    """Some vectors and what is known of their pictures.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, d)
    images : DataFrame of n rows
        With columns ``path``, ``id`` and, where known, ``group`` and ``label``.
    duplicates : DataFrame
        Further paths of these pictures: the same columns, and ``row``, in 0..n-1.
    """

    vectors: NDArray[np.float32]
    images: pd.DataFrame
    duplicates: pd.DataFrame


def write_predictions(head: Head, blocks: Iterable[VectorBlock], target: Path | IO[str], *,
                      overwrite: bool = False,
                      probabilities: WhichProbabilities = "top") -> Tally:
    """Classify block by block and write a CSV file (UTF-8, comma, one row for each path).

    A duplicate gets the row of its picture, below it, and that one's path in ``duplicate_of``.

    Parameters
    ----------
    head : Head
    blocks : iterable of VectorBlock
        All with the same columns.
    target : Path or text file
        A path is written to only when all is done.
    overwrite : bool, default=False
        Whether a file that is there may be replaced.
    probabilities : {"top", "all"}, default="top"
        Whether the table has a column for each class.

    Returns
    -------
    Tally

    Raises
    ------
    InputError
        If the file cannot be written there, or vectors do not fit the head.
    StoreError
        If another process writes it, or writing fails; a file that was there is as before.
    """
    if not isinstance(target, Path):
        return _write(head, blocks, target, probabilities)
    with WriteLock(target):
        check_output(target, overwrite)
        with replacing(target, "w", encoding="utf-8", newline="") as file:
            return _write(head, blocks, file, probabilities)


class Tally:
    """Sums over pictures, duplicates left out.

    Parameters
    ----------
    classes : ndarray of str, shape (K,)

    Attributes
    ----------
    n : int
        Pictures.
    n_duplicates : int
        Further paths of them.
    confusion : ndarray of int64, shape (K, K)
        Of pictures whose label is one of `classes`; rows true, columns predicted.
    unknown : dict of str to int
        Pictures with another label.
    """

    def __init__(self, classes: ArrayLike):
        self.classes = np.asarray(classes)
        k = len(self.classes)
        self._codes = {name: i for i, name in enumerate(self.classes.tolist())}
        self.n = self.n_duplicates = 0
        self._count, self._abstained = np.zeros(k, np.int64), np.zeros(k, np.int64)
        self._sure, self._expected = np.zeros(k), np.zeros(k)
        self.confusion = np.zeros((k, k), np.int64)
        self.unknown: dict[str, int] = {}

    def add(self, found: Predictions, labels: ArrayLike = ()) -> None:
        """Count predictions.

        Parameters
        ----------
        found : Predictions
            Of n pictures.
        labels : array-like of str, shape (n,), optional
            Empty where unknown.
        """
        k = len(self.classes)
        self.n += len(found)
        self._count += np.bincount(found.code, minlength=k)
        self._abstained += np.bincount(found.code[~found.accepted], minlength=k)
        self._sure += np.bincount(found.code, found.probability, minlength=k)
        self._expected += found.probabilities.sum(axis=0)
        for label, code in zip(np.asarray(labels, dtype=object), found.code, strict=False):
            if label in self._codes:
                self.confusion[self._codes[label], code] += 1
            elif label:
                self.unknown[label] = self.unknown.get(label, 0) + 1

    def table(self) -> pd.DataFrame:
        """One row for each class, most pictures first.

        Returns
        -------
        DataFrame
            ``taxon``; ``images`` predicted so; their ``share`` of all; ``probability``, the mean
            of theirs (NaN without any); ``abstained``, how many of them; ``expected``, the sum of
            this taxon's probability over all pictures: the number of them that should be it.
        """
        with np.errstate(invalid="ignore"):
            table = pd.DataFrame({
                "taxon": self.classes, "images": self._count,
                "share": self._count / max(self.n, 1), "probability": self._sure / self._count,
                "abstained": self._abstained, "expected": self._expected})
        return table.sort_values(["images", "expected"], ascending=False, kind="stable",
                                 ignore_index=True)

    @property
    def n_labelled(self) -> int:
        """Pictures in `confusion`."""
        return int(self.confusion.sum())

    def scores(self) -> dict[str, float]:
        """``accuracy``, ``macro_f1`` and more of the labelled pictures; see `metrics.scores`."""
        return {name: float(value) for name, value in scores(self.confusion).items()}


def _write(head: Head, blocks: Iterable[VectorBlock], file: IO[str],
           probabilities: WhichProbabilities) -> Tally:
    tally = Tally(head.classes)
    for i, block in enumerate(blocks):
        found = head.classify(block.vectors)
        tally.add(found, block.images.get("label", ()))
        tally.n_duplicates += len(block.duplicates)
        table = _with_duplicates(prediction_table(head, found, block.images, probabilities), block)
        write_csv(table, file, header=not i, float_format="%.6g")
    return tally


def _with_duplicates(table: pd.DataFrame, block: VectorBlock) -> pd.DataFrame:
    """The table with duplicates below their pictures, and the column that marks them."""
    table = table.reset_index(drop=True)
    table.insert(table.columns.get_loc("recipe_id"), "duplicate_of", "")
    if not len(block.duplicates):
        return table
    again = block.duplicates.reset_index(drop=True)
    rows = again["row"].to_numpy()
    copies = table.iloc[rows].reset_index(drop=True)
    copies["duplicate_of"] = copies["path"]
    copies[list(block.images.columns)] = again[list(block.images.columns)]
    order = np.argsort(np.concatenate([np.arange(len(table)), rows]), kind="stable")
    return pd.concat([table, copies]).iloc[order]


def check_takes_images(head: Head, name: object = "head") -> None:
    """Refuse a head that does not say how vectors are made of images.

    Parameters
    ----------
    head : Head
    name : object
        Begins the message: where the head lies.

    Raises
    ------
    InputError
        If it was fitted on an array.
    """
    if not head.recipe:
        raise InputError(f"{name}: was fitted on {head.vectors_of}, so it does not say how images "
                         f"become vectors. {_takes(head)} To classify images, fit a head on their "
                         "feature file.")


def check_takes(head: Head, features: Any) -> None:
    """Refuse a feature file that was made in another way than the vectors that a head knows.

    Parameters
    ----------
    head : Head
    features : FeatureFile

    Raises
    ------
    MismatchError
        If the recipes differ or, of a head that was fitted on an array, the numbers of values.
    """
    if head.recipe:
        check_same(features.recipe, head.recipe,
                   f"{features.path}: made with another recipe than the head's",
                   "Give the images instead, whose features are then extracted with the head's "
                   "own recipe; or a head that was fitted on such features.", whole=True)
        return
    found, asked = features.shape[1], len(head.feature_names)
    if found != asked:
        raise MismatchError(f"{features.path}: has vectors of {found:,} values, the head was "
                            f"fitted on {head.vectors_of}. {_takes(head)}",
                            {"values": (found, asked)})


def _takes(head: Head) -> str:
    return (f"It takes arrays (in Python) or feature files of {len(head.feature_names):,} values "
            "only.")
