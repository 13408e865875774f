"""Thumbnails of vignettes, for a page that needs no other file."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from plankton_features.errors import ImageFailure
from plankton_features.images import Framing, frame
from plankton_features.progress import Progress, ProgressCallback, ignore
from plankton_features.report.originals import OUTSIDE, Originals
from plankton_features.report.picking import pick
from plankton_features.results.results import Results
from plankton_features.results.whereabouts import recorded_digests

if TYPE_CHECKING:
    import pandas as pd

_QUALITY = 72
#: Characters of all data URIs together: a page must open on a phone.
_MOST_CHARACTERS = 5_500_000
_MOST_LISTED = 10_000
_TRIES = 200


@dataclass(frozen=True)
class Picture:
    """One vignette and what was said of it.

    Attributes
    ----------
    path, label, taxon : str
    probability : float or None
        Of the taxon.
    image : str or None
        Thumbnail as a data URI.
    size : (int, int) or None
        Width and height of the vignette in pixels.
    """

    path: str
    label: str
    taxon: str
    probability: float | None
    image: str | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Pictures:
    """Vignettes for the page.

    Attributes
    ----------
    rows : tuple of Picture
    n_wall : int
        So many of the first `rows` are the most confident mistakes.
    root : str or None
        Where they were looked for.
    failures : tuple of (str, str)
        Path and reason of each picture that could not be made.
    """

    rows: tuple[Picture, ...] = ()
    n_wall: int = 0
    root: str | None = None
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def found(self) -> int:
        """How many have a thumbnail."""
        return sum(row.image is not None for row in self.rows)

    @property
    def outside(self) -> int:
        """How many were left out because they lie outside of the folder."""
        return sum(reason == OUTSIDE for _, reason in self.failures)


def collect_pictures(frame: pd.DataFrame, root: str | os.PathLike[str] | None, *,
                     most: int = 5000, per_cell: int = 12, side: int = 96,
                     most_mistakes: int = 60, sha256: Mapping[str, str] | None = None,
                     listed: Collection[str] = (), depth: str = "auto",
                     progress: ProgressCallback = ignore) -> Pictures:
    """Make thumbnails of the most confident mistakes and of every cell of the confusion matrix.

    Parameters
    ----------
    frame : DataFrame
        Out-of-fold predictions: columns ``path``, ``label``, ``taxon``, ``probability``, and
        optionally ``repeat``, of which only 0 counts. ``taxon`` may be named ``predicted``, as
        in files of earlier versions.
    root : path-like or None
        Folder that paths are relative to, or a table in it. A path that leads out of it, being
        absolute or with ``..``, gets no thumbnail, because a feature file's author wrote it.
        None: no pictures, paths only.
    most : int
        Thumbnails at the most: first the mistakes for the wall, then in turn one of each cell,
        frequent cells first. Fewer if they would take more than 5.5 MB. Without a thumbnail,
        up to 10,000 paths are listed.
    per_cell : int
        Vignettes of each pair of different true and predicted classes, the most confident
        first; of right predictions 4 of each class.
    side : int
        Of a thumbnail, in pixels. The vignette keeps its proportions; the rest is filled with
        the value of its border.
    most_mistakes : int
        Vignettes on the wall.
    sha256 : mapping of str to str, optional
        Hexadecimal digests of the contents that results are of, by path. A file of another
        content by now gets no thumbnail.
    listed : collection of str, optional
        Paths that may lead out of the folder all the same: those of a catalog of your own.
    depth : str, default="auto"
        Of the recipe: scale of samples of more than 8 bits, see `images.decode_image`.
    progress : callable
        Called after each picture with a `Progress`.

    Returns
    -------
    Pictures
        With a row for every vignette chosen. If the first 200 all fail, the others are
        not tried.

    Raises
    ------
    InputError
        If a column is missing.
    """
    picked = pick(frame, per_cell, most_mistakes, max(most, _MOST_LISTED))
    table = picked.table.iloc[picked.listed]
    probabilities = [None if np.isnan(p) else float(p) for p in table["probability"].astype(float)]
    said = list(zip(table["path"], table["label"], table["taxon"], probabilities, strict=True))
    if root is None:
        return Pictures(tuple(Picture(*row) for row in said), len(picked.wall))
    made, failures = _thumbnails([row[0] for row in said[:most]],
                                 Originals(root, sha256 or {}, listed, depth), side, progress)
    rows = tuple(Picture(*row, *made.get(i, (None, None))) for i, row in enumerate(said))
    return Pictures(rows, len(picked.wall), str(root), tuple(failures))


def pictures_of(results: Results) -> Pictures:
    """Thumbnails for the report, of the images where they are now; see `collect_pictures`."""
    place = results.whereabouts
    return collect_pictures(results.predictions(), place.folder,
                            sha256=recorded_digests(results.images), listed=place.listed,
                            depth=place.depth)


def thumbnail(pixels: np.ndarray, side: int) -> str:
    """A small square picture as a data URI.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
    side : int

    Returns
    -------
    str

    Examples
    --------
    >>> thumbnail(np.full((20, 10), 255, np.uint8), 72)[:23]
    'data:image/webp;base64,'
    """
    return data_uri(frame(pixels, Framing(canvas=side, interpolation="box" if min(
        pixels.shape[:2]) > side else "bicubic")))


def small_picture(pixels: np.ndarray, longer: int) -> np.ndarray:
    """A picture as RGB or grey in its own proportions; transparent parts become white.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
    longer : int
        Its longer side in px.

    Returns
    -------
    ndarray of uint8

    Examples
    --------
    >>> small_picture(np.zeros((20, 10, 4), np.uint8), 40).shape
    (40, 20, 3)
    """
    image = Image.fromarray(pixels)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    factor = longer / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    way = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return np.asarray(image.resize(size, way))


def data_uri(pixels: np.ndarray) -> str:
    """A picture as a data URI, with some loss."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "WEBP", quality=_QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def _thumbnails(paths: list[str], originals: Originals, side: int, progress: ProgressCallback
                ) -> tuple[dict[int, tuple[str, tuple[int, int]]], list[tuple[str, str]]]:
    """Position to (data URI, size of the vignette); and what failed."""
    made: dict[int, tuple[str, tuple[int, int]]] = {}
    failures: list[tuple[str, str]] = []
    room = _MOST_CHARACTERS
    for i, path in enumerate(paths):
        try:
            pixels = originals.read(path)
            image = thumbnail(pixels, side)
            made[i] = image, (pixels.shape[1], pixels.shape[0])
            room -= len(image)
        except ImageFailure as failure:
            failures.append((path, failure.reason))
        progress(Progress(i + 1, len(paths), failed=len(failures)))
        if room < 0 or (not made and len(failures) >= _TRIES):
            break
    return made, failures
