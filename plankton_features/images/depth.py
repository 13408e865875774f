"""Samples of more than 8 bits."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from plankton_features.errors import ImageFailure

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281
_OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}


def scale_to_uint8(values: np.ndarray, maximum: int | None = None) -> np.ndarray:
    """Scale samples of more than 8 bits to uint8 by their real range.

    Parameters
    ----------
    values : ndarray of any shape, integer or floating point
    maximum : int, optional
        The largest value that the file says its samples can have. Without it, or if a sample is
        larger: 255, 4095 or 65535, the least that holds all samples. Floating point samples
        must lie in 0..1 or in 0..255.

    Returns
    -------
    ndarray of the same shape, uint8

    Raises
    ------
    ImageFailure
        If values are negative, not finite, or over 16 bits.

    Examples
    --------
    >>> scale_to_uint8(np.array([0, 4095], dtype=np.uint16))
    array([  0, 255], dtype=uint8)
    """
    if not np.isfinite(values).all() or values.min() < 0:
        raise ImageFailure("decode", "samples are negative or not finite: export as 8 or 16 bit")
    largest = values.max()
    if values.dtype.kind == "f":
        limits = [1.0, 255.0]
    else:
        limits = [maximum] if maximum and maximum >= largest else [255, 4095, 65535]
    full_scale = next((limit for limit in limits if largest <= limit), None)
    if full_scale is None:
        raise ImageFailure("decode", f"sample value {largest} is out of range: expected 0..1 or "
                                     "0..255 (floating point) or up to 16 bits (integer)")
    return np.rint(values * (255.0 / full_scale)).astype(np.uint8)


def grey_to_uint8(image: Image.Image) -> np.ndarray:
    """Pixels of a loaded grey image of mode I or F, with opacity if one value is transparent.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, 4), uint8

    Raises
    ------
    ImageFailure
        See `scale_to_uint8`.
    """
    values = np.asarray(image)
    grey = scale_to_uint8(values, _declared_maximum(image))
    if _tags(image).get(_PHOTOMETRIC) == 0:  # white is zero; Pillow minds it up to 8 bits only
        grey = 255 - grey
    if (clear := image.info.get("transparency")) is None:
        return grey
    return np.dstack([grey, grey, grey, np.where(values == clear, 0, 255).astype(np.uint8)])


def open_low_bytes(image: ImageFile.ImageFile, data: bytes) -> ImageFile.ImageFile | None:
    """A second image of `data` that decodes to the low bytes, if `image` is 16-bit colour.

    Of such samples Pillow keeps the high byte only. Told that the bytes lie the other way round,
    it keeps the low one.

    Parameters
    ----------
    image : ImageFile
        Not loaded yet. Its tiles are corrected where Pillow takes 16-bit planes for 8-bit ones.
    data : bytes
        The file that it was opened from.

    Returns
    -------
    ImageFile or None
    """
    modes = [mode for tile in image.tile if (mode := _rawmode(image, tile))]
    if not modes or len(modes) < len(image.tile):
        return None
    low = Image.open(io.BytesIO(data), formats=[image.format])  # type: ignore[list-item]
    pairs = list(zip(image.tile, modes, strict=True))
    image.tile = [_with_rawmode(tile, mode) for tile, mode in pairs]
    low.tile = [_with_rawmode(tile, mode[:-1] + _OTHER_ORDER[mode[-1]]) for tile, mode in pairs]
    return low


def colour_to_uint8(high: Image.Image, low: Image.Image) -> np.ndarray:
    """Pixels of 16-bit colour from its high and low bytes.

    Returns
    -------
    ndarray of shape (height, width, 3 or 4), uint8
        Colour scaled by its real range, opacity always by 65535.
    """
    values = np.asarray(high).astype(np.uint16) << 8 | np.asarray(low)
    pixels = scale_to_uint8(values[..., :3], _declared_maximum(high))
    if values.shape[2] == 4:
        return np.dstack([pixels, scale_to_uint8(values[..., 3], 65535)])
    if (clear := high.info.get("transparency")) is None:
        return pixels
    opaque = (values != np.array(clear)).any(axis=2)
    return np.dstack([pixels, np.where(opaque, 255, 0).astype(np.uint8)])


def _rawmode(image: Image.Image, tile: ImageFile._Tile) -> str | None:
    """How 16-bit colour samples lie in a tile, such as ``RGB;16L``; None for others."""
    if image.mode not in ("RGB", "RGBA") or image.format not in ("PNG", "TIFF"):
        return None
    mode = tile.args if isinstance(tile.args, str) else (tile.args or ("",))[0]
    if mode[:-1] in ("RGB;16", "RGBA;16", "RGBX;16"):
        return mode
    tags = _tags(image)
    if mode in ("R", "G", "B", "A") and max(tags.get(_BITS_PER_SAMPLE, (8,))) == 16:
        return mode + (";16L" if tags.prefix == b"II" else ";16B")
    return None


def _with_rawmode(tile: ImageFile._Tile, mode: str) -> ImageFile._Tile:
    if isinstance(tile.args, tuple):
        return tile._replace(args=(mode, *tile.args[1:]))
    return tile._replace(args=mode)


def _declared_maximum(image: Image.Image) -> int | None:
    """Largest value that a TIFF says its samples have, by its own tag or by 9 to 15 bits."""
    tags = _tags(image)
    if (value := tags.get(_MAX_SAMPLE_VALUE)) is not None:
        return int(np.max(value))
    bits = max(tags.get(_BITS_PER_SAMPLE, (8,)))
    return 2**bits - 1 if 8 < bits < 16 else None


def _tags(image: Image.Image) -> Any:
    return getattr(image, "tag_v2", {})
