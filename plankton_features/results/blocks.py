"""Vectors block by block, with what is known of their pictures, and whether a head takes them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.errors import InputError, MismatchError, check_same, counted
from plankton_features.files.kinds import HDF5
from plankton_features.heads import Head
from plankton_features.heads.vectors import vectors_of
from plankton_features.progress import Progress, ProgressCallback, ignore
from plankton_features.store import FeatureFile, read_features


@dataclass(frozen=True)
class VectorBlock:
    """Some vectors and what is known of their pictures.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, d)
    images : DataFrame of n rows
        With columns ``path``, ``id``, where known ``group`` and ``label``, and extra ones.
    duplicates : DataFrame
        Further paths of these pictures: the same columns, and ``row``, in 0..n-1.
    """

    vectors: NDArray[np.float32]
    images: pd.DataFrame
    duplicates: pd.DataFrame


def file_blocks(file: FeatureFile, progress: ProgressCallback = ignore, *,
                columns: Sequence[str] | str = ()) -> Iterator[VectorBlock]:
    """All vectors of a feature file; groups and labels only if some image has one.

    Parameters
    ----------
    file : FeatureFile
    progress : callable of Progress
    columns : sequence of str, or "all"
        Extra columns of the file to add, called as in a table: ``depth [m]`` with its unit.

    Yields
    ------
    VectorBlock

    Raises
    ------
    InputError
        If there is no such column.
    """
    extra = extra_columns(file, columns)
    known = ("path", "id", "group", "label")
    named = {name: f"{name} [{file.units[name]}]" for name in extra if name in file.units}
    images = file.columns(*known, *extra)
    duplicates = file.table("duplicates", *known, *extra, "row").sort_values("row", kind="stable")
    bare = [name for name in ("group", "label")
            if not (any(images[name]) or any(duplicates[name]))]
    images, duplicates = (table.drop(columns=bare).rename(columns=named)
                          for table in (images, duplicates))
    start = 0
    for vectors in file.iter_blocks():
        stop = start + len(vectors)
        first, last = duplicates["row"].searchsorted([start, stop])
        again = duplicates.iloc[first:last]
        yield VectorBlock(vectors, images.iloc[start:stop], again.assign(row=again["row"] - start))
        progress(Progress(stop, len(file)))
        start = stop


def extra_columns(file: FeatureFile, columns: Sequence[str] | str) -> list[str]:
    """Names of extra columns; of ``all`` all that the file has.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if columns == "all":
        return list(file.extra_columns)
    names = list(dict.fromkeys([columns] if isinstance(columns, str) else columns))
    for name in names:
        if name not in file.extra_columns:
            there = ", ".join(file.extra_columns) or "none"
            raise InputError(f"columns: {file.path} has no extra column {name!r}. There are: "
                             f"{there}.")
    return names


def array_blocks(array: Any, progress: ProgressCallback = ignore) -> Iterator[VectorBlock]:
    """All rows of an array; their paths are their numbers.

    Parameters
    ----------
    array : array-like of float, shape (n, d), or VectorSource
    progress : callable of Progress

    Yields
    ------
    VectorBlock
    """
    source, start = vectors_of(array), 0
    for vectors in source.iter_blocks():
        stop = start + len(vectors)
        images = pd.DataFrame({"path": [str(i) for i in range(start, stop)], "id": ""})
        yield VectorBlock(vectors, images, images[:0].assign(row=0))
        progress(Progress(stop, source.shape[0]))
        start = stop


def is_feature_file(path: Path) -> bool:
    """Whether it is, or is to be, a feature file rather than images."""
    if path.is_dir():
        return False
    if path.suffix.lower() in (".h5", ".hdf5"):
        return True
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        with path.open("rb") as file:
            return file.read(8) == HDF5
    except OSError:
        return False


def features_to_classify(head: Head, features: FeatureFile | str | os.PathLike[str]) -> FeatureFile:
    """A feature file that a head takes.

    Parameters
    ----------
    head : Head
    features : FeatureFile or path-like

    Returns
    -------
    FeatureFile

    Raises
    ------
    MismatchError
        See `check_takes`.
    InputError
        If it holds no vectors.
    StoreError
        If it cannot be read.
    """
    file = features if isinstance(features, FeatureFile) else read_features(features)
    check_takes(head, file)
    if not len(file):
        raise InputError(f"{file.path}: holds no vectors "
                         f"({counted(file.count('failures'), 'image')} could not be used), so "
                         "there is nothing to classify.")
    return file


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


def check_takes(head: Head, features: FeatureFile) -> None:
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
