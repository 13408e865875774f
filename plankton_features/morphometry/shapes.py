"""Numbers of an object's shape, in pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from plankton_features.morphometry.neighbours import padded

_STEPS = ((0, 1), (1, 2), (1, 1), (2, 1), (1, 0), (2, -1), (1, -1), (1, -2))
"""(rows, columns) from a pixel to the next along eight directions, by their angle."""
_LEAST_VARIANCE = 1 / 12
"""Of a pixel's own width: no object is thinner."""


def _shares() -> list[float]:
    """Of half a turn, the angle that is nearest to each direction."""
    angles = [math.atan2(rows, columns) for rows, columns in _STEPS]
    around = [angles[-1] - math.pi, *angles, math.pi + angles[0]]
    return [(after - before) / 2 for before, after in zip(around, around[2:], strict=False)]


_WEIGHTS = [share / (2 * math.hypot(*step)) for share, step in zip(_shares(), _STEPS, strict=True)]


def equivalent_diameter(area: float) -> float:
    """Diameter of the disc of an area, ``2 sqrt(area / pi)``."""
    return 2 * math.sqrt(area / math.pi)


def perimeter(cover: NDArray[np.float32]) -> float:
    """Length of the edge by Crofton's formula, the sides on the picture's border among it.

    Lines through pixels in eight directions cross the edge as often as the cover goes from 0 to 1
    along them, in one step or in several; each direction counts for the angles that are nearest to
    it.

    Parameters
    ----------
    cover : ndarray of shape (height, width), float32
        Share of each pixel that is covered, or a mask of 0 and 1.

    Returns
    -------
    float
        In pixels.

    References
    ----------
    .. [1] D. Legland, K. Kiêu and M.-F. Devaux, "Computation of Minkowski measures on 2D and 3D
       binary images", Image Analysis and Stereology 26, 2007, 83-92,
       doi:10.5566/ias.v26.p83-92.
    """
    wide = padded(cover, 2)
    total = 0.0
    for (down, right), weight in zip(_STEPS, _WEIGHTS, strict=True):
        here = wide[: wide.shape[0] - down, max(0, -right): wide.shape[1] - max(0, right)]
        there = wide[down:, max(0, right): wide.shape[1] + min(0, right)]
        total += weight * float(np.abs(here - there).sum())
    return total


def axes(cover: NDArray[np.float32], edge: float) -> tuple[float, float]:
    """Longer and shorter axis of the ellipse that has the same second central moments.

    A soft edge is a sharp one that was blurred, and blurring adds its variance to both moments.
    How soft the edge is, is in the mean of ``cover (1 - cover)`` along it, s: an edge that rises
    evenly within w pixels has s = w / 6 and adds w² / 12 = 3 s², which is subtracted.

    Parameters
    ----------
    cover : ndarray of shape (height, width), float32
        Share of each pixel that is covered, not all 0.
    edge : float
        Length of its edge in pixels.

    Returns
    -------
    major, minor : float
        Whole axes in pixels, ``4 sqrt(eigenvalue)`` of the covariance; at least those of one
        pixel, 1.155.

    References
    ----------
    .. [1] M. R. Teague, "Image analysis via the general theory of moments", Journal of the Optical
       Society of America 70, 1980, 920-930, doi:10.1364/JOSA.70.000920.
    """
    rows, columns = cover.sum(axis=1, dtype=np.float64), cover.sum(axis=0, dtype=np.float64)
    area = float(rows.sum())
    y, x = np.arange(len(rows), dtype=np.float64), np.arange(len(columns), dtype=np.float64)
    y -= float(y @ rows) / area
    x -= float(x @ columns) / area
    yy, xx = float(y**2 @ rows) / area, float(x**2 @ columns) / area
    xy = float(y @ (cover @ x)) / area
    soft = 3 * ((area - float(np.vdot(cover, cover))) / edge) ** 2
    half, spread = (xx + yy) / 2 - soft, math.hypot(xx - yy, 2 * xy) / 2
    return (4 * math.sqrt(max(half + spread, _LEAST_VARIANCE)),
            4 * math.sqrt(max(half - spread, _LEAST_VARIANCE)))


def sphere(diameter: float) -> float:
    """Volume of a sphere, ``pi / 6 d³``.

    References
    ----------
    .. [1] H. Hillebrand et al., "Biovolume calculation for pelagic and benthic microalgae",
       Journal of Phycology 35, 1999, 403-424, doi:10.1046/j.1529-8817.1999.3520403.x.
    """
    return math.pi / 6 * diameter**3


def prolate_spheroid(major: float, minor: float) -> float:
    """Volume of an ellipsoid as thick as it is wide, ``pi / 6 minor² major``.

    References
    ----------
    .. [1] H. Hillebrand et al., "Biovolume calculation for pelagic and benthic microalgae",
       Journal of Phycology 35, 1999, 403-424, doi:10.1046/j.1529-8817.1999.3520403.x.
    """
    return math.pi / 6 * minor**2 * major
