"""What people hand over as images: paths or pixels, in many containers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from plankton_features.errors import InputError
from plankton_features.images import Catalog, Prepared

_SHOWN = 5


def images_or_paths(X: Any) -> list[Any]:
    """The images as a list, either of ndarrays or of path-likes.

    Parameters
    ----------
    X : sequence, ndarray, Series, or DataFrame with one column

    Returns
    -------
    list

    Raises
    ------
    InputError
        If it is a single path, has several columns, holds anything else, or nothing.
    """
    if isinstance(X, str | os.PathLike):
        raise InputError(f"expected a list of paths or pictures, got the single path {X!s}. "
                         "Put it in a list; for a folder use extract-features.")
    refuse_no_images(X)
    items = list(_one_column(X.to_numpy() if hasattr(X, "to_numpy") else X))
    for kind in (np.ndarray, str | os.PathLike):
        if all(isinstance(item, kind) for item in items):
            return items
    names = sorted({type(item).__name__ for item in items})
    raise InputError("expected paths, or pictures as uint8 arrays, and not both; got "
                     f"{len(items)} items of type {', '.join(names)}.")


def refuse_no_images(X: Any) -> None:
    """Refuse an empty list of images: whoever looked for some found none.

    Raises
    ------
    InputError
    """
    if hasattr(X, "__len__") and not len(X):
        raise InputError("no images: the list is empty. Were they looked for in another folder, "
                         "or with another ending than theirs (.png, .jpg, .tif)? "
                         "build_catalog(FOLDER) finds images of all kinds.")


def refuse_failures(images: Sequence[Prepared], catalog: Catalog) -> None:
    """Raise if an image failed.

    Raises
    ------
    InputError
        With the first names and reasons.
    """
    failed = [i for i in images if i.failure is not None]
    if failed:
        shown = "\n".join(f"  {catalog.where(i.position)}: {i.failure}" for i in failed[:_SHOWN])
        raise InputError(f"{len(failed)} of {len(images)} images cannot be used:\n{shown}\n"
                         "Leave them out, or use extract-features, which lists them and goes on.")


def _one_column(X: Any) -> Any:
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "OUS" or X.ndim != 2:
        return X
    if X.shape[1] != 1:
        raise InputError(f"expected one column of paths, got {X.shape[1]}. Choose the column: "
                         "df['path'], or a ColumnTransformer.")
    return X[:, 0]
