"""Where the images lie that features were made of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from plankton_features.images import build_catalog
from plankton_features.images.depth import FULL_SCALES
from plankton_features.store import FeatureFile


@dataclass(frozen=True)
class Whereabouts:
    """Where images lie, and how they were read.

    Attributes
    ----------
    folder : str or None
        That paths are relative to, or a table in it; None if nobody knows.
    listed : frozenset of str
        Paths that may lie outside of it: those of a table that a person named.
    depth : str
        Scale of samples of more than 8 bits, see `images.decode_image`.
    """

    folder: str | None = None
    listed: frozenset[str] = frozenset()
    depth: str = "auto"


def whereabouts(features: FeatureFile,
                images: str | os.PathLike[str] | None = None) -> Whereabouts:
    """Where the images of a feature file lie.

    Parameters
    ----------
    features : FeatureFile
    images : path-like, optional
        Where they are now, a folder or your own table; by default as the file records it.

    Returns
    -------
    Whereabouts

    Raises
    ------
    InputError
        If `images` is a file but no table of images.
    """
    folder = os.fspath(images) if images else recorded_folder(features)
    return Whereabouts(folder, listed_paths(images), recorded_depth(features))


def recorded_folder(features: FeatureFile) -> str | None:
    """Where a feature file says that its images were, if it does.

    Parameters
    ----------
    features : FeatureFile

    Returns
    -------
    str or None
    """
    recorded = features.attributes.get("images")
    return recorded if isinstance(recorded, str) and recorded else None


def recorded_depth(features: FeatureFile) -> str:
    """The scale that a feature file's pictures were read at; ``auto`` if it names none.

    Parameters
    ----------
    features : FeatureFile

    Returns
    -------
    str
    """
    depth = features.recipe.get("depth")
    return depth if isinstance(depth, str) and depth in FULL_SCALES else "auto"


def recorded_digests(images: pd.DataFrame) -> dict[str, str]:
    """Digest of each path's content, where it is known.

    Parameters
    ----------
    images : DataFrame
        With columns ``path`` and, where known, ``sha256``.

    Returns
    -------
    dict of str to str
    """
    return dict(zip(images["path"], images.get("sha256", ()), strict=False))


def listed_paths(images: str | os.PathLike[str] | None) -> frozenset[str]:
    """Paths in a table that a person names; none of a folder, or of nothing.

    Raises
    ------
    InputError
        If it is a file but no table of images.
    """
    if images is None or not Path(images).is_file():
        return frozenset()
    return frozenset(build_catalog(images).path)
