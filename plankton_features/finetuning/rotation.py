"""Turning a framed vignette about its centre without distortion and without cutting it off."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BLOCK = 4  # side of the squares whose mean tells object from ground, so that noise does not
_INK = 16  # grey levels between such a mean and the ground


def view_matrix(angle: float, mirrored: bool, scale: float) -> NDArray[np.float64]:
    """How positions (x to the right, y down, from the centre) move: mirrored, turned, scaled.

    Parameters
    ----------
    angle : float
        Radians to the left.
    mirrored : bool
        Whether left and right are exchanged first.
    scale : float
        Above 0, of both axes.

    Returns
    -------
    ndarray of shape (2, 2), float64
        Both singular values are `scale`.
    """
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[-c, s], [s, c]] if mirrored else [[c, s], [-s, c]])


def fitting_factor(canvas: NDArray[np.uint8], background: NDArray[np.uint8],
                  matrix: NDArray[np.float64]) -> float:
    """Factor for `matrix` that keeps the object inside the canvas; 1 if nothing would be cut off.

    The object is every block of 4 x 4 pixels whose mean differs from the background by more than
    16 (of a faint picture: by more than half of the largest difference).

    Parameters
    ----------
    canvas : ndarray of shape (side, side) or (side, side, 3), uint8
    background : ndarray of shape (channels,), uint8
    matrix : ndarray of shape (2, 2), float64
        From `view_matrix`.

    Returns
    -------
    float
        Above 0, at most 1.
    """
    side = len(canvas)
    blocks = np.asarray(Image.fromarray(canvas).reduce(_BLOCK), dtype=np.int16)
    ink = np.abs(blocks - background)
    ink = ink if canvas.ndim == 2 else ink.max(axis=2)
    rows_columns = np.array(np.nonzero(ink > min(_INK, ink.max() / 2)))
    if not rows_columns.size:
        return 1.0
    centres = np.minimum(_BLOCK * rows_columns[::-1] + _BLOCK / 2, side - _BLOCK / 2) - side / 2
    reach = np.abs(matrix @ centres).max() + _BLOCK / 2 * np.abs(matrix[0]).sum()
    return min(1.0, side / 2 / float(reach))


def resample(canvas: NDArray[np.uint8], background: NDArray[np.uint8],
             matrix: NDArray[np.float64]) -> Image.Image:
    """Move a picture about its centre, once, bilinear.

    Parameters
    ----------
    canvas : ndarray of shape (side, side) or (side, side, 3), uint8
    background : ndarray of shape (channels,), uint8
        Value of what comes in from outside.
    matrix : ndarray of shape (2, 2), float64
        From `view_matrix`.

    Returns
    -------
    Image of that size
    """
    centre = len(canvas) / 2
    back = np.linalg.inv(matrix)
    x, y = centre - back.sum(axis=1) * centre
    fill = tuple(background.tolist()) if canvas.ndim == 3 else int(background[0])
    return Image.fromarray(canvas).transform(
        canvas.shape[:2], Image.Transform.AFFINE, (*back[0], x, *back[1], y),
        Image.Resampling.BILINEAR, fillcolor=fill)
