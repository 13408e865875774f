"""A map of vignettes: points that are pictures, for a notebook or a page of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import ImageFailure, InputError
from plankton_features.report.files import StrPath, write_text
from plankton_features.report.map_drawing import FRAME, draw_map, import_bokeh
from plankton_features.report.map_places import Window, spread_out
from plankton_features.report.numbers import whole
from plankton_features.report.originals import Originals
from plankton_features.report.pictures import data_uri, small_picture
from plankton_features.results.whereabouts import (
    listed_paths,
    recorded_depth,
    recorded_digests,
    recorded_folder,
)

if TYPE_CHECKING:
    from bokeh.plotting import figure

#: Longer side of a vignette in px: as it is kept, shown where one points at it, and on the map.
_KEPT, _DRAWN = 144, 40
_LEAST_SIDE = 160
#: Characters of all pictures together: a page must open on a phone.
_MOST_CHARACTERS = 5_500_000


@dataclass(frozen=True)
class VignetteMap:
    """A map that a notebook shows, and that can be saved as a page; neither needs a network.

    Attributes
    ----------
    figure : bokeh.plotting.figure
    note : str
        How many vignettes are drawn, are dots with a picture, and are dots without one.
    """

    figure: figure = field(repr=False)
    note: str

    def save(self, path: StrPath) -> None:
        """Write one HTML file that needs nothing else.

        Raises
        ------
        StoreError
            If the file cannot be written; what was there before is left as it was.
        """
        write_text(self._page(), path)

    def _page(self) -> str:
        import_bokeh()
        from bokeh.embed import file_html
        from bokeh.resources import INLINE

        return file_html(self.figure, INLINE, title="Map of vignettes")

    def _repr_html_(self) -> str:
        # In a frame, because it brings its own scripts, and other pages theirs.
        height = (self.figure.height or 0) + 20
        return (f'<iframe srcdoc="{escape(self._page())}" title="Map of vignettes" width="100%" '
                f'height="{height}" style="border: 0; background: #fff"></iframe>')


def vignette_map(features: Any, xy: ArrayLike, images: StrPath | None = None, *,
                 width: int = 760, height: int = 620, most: int = 2000) -> VignetteMap:
    """Draw vignettes where a projection puts them.

    Vignettes that would lie on others are dots. Pointing shows the picture with path, taxon and
    size; the legend hides taxa; the wheel zooms.

    Parameters
    ----------
    features : FeatureFile
    xy : array-like of float, shape (n, 2)
        A place for each row of `features`, such as the first two components of PCA, or t-SNE.
    images : path-like, optional
        Where the images are now; by default where they were when the features were made. A
        picture outside of that folder, or of another content than the features', is a dot. If
        it is a table, pictures that it lists may lie anywhere.
    width, height : int
        In px, at least 160. A notebook may stretch the width.
    most : int
        Pictures at the most, 0 or more; fewer if they would take more than 5.5 MB. Vignettes
        that are drawn have theirs first, then dots, spread over the map.

    Returns
    -------
    VignetteMap

    Raises
    ------
    InputError
        If there is no row or not one finite place for each, the images are not there or none can
        be read, a number is out of its range, or Bokeh is not installed.
    """
    import_bokeh()
    _check_numbers(width, height, most)
    places = _places(xy, len(features.images))
    table = features.images[["path", "label", "width", "height"]].assign(
        x=places[:, 0], y=places[:, 1])
    window = Window.around(places, width, height)
    order = spread_out(places / window.scale, _sizes(table) + FRAME)
    table, n_failed = _with_pictures(table, order, _originals(features, images), most)
    note = _note(table, n_failed)
    return VignetteMap(draw_map(table, window, note), note)


def _places(xy: ArrayLike, n: int) -> NDArray[np.float64]:
    if not n:
        raise InputError("map: there is no row. Give features of one or more images.")
    expected = f"map: expected a finite place for each of {n} rows, shape ({n}, 2), got"
    try:
        places = np.asarray(xy, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{expected} what is no array of numbers ({error}).") from error
    if places.shape != (n, 2):
        raise InputError(f"{expected} shape {places.shape}.")
    if n_bad := int((~np.isfinite(places)).any(axis=1).sum()):
        raise InputError(f"{expected} NaN or infinity in {n_bad} of them. Leave those rows out of "
                         "features and places, or look at what made the places.")
    return places


def _check_numbers(width: int, height: int, most: int) -> None:
    for name, value, least in (("width", width, _LEAST_SIDE), ("height", height, _LEAST_SIDE),
                               ("most", most, 0)):
        if not isinstance(value, Integral) or value < least:
            raise InputError(f"map: {name}: expected a whole number, at least {least}, got "
                             f"{value!r}.")


def _originals(features: Any, images: StrPath | None) -> Originals:
    known = images or recorded_folder(features)
    if not known or not Path(known).exists():
        raise InputError(f"map: the images are not at {known or 'a known place'}. Pass images=, "
                         "the folder that paths are relative to.")
    return Originals(known, recorded_digests(features.images), listed_paths(images),
                     recorded_depth(features))


def _with_pictures(table: pd.DataFrame, order: tuple[NDArray[np.int64], int],
                   originals: Originals, most: int) -> tuple[pd.DataFrame, int]:
    """Columns ``image``, ``w``, ``h`` (in px on the map) and ``drawn``; and how many failed."""
    rows, n_apart = order
    made: dict[int, tuple[str, bool]] = {}
    n_failed, reason, room = 0, "", _MOST_CHARACTERS
    for turn, row in enumerate(rows[:most]):
        try:
            pixels = small_picture(originals.read(str(table["path"].iloc[row])), _KEPT)
        except ImageFailure as failure:
            n_failed, reason = n_failed + 1, failure.reason
            continue
        made[int(row)] = data_uri(pixels), turn < n_apart
        room -= len(made[int(row)][0])
        if room < 0:
            break
    if n_failed and not made:
        raise InputError(f"map: none of {n_failed} pictures could be read in {originals.folder} "
                         f"({reason}). Pass images=, the folder that paths are relative to.")
    image, drawn = zip(*(made.get(k, ("", False)) for k in range(len(table))), strict=True)
    w, h = _sizes(table).T
    return table.assign(image=image, drawn=drawn, w=w, h=h), n_failed


def _sizes(table: pd.DataFrame) -> NDArray[np.float64]:
    """Width and height of each vignette on the map in px."""
    sizes: NDArray[np.float64] = table[["width", "height"]].to_numpy(np.float64)
    longer: NDArray[np.float64] = sizes.max(axis=1, keepdims=True)
    return sizes * (_DRAWN / longer)


def _note(table: pd.DataFrame, n_failed: int) -> str:
    drawn = int(table["drawn"].sum())
    dots = int((~table["drawn"] & (table["image"] != "")).sum())
    bare = len(table) - drawn - dots
    kinds = ((dots, "that would lie on others"), (bare, "without a picture"))
    told = ", ".join(f"{whole(n)} {what}" for n, what in kinds if n)
    text = f"{whole(drawn)} of {whole(len(table))} vignettes are drawn"
    text += f"; dots: {told}" if told else ""
    return f"{text} ({whole(n_failed)} could not be read)." if n_failed else f"{text}."
