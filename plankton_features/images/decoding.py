"""An encoded image to uint8 pixels, or a named failure."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from plankton_features.errors import ImageFailure, one_line
from plankton_features.images.deep import (
    check_high_bytes,
    colour_to_uint8,
    grey_to_uint8,
    halves_to_uint8,
    open_low_bytes,
    take_halves,
)
from plankton_features.images.unopened import open_tiff, refuse_jpeg, without_metadata

MAX_PIXELS = 64_000_000
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP")
_MAY_TURN = frozenset(("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"))
_ORIENTATION = 0x0112
_LARGE_PIXELS = 8_000_000
_ONE_LARGE = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """What an image file holds.

    Attributes
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
        Grey, RGB, or RGB with opacity.
    full_scale : float
        The sample value that became 255; 0 if samples have 8 bits and are taken as they are.
    several : bool
        Whether the file has several pages or frames, of which this is the first.
    """

    pixels: np.ndarray
    full_scale: float = 0.0
    several: bool = False

    @property
    def contrast(self) -> int:
        """Largest less least value of grey or colour, 0..255."""
        colour = self.pixels[..., :3] if self.pixels.ndim == 3 else self.pixels
        return int(colour.max()) - int(colour.min())


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS, depth: str = "auto") -> np.ndarray:
    """Decode an encoded image.

    Orientation (EXIF or XMP) is applied; metadata that cannot be read is passed over. Of several
    frames or pages the first is taken. Samples of 8 bits are taken as they are; those of more are
    scaled to 0..255. Of 16-bit CMYK and premultiplied RGBA the high byte is taken.

    Parameters
    ----------
    data : bytes
        JPEG, PNG, TIFF, BMP, GIF or WebP; what the file's name says does not matter.
    max_pixels : int, default=64_000_000
        Pillow's own limit, twice ``PIL.Image.MAX_IMAGE_PIXELS``, holds besides.
    depth : {"auto", "8", "10", "12", "14", "16", "float"}, default="auto"
        Bits that samples really have, whatever holds them: 12 makes 4095 white. ``float`` stands
        for 0..1. ``auto`` chooses for each picture: what the file declares (TIFF tag
        MaxSampleValue, or BitsPerSample of 9 to 15), otherwise 8, 12 or 16 bits, the fewest that
        at most one sample in 200 is above; of floating point 0..1, or 0..255 if more than one
        in 200 is above 1.5. What is above is white.

    Returns
    -------
    ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8

    Raises
    ------
    ImageFailure
        With stage ``decode``.
    """
    return decode_picture(data, max_pixels=max_pixels, depth=depth).pixels


def decode_picture(data: bytes, *, max_pixels: int = MAX_PIXELS, depth: str = "auto") -> Picture:
    """Decode an encoded image, and tell what was found on the way.

    Parameters
    ----------
    data, max_pixels, depth
        See `decode_image`.

    Returns
    -------
    Picture

    Raises
    ------
    ImageFailure
        With stage ``decode``.
    """
    try:
        return _decode(data, max_pixels, depth)
    except ImageFailure:
        raise
    except Image.DecompressionBombError as error:
        limit = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))
        raise ImageFailure("decode", f"too large: more than the limit of {limit} pixels") from error
    except UnidentifiedImageError as error:
        refuse_jpeg(data)
        raise ImageFailure("decode", "not an image of a known kind, or its header is damaged: "
                                     "save it again as 8 or 16 bit PNG or TIFF") from error
    except MemoryError as error:
        raise ImageFailure("decode", "not enough memory to decode it") from error
    # Decoders raise nearly anything on damaged input; every one of them means "not usable".
    except Exception as error:
        raise ImageFailure("decode", f"cannot be decoded: {one_line(error, 160)}") from error


def _decode(data: bytes, max_pixels: int, depth: str) -> Picture:
    try:
        return _decode_as_it_is(data, max_pixels, depth)
    except (ImageFailure, Image.DecompressionBombError, MemoryError):
        raise
    except Exception:
        for lean in without_metadata(data):
            with suppress(Exception):  # the first error tells more
                return _decode_as_it_is(lean, max_pixels, depth)
        raise


def _decode_as_it_is(data: bytes, max_pixels: int, depth: str) -> Picture:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        if (tiff := open_tiff(data)) is None:
            raise
        check_size(tiff.size, max_pixels)
        with _turn(tiff.size):
            return Picture(*tiff.to_uint8(depth))
    check_size(image.size, max_pixels)
    with _turn(image.size):
        pixels, full = _pixels(image, data, depth)
    return Picture(pixels, full, _has_several(image))


def _turn(size: tuple[int, int]) -> AbstractContextManager[object]:
    """Large pictures are decoded one after the other, so that threads need not more memory."""
    return _ONE_LARGE if size[0] * size[1] > _LARGE_PIXELS else nullcontext()


def _pixels(image: ImageFile.ImageFile, data: bytes, depth: str) -> tuple[np.ndarray, float]:
    """Pixels and full scale, 0 if the samples have 8 bits."""
    low, halves = open_low_bytes(image, data), take_halves(image)
    if low is None and not halves:
        check_high_bytes(image, depth)
    image.load()
    if halves:
        return halves_to_uint8(_upright(image), depth)
    if low is not None:
        low.load()
        return colour_to_uint8(_upright(image), _upright(low), depth)
    upright = _upright(image)
    return grey_to_uint8(upright, depth) if upright.mode[0] in "IF" else (_to_uint8(upright), 0.0)


def _has_several(image: ImageFile.ImageFile) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 (what follows the first page does not spoil it)
        return False


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse a picture by its width and height, before it takes memory.

    Raises
    ------
    ImageFailure
    """
    width, height = size
    if width * height > max_pixels:
        raise ImageFailure("decode", f"too large: {width} x {height} pixels, limit {max_pixels}")
    if width * height == 0:
        raise ImageFailure("decode", "no pixels")


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its metadata says; Pillow does so by itself for TIFF."""
    if _MAY_TURN.isdisjoint(image.info):
        return image
    try:
        turned = image.getexif().get(_ORIENTATION, 1) != 1
    except Exception:  # noqa: BLE001 (metadata that cannot be read does not spoil the pixels)
        return image
    return ImageOps.exif_transpose(image) if turned else image


def _to_uint8(image: Image.Image) -> np.ndarray:
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    if image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" or _has_grey_palette(image) else "RGB")
    return np.asarray(image)


def _has_grey_palette(image: Image.Image) -> bool:
    if image.mode != "P":
        return False
    colours = np.array(image.getpalette()).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())
