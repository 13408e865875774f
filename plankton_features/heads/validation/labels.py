"""Which rows have a label; one without is no class of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError


def labelled_rows(labels: ArrayLike) -> NDArray[np.int64]:
    """Numbers of the rows that have a label, which are those to learn from.

    Parameters
    ----------
    labels : array-like of str, shape (n,)
        None, NaN and blanks are no labels.

    Returns
    -------
    ndarray of int64, shape (n_labelled,)

    Raises
    ------
    InputError
        If none has one.

    Examples
    --------
    >>> labelled_rows(["copepod", "", "diatom", None]).tolist()
    [0, 2]
    """
    found = np.flatnonzero(_has_label(labels))
    if not len(found):
        raise InputError("labels: no image has a label. Put the images into one folder for each "
                         "taxon, or use a CSV table with a column label, and extract again.")
    return found


def refuse_unlabelled(labels: ArrayLike) -> None:
    """Refuse labels of which some are missing: together they would become a class.

    Raises
    ------
    InputError
    """
    missing = np.flatnonzero(~_has_label(labels))
    if len(missing):
        raise InputError(f"labels: {len(missing):,} of {len(np.asarray(labels)):,} rows have none, "
                         f"the first is row {missing[0]}. Leave them out: labelled_rows(labels) "
                         "has the numbers of the others; give these as rows, and labels, groups "
                         "and digests of these rows only.")


def texts_of(column: Iterable[Any]) -> NDArray[np.str_]:
    """Values as text; empty for None, NaN and blanks.

    Examples
    --------
    >>> texts_of(["tow1", None, np.nan, " ", 7, b"\\x0f"]).tolist()
    ['tow1', '', '', '', '7', '0f']
    """
    return np.asarray([value.hex() if isinstance(value, bytes) else
                       "" if pd.isna(value) else str(value).strip()
                       for value in column], np.str_)


def _has_label(labels: ArrayLike) -> NDArray[np.bool_]:
    values = np.asarray(labels)
    if values.dtype.kind in "biu":  # numbers of classes
        return np.ones(len(values), bool)
    labelled: NDArray[np.bool_] = texts_of(values) != ""
    return labelled
