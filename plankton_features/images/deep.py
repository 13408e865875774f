"""Samples of more than 8 bits, out of Pillow's images."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from plankton_features.errors import ImageFailure
from plankton_features.images.depth import Samples, scaled

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281
_OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
_HALVES = "LA;16B"


def grey_to_uint8(image: Image.Image, depth: str = "auto") -> tuple[np.ndarray, float]:
    """Pixels of a loaded grey image of mode I or F, with opacity if one value is transparent.

    Returns
    -------
    pixels : ndarray of shape (height, width) or (height, width, 4), uint8
    full : float
        Full scale, see `depth.full_scale`.

    Raises
    ------
    ImageFailure
        See `depth.scale_to_uint8`.
    """
    samples = Samples(image.height, lambda *rows: _rows(image, *rows), _declared_maximum(image))
    grey, full = scaled(samples, depth)
    if _tags(image).get(_PHOTOMETRIC) == 0:  # white is zero; Pillow minds it up to 8 bits only
        np.subtract(255, grey, out=grey)
    if (clear := image.info.get("transparency")) is None:
        return grey, full
    opacity = np.where(np.asarray(image) == clear, 0, 255).astype(np.uint8)
    return np.dstack([grey, grey, grey, opacity]), full


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


def colour_to_uint8(high: Image.Image, low: Image.Image,
                    depth: str = "auto") -> tuple[np.ndarray, float]:
    """Pixels of 16-bit colour from its high and low bytes.

    Returns
    -------
    pixels : ndarray of shape (height, width, 3 or 4), uint8
        Colour scaled by its real range, opacity always by 65535.
    full : float
        Full scale, see `depth.full_scale`.
    """
    def rows(*span: int) -> np.ndarray:
        values: np.ndarray = _rows(high, *span).astype(np.uint16) << 8 | _rows(low, *span)
        return values

    samples = Samples(high.height, rows, _declared_maximum(high))
    pixels, full = scaled(samples, depth)
    if pixels.shape[2] == 4 or (clear := high.info.get("transparency")) is None:
        return pixels, full
    keyed = np.empty((*pixels.shape[:2], 4), np.uint8)
    keyed[..., :3] = pixels
    for span, values in samples.bands():
        keyed[span, :, 3] = np.where((values != np.array(clear)).any(axis=2), 255, 0)
    return keyed, full


def take_halves(image: ImageFile.ImageFile) -> bool:
    """Have a PNG of 16-bit grey with opacity read as its four bytes a pixel; False if it is none.

    Of such samples, too, Pillow keeps the high byte only; as a picture of four channels of 8 bits
    it keeps both.
    """
    if image.format != "PNG" or [tile.args for tile in image.tile] != [_HALVES]:
        return False
    image._mode = "RGBA"
    image.tile = [tile._replace(args="RGBA") for tile in image.tile]
    return True


def halves_to_uint8(image: Image.Image, depth: str = "auto") -> tuple[np.ndarray, float]:
    """Pixels of what `take_halves` had read, (height, width, 4) uint8, and full scale."""
    def rows(*span: int) -> np.ndarray:
        values = _rows(image, *span).astype(np.uint16)
        grey, opacity = (values[..., i] << 8 | values[..., i + 1] for i in (0, 2))
        return np.stack([grey, grey, grey, opacity], axis=2)

    return scaled(Samples(image.height, rows), depth)


def check_high_bytes(image: ImageFile.ImageFile, depth: str) -> None:
    """Refuse to read the high bytes alone where another depth than 16 is asked for.

    Raises
    ------
    ImageFailure
        If an image that is not loaded yet has 16 bits of which Pillow keeps 8, and `depth` is
        neither ``auto`` nor ``16``.
    """
    if depth in ("auto", "16") or image.mode[0] in "IF":
        return
    if any(";16" in mode for tile in image.tile if (mode := _rawmode_of(tile))):
        raise ImageFailure("decode", f"{image.mode} of 16 bits can be read at depth 16 only, asked "
                                     f"for {depth}: save it again as grey or RGB")


def _rows(image: Image.Image, start: int, stop: int) -> np.ndarray:
    if (start, stop) == (0, image.height):
        return np.asarray(image)
    return np.asarray(image.crop((0, start, image.width, stop)))


def _rawmode(image: Image.Image, tile: ImageFile._Tile) -> str | None:
    """How 16-bit colour samples lie in a tile, such as ``RGB;16L``; None for others."""
    if image.mode not in ("RGB", "RGBA") or image.format not in ("PNG", "TIFF"):
        return None
    mode = _rawmode_of(tile)
    if mode[:-1] in ("RGB;16", "RGBA;16", "RGBX;16"):
        return mode
    tags = _tags(image)
    if mode in ("R", "G", "B", "A") and max(tags.get(_BITS_PER_SAMPLE, (8,))) == 16:
        return mode + (";16L" if tags.prefix == b"II" else ";16B")
    return None


def _rawmode_of(tile: ImageFile._Tile) -> str:
    return tile.args if isinstance(tile.args, str) else str((tile.args or ("",))[0])


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
    return int(2**bits - 1) if 8 < bits < 16 else None


def _tags(image: Image.Image) -> Any:
    return getattr(image, "tag_v2", {})
