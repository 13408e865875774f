"""Measures of vignettes by name: one picture, or many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.morphometry.hulls import Hull, hull_of
from plankton_features.morphometry.outlining import Outline, outline
from plankton_features.morphometry.shapes import (
    axes,
    equivalent_diameter,
    perimeter,
    prolate_spheroid,
    sphere,
)

_LENGTHS = ("esd", "major_axis", "minor_axis", "perimeter")
_FERET = ("feret_max", "feret_min")
_VOLUMES = ("volume_sphere", "volume_ellipsoid")
_PLAIN = {"solidity": "", "grey_mean": "grey level", "grey_std": "grey level",
          "grey_ground": "grey level", "n_objects": "", "edge_contact": "px"}
WHOLE = ("n_objects", "edge_contact")
"""Whole numbers; all others are floats, NaN where there is no object."""

Measures = dict[str, float | int]


def column_units(*, sized: bool = True, feret: bool = False) -> dict[str, str]:
    """Names of the measures in their order, and the unit of each.

    Parameters
    ----------
    sized : bool, default=True
        With those in µm, mm² and mm³.
    feret : bool, default=False
        With the Feret diameters.

    Returns
    -------
    dict of str to str
        The unit is empty where there is none.

    Examples
    --------
    >>> units = column_units()
    >>> units["area_px"], units["area_mm2"], units["esd_um"], units["volume_sphere_mm3"]
    ('px²', 'mm²', 'µm', 'mm³')
    """
    lengths = (*_LENGTHS, *_FERET) if feret else _LENGTHS
    units = {"area_px": "px²", **{f"{name}_px": "px" for name in lengths},
             **{f"{name}_px": "px³" for name in _VOLUMES}, **_PLAIN}
    if sized:
        units |= {"area_mm2": "mm²", **{f"{name}_um": "µm" for name in lengths},
                  **{f"{name}_mm3": "mm³" for name in _VOLUMES}}
    return units


def measure(pixels: NDArray[np.uint8], *, ground: str | int = "border",
            pixel_size: float | None = None, feret: bool = False) -> Measures:
    """Measure the largest object of one vignette.

    Many threads may measure at once.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
    ground : {"border", "white", "black"} or int in 0..255, default="border"
        Grey of what the object lies on, as `Framing.background`.
    pixel_size : float, optional
        Side of a pixel in µm; NaN where it is not known.
    feret : bool, default=False
        Also measure the Feret diameters.

    Returns
    -------
    dict of str to float or int
        By the names of `column_units`; without those in µm, mm² and mm³ if no pixel size is
        given, NaN if it is NaN.

        ``area_px``
            Pixels that the object covers; on its edge, parts of pixels. Holes are filled.
        ``esd_px``
            Diameter of the disc of this area, the equivalent spherical diameter.
        ``major_axis_px``, ``minor_axis_px``
            Whole axes of the ellipse with the same second moments.
        ``perimeter_px``
            Length of the edge, by Crofton's formula.
        ``feret_max_px``, ``feret_min_px``
            Largest and smallest distance of two parallel lines that hold the object.
        ``volume_sphere_px``, ``volume_ellipsoid_px``
            Of a sphere of this ESD, and of an ellipsoid of these axes, as thick as it is wide.
        ``solidity``
            Pixels of the object by those of its convex hull, 0..1.
        ``grey_mean``, ``grey_std``, ``grey_ground``
            Mean and standard deviation of the object's grey, and the ground's, 0..255.
        ``n_objects``
            Objects found, of which the largest was measured. Without one, it and ``edge_contact``
            are 0, and all but the ground's grey are NaN.
        ``edge_contact``
            Pixels of the object in the outermost rows and columns: more than 0 where a part of it
            may be outside.

    Raises
    ------
    InputError
        If the pixel size is not above 0.

    Examples
    --------
    >>> vignette = np.full((40, 40), 250, np.uint8)
    >>> vignette[10:30, 10:30] = 90
    >>> measures = measure(vignette, pixel_size=10.0)
    >>> measures["area_px"], round(measures["area_mm2"], 6), round(measures["esd_um"], 1)
    (400.0, 0.04, 225.7)
    """
    found = outline(pixels, ground=ground)
    measures = _in_pixels(found, feret) if found.cover is not None else _nothing(found, feret)
    if pixel_size is not None:
        measures |= _in_micrometres(measures, _checked(pixel_size), feret)
    return measures


def measure_all(pictures: Iterable[NDArray[np.uint8]], *, ground: str | int = "border",
                pixel_size: float | Sequence[float] | NDArray[np.float64] | None = None,
                feret: bool = False, threads: int = 1) -> dict[str, NDArray[np.float64 | np.int64]]:
    """Measure the largest object of each of many vignettes.

    Parameters
    ----------
    pictures : iterable of ndarray, uint8
        As for `measure`.
    ground : {"border", "white", "black"} or int in 0..255, default="border"
        As for `measure`.
    pixel_size : float or sequence of float of length n, optional
        Side of a pixel in µm, of all pictures or of each; NaN where it is not known.
    feret : bool, default=False
        Also measure the Feret diameters.
    threads : int, default=1

    Returns
    -------
    dict of str to ndarray of shape (n,), float64 or int64
        By the names of `column_units`.

    Raises
    ------
    InputError
        If a pixel size is not above 0, or there are more or fewer than pictures.

    Examples
    --------
    >>> empty = np.full((8, 8), 200, np.uint8)
    >>> columns = measure_all([empty, empty])
    >>> columns["area_px"], columns["n_objects"]
    (array([nan, nan]), array([0, 0]))
    """
    pictures = list(pictures)
    sizes: list[float | None] = [None] * len(pictures)
    if pixel_size is not None:
        given = np.asarray(pixel_size, np.float64)
        if given.ndim and given.shape != (len(pictures),):
            raise InputError(f"pixel_size: expected one number, or one for each of the "
                             f"{len(pictures)} pictures; got {given.size}.")
        sizes = np.broadcast_to(given, len(pictures)).tolist()
    one = partial(_one, ground=ground, feret=feret)
    with ThreadPoolExecutor(threads, thread_name_prefix="measure") as pool:
        rows = list((pool.map if threads > 1 else map)(one, pictures, sizes))
    return {name: np.array([row[name] for row in rows],
                           np.int64 if name in WHOLE else np.float64)
            for name in column_units(sized=pixel_size is not None, feret=feret)}


def _one(pixels: NDArray[np.uint8], pixel_size: float | None, *, ground: str | int,
         feret: bool) -> Measures:
    return measure(pixels, ground=ground, pixel_size=pixel_size, feret=feret)


def _in_pixels(found: Outline, feret: bool) -> Measures:
    assert found.cover is not None
    mask = found.mask
    greys = found.grey[mask].astype(np.float64)
    grey_mean = float(greys.sum()) / len(greys)
    grey_variance = float(greys @ greys) / len(greys) - grey_mean**2
    hull = hull_of(mask)
    area = float(found.cover.sum(dtype=np.float64))
    esd, edge = equivalent_diameter(area), perimeter(found.cover)
    major, minor = axes(found.cover, edge)
    measures: Measures = {
        "area_px": area, "esd_px": esd, "major_axis_px": major, "minor_axis_px": minor,
        "perimeter_px": edge, **_ferets(hull, feret),
        "volume_sphere_px": sphere(esd), "volume_ellipsoid_px": prolate_spheroid(major, minor),
        "solidity": len(greys) / hull.n_pixels(),
        "grey_mean": grey_mean, "grey_std": math.sqrt(max(0.0, grey_variance)),
        "grey_ground": found.ground, "n_objects": found.n_objects,
        "edge_contact": _edge_contact(mask)}
    return measures


def _ferets(hull: Hull, feret: bool) -> dict[str, float]:
    return dict(zip(("feret_max_px", "feret_min_px"), hull.feret(), strict=True)) if feret else {}


def _edge_contact(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask) - np.count_nonzero(mask[1:-1, 1:-1]))


def _nothing(found: Outline, feret: bool) -> Measures:
    nothing: Measures = dict.fromkeys(column_units(sized=False, feret=feret), math.nan)
    return nothing | {"grey_ground": found.ground, "n_objects": 0, "edge_contact": 0}


def _in_micrometres(measures: Measures, size: float, feret: bool) -> Measures:
    """The same in µm, mm² and mm³, of pixels of `size` µm."""
    lengths = (*_LENGTHS, *_FERET) if feret else _LENGTHS
    millimetres = size / 1000
    return {"area_mm2": measures["area_px"] * millimetres**2,
            **{f"{name}_um": measures[f"{name}_px"] * size for name in lengths},
            **{f"{name}_mm3": measures[f"{name}_px"] * millimetres**3 for name in _VOLUMES}}


def _checked(pixel_size: float) -> float:
    if pixel_size <= 0 or math.isinf(pixel_size):
        raise InputError(f"pixel_size: expected µm per pixel, above 0; got {pixel_size}.")
    return float(pixel_size)
