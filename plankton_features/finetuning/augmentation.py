"""What happens to a framed vignette before a training step: it is turned, mirrored, varied."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plankton_features.errors import InputError
from plankton_features.images.framing import background_of

#: Name -> what it does, in words for a person.
AUGMENTATIONS = {
    "none": "pictures as they are",
    "turns": "quarter turns and mirror images; nothing is resampled",
    "full": "any rotation, mirror images, scale 0.85 to 1.1 (less where an end would be cut off), "
            "contrast up to 10 %, brightness up to 10 of 255",
}

_SCALES, _CONTRASTS, _SHIFTS = (0.85, 1.1), (0.9, 1.1), (-10.0, 10.0)
_RAMP = np.arange(256.0)


def augment(canvases: NDArray[np.uint8], kind: str,
            rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary framed pictures, each by a draw of its own.

    Shapes are never distorted. ``full`` resamples once (bilinear), and what comes in from outside
    is the ground: the median of the picture's outermost pixels. The ground is also what contrast
    is counted from, and the brightness shift ends where the ground would leave 0..255: a white
    ground stays white or darkens, it cannot swallow what is faint.

    Parameters
    ----------
    canvases : ndarray of shape (n, side, side) or (n, side, side, 3), uint8
        From `plankton_features.images.framing.frame`.
    kind : str
        A name in `AUGMENTATIONS`.
    rng : numpy.random.Generator
        ``turns`` takes one number of it for each picture, ``full`` five, ``none`` none, so that
        pictures are varied alike however they are split into batches.

    Returns
    -------
    ndarray of the same shape, uint8
        A new array.

    Raises
    ------
    InputError
        If there is no such kind, or the pictures have another shape or dtype.

    Examples
    --------
    >>> canvases = np.full((2, 32, 32), 255, np.uint8)
    >>> augment(canvases, "turns", np.random.default_rng(0)).shape
    (2, 32, 32)
    """
    _refuse_no_canvases(canvases)
    if kind not in AUGMENTATIONS:
        raise InputError(f"augmentation '{kind}': expected one of {', '.join(AUGMENTATIONS)}.")
    varied = canvases.copy()
    if kind == "turns":
        for i, draw in enumerate(rng.random(len(canvases))):
            varied[i] = _turned(canvases[i], int(8 * draw))
    if kind == "full":
        for i, draws in enumerate(rng.random((len(canvases), 5))):
            varied[i] = _vary(canvases[i], *draws)
    return varied


def turns(canvases: NDArray[np.uint8], k: int) -> NDArray[np.uint8]:
    """One of the eight views that quarter turns and mirror images give, the same of all pictures.

    Parameters
    ----------
    canvases : ndarray of shape (n, side, side) or (n, side, side, 3), uint8
    k : int
        In 0..7: 0 is the picture itself, 1 to 3 are its quarter turns to the left, 4 to 7 those
        four, left and right exchanged (the order of the views of a recipe with ``d4``).

    Returns
    -------
    ndarray of the same shape, uint8
        A new array.

    Raises
    ------
    InputError
        If `k` is out of range, or the pictures have another shape or dtype.

    Examples
    --------
    >>> turns(np.array([[[1, 2], [3, 4]]], np.uint8), 1).tolist()
    [[[2, 4], [1, 3]]]
    """
    _refuse_no_canvases(canvases)
    if k not in range(8):
        raise InputError(f"k: expected a view in 0..7, got {k!r}.")
    return np.moveaxis(_turned(np.moveaxis(canvases, 0, 2), k), 2, 0).copy()


def _vary(canvas: NDArray[np.uint8], turn: float, mirror: float, scale: float, contrast: float,
          shift: float) -> NDArray[np.uint8]:
    """A picture varied by five numbers in [0, 1)."""
    background = background_of(canvas, "border")
    matrix = view_matrix(2 * math.pi * turn, mirror < 0.5, _between(_SCALES, scale))
    matrix *= fitting_factor(canvas, background, matrix)
    values = _values(background, _between(_CONTRASTS, contrast), _between(_SHIFTS, shift))
    moved = resample(canvas, background, matrix)
    if canvas.ndim == 2:
        return np.take(values[0], np.asarray(moved))  # faster than Pillow's point
    return np.asarray(moved.point(values.ravel().tolist()))


def _values(background: NDArray[np.uint8], contrast: float, shift: float) -> NDArray[np.uint8]:
    """New value of each value, (channels, 256)."""
    ground = background.astype(np.float64)[:, None]
    shift = min(max(shift, -float(ground.min())), 255 - float(ground.max()))
    values = ground + shift + contrast * (_RAMP - ground)
    return values.clip(0, 255).round().astype(np.uint8)


def _between(limits: tuple[float, float], draw: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * draw


def _turned(picture: NDArray[np.uint8], k: int) -> NDArray[np.uint8]:
    turned = np.rot90(picture, k % 4)
    return turned[:, ::-1] if k >= 4 else turned


def _refuse_no_canvases(canvases: NDArray[np.uint8]) -> None:
    shape = canvases.shape
    square = len(shape) > 2 and shape[1] == shape[2] > 0 and shape[3:] in ((), (3,))
    if not square or canvases.dtype != np.uint8:
        raise InputError("canvases: expected uint8 of shape (n, side, side) or (n, side, side, 3),"
                         f" got {canvases.dtype} of shape {shape}. Frame the vignettes first.")


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
