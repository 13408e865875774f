"""Fit the pixels of one vignette to the network's square canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from plankton_features.errors import ImageFailure

FRAMINGS = ("resize", "native", "native-shrink")
INTERPOLATIONS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_GREYS: dict[str | int, int] = {"white": 255, "black": 0}


@dataclass(frozen=True)
class Framing:
    """How pixels are fitted to a canvas.

    Parameters
    ----------
    canvas : int
        Side of the square canvas in pixels.
    method : {"resize", "native", "native-shrink"}, default="resize"
        ``resize`` scales the longer side to the canvas and keeps the aspect ratio;
        ``native`` keeps the scale and cuts the centre out of what is larger;
        ``native-shrink`` keeps the scale and shrinks what is larger.
    background : {"border", "white", "black"} or int in 0..255, default="border"
        Value of the padding, and of what shows through transparent pixels. ``border`` is the
        median of the vignette's outermost pixels, channel by channel; of those that are more
        opaque than not, and white if there are none.
    crop_bottom : int, default=0
        Rows of pixels cut off at the bottom first, for burned-in scale bars.
    interpolation : {"box", "bilinear", "bicubic", "lanczos"}, default="bilinear"
        Pillow's filters, which average over the source area when shrinking.
    depth : {"auto", "8", "10", "12", "14", "16", "float"}, default="auto"
        Scale of samples of more than 8 bits, for whoever reads the file, see `decode_image`;
        `frame` gets pixels that are scaled.
    """

    canvas: int
    method: Literal["resize", "native", "native-shrink"] = "resize"
    background: str | int = "border"
    crop_bottom: int = 0
    interpolation: str = "bilinear"
    depth: str = "auto"


def frame(pixels: np.ndarray, framing: Framing) -> np.ndarray:
    """Fit one vignette to the canvas, centred; the spare pixel goes right and below.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
    framing : Framing

    Returns
    -------
    ndarray of shape (canvas, canvas) or (canvas, canvas, 3), uint8
        Grey stays grey.

    Raises
    ------
    ImageFailure
        With stage ``frame`` if nothing is left after cutting the bottom off.

    Examples
    --------
    >>> frame(np.zeros((10, 20), np.uint8), Framing(canvas=40, background="white")).shape
    (40, 40)
    """
    pixels = crop_bottom(pixels, framing.crop_bottom)
    background = background_of(pixels, framing.background)
    if pixels.shape[2:] == (4,):
        pixels = over(pixels, background)
    pixels = _scale(pixels, framing)
    return _centre(pixels, framing.canvas, background)


def crop_bottom(pixels: np.ndarray, rows: int) -> np.ndarray:
    """Cut rows off at the bottom.

    Raises
    ------
    ImageFailure
        If no row would be left.
    """
    height = pixels.shape[0]
    if rows >= height:
        raise ImageFailure("frame", f"nothing left: {height} px high, crop-bottom is {rows} px")
    return pixels[: height - rows]


def background_of(pixels: np.ndarray, rule: str | int) -> np.ndarray:
    """Background value of a vignette.

    Parameters
    ----------
    pixels : ndarray of shape (height, width[, 3 or 4]), uint8
    rule : {"border", "white", "black"} or int in 0..255

    Returns
    -------
    ndarray of shape (channels,), uint8
        One channel for grey, otherwise three.
    """
    channels = 1 if pixels.ndim == 2 else 3
    if rule != "border":
        return np.full(channels, _GREYS.get(rule, rule), dtype=np.uint8)
    border = _border(pixels.reshape(*pixels.shape[:2], -1))
    if border.shape[1] == 4:
        border = border[border[:, 3] > 127, :3]
    if not len(border):  # nothing opaque at the edge: a cut-out, as if on paper
        return np.full(3, 255, dtype=np.uint8)
    return _median(border)


def _border(pixels: np.ndarray) -> np.ndarray:
    """The outermost pixels, each once, (n, channels)."""
    height, width, channels = pixels.shape
    rows = pixels[:: max(1, height - 1)]
    columns = pixels[1:-1, :: max(1, width - 1)]
    return np.concatenate((rows.reshape(-1, channels), columns.reshape(-1, channels)))


def _median(values: np.ndarray) -> np.ndarray:
    """Median of each column, to the nearest whole number; a third of the time of np.median."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    middle = np.partition(values, (low, high), axis=0)[[low, high]]
    medians: np.ndarray = np.rint(middle.mean(axis=0)).astype(np.uint8)
    return medians


def over(pixels: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Lay a picture with transparency over a background.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 4), uint8
    background : ndarray of shape (3,), uint8

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
    """
    opacity = pixels[..., 3:].astype(np.float32) / 255
    return np.rint(pixels[..., :3] * opacity + background * (1 - opacity)).astype(np.uint8)


def _scale(pixels: np.ndarray, framing: Framing) -> np.ndarray:
    height, width = pixels.shape[:2]
    longer = max(height, width)
    keep = framing.method == "native" or (
        framing.method == "native-shrink" and longer <= framing.canvas
    )
    if keep or longer == framing.canvas:
        return pixels
    factor = framing.canvas / longer
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    image = Image.fromarray(pixels)
    return np.asarray(image.resize(size, INTERPOLATIONS[framing.interpolation]))


def _centre(pixels: np.ndarray, side: int, background: np.ndarray) -> np.ndarray:
    cut_y, pad_y = _offsets(pixels.shape[0], side)
    cut_x, pad_x = _offsets(pixels.shape[1], side)
    part = pixels[cut_y : cut_y + side, cut_x : cut_x + side]
    if part.shape[:2] == (side, side):
        return part
    canvas = np.empty((side, side, *pixels.shape[2:]), dtype=np.uint8)
    canvas[:] = background if pixels.ndim == 3 else background[0]
    canvas[pad_y : pad_y + part.shape[0], pad_x : pad_x + part.shape[1]] = part
    return canvas


def _offsets(length: int, side: int) -> tuple[int, int]:
    """Start of the centre cut, and of the centred paste."""
    return max(0, (length - side) // 2), max(0, (side - length) // 2)
