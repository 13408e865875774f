"""One image file to uint8 pixels, or a named failure."""

from __future__ import annotations

import io
import os
import stat

import numpy as np
from PIL import Image, ImageOps

from plankton_features.errors import ImageFailure, one_line
from plankton_features.images.depth import (
    colour_to_uint8,
    grey_to_uint8,
    open_low_bytes,
    scale_to_uint8,
)
from plankton_features.images.spelling import as_on_disk, look_at

__all__ = ["MAX_BYTES", "MAX_PIXELS", "decode_image", "read_bytes", "read_image", "scale_to_uint8"]

MAX_PIXELS = 64_000_000
MAX_BYTES = 512 * 2**20
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP")
_MAY_TURN = frozenset(("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"))
_ORIENTATION = 0x0112


def read_image(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read one image file.

    Parameters
    ----------
    path : path-like
    max_pixels : int, default=64_000_000
        Width times height above which an image is refused before it is decoded.

    Returns
    -------
    ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
        Grey, RGB, or RGB with opacity.

    Raises
    ------
    ImageFailure
        If the file cannot be used; it names the stage and the reason.
    """
    return decode_image(read_bytes(os.fspath(path)), max_pixels=max_pixels)


def read_bytes(path: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a regular file whole.

    Parameters
    ----------
    path : str
        Also found if the disk has the name in another normal form of Unicode.
    max_bytes : int, default=536_870_912
        Larger files are refused.

    Returns
    -------
    bytes
        At least one.

    Raises
    ------
    ImageFailure
        With stage ``list`` (the name is not text, or it is a folder that could not be searched)
        or ``read``.
    """
    _check_name(path)
    try:
        _check_regular(path, look_at(path))  # opening a device may already act
        with open(as_on_disk(path), "rb", buffering=0, opener=_open_now) as file:
            info = os.fstat(file.fileno())  # of what was opened, whatever the name means by now
            _check_regular(path, info)
            if info.st_size > max_bytes:
                raise ImageFailure("read", f"too large: {info.st_size} bytes, limit {max_bytes}")
            data = file.readall()
    except (OSError, ValueError) as error:
        raise ImageFailure("read", _os_reason(path, error)) from error
    if not data:
        raise ImageFailure("read", "empty file")
    return data


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an encoded image.

    Orientation (EXIF or XMP) is applied; metadata that cannot be read is passed over. Of several
    frames or pages the first is taken. Samples of more than 8 bits are scaled to 0..255 by their
    real range: the largest value that the file declares (TIFF tag MaxSampleValue, or
    BitsPerSample of 9 to 15), otherwise 8, 12 or 16 bits, the fewest that hold the image's
    largest value; floating point images must lie in 0..1 or in 0..255. Of 16-bit CMYK,
    premultiplied RGBA and grey with opacity the high byte is taken.

    Parameters
    ----------
    data : bytes
        JPEG, PNG, TIFF, BMP, GIF or WebP; what the file's name says does not matter.
    max_pixels : int, default=64_000_000
        Pillow's own limit, twice ``PIL.Image.MAX_IMAGE_PIXELS``, holds besides.

    Returns
    -------
    ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8

    Raises
    ------
    ImageFailure
        With stage ``decode``.
    """
    try:
        return _decode(data, max_pixels)
    except ImageFailure:
        raise
    except Image.DecompressionBombError as error:
        limit = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))
        raise ImageFailure("decode", f"too large: more than the limit of {limit} pixels") from error
    except Image.UnidentifiedImageError as error:
        raise ImageFailure("decode", "not an image of a known kind, or its header is damaged: "
                                     "save it again as 8 or 16 bit PNG or TIFF") from error
    except MemoryError as error:
        raise ImageFailure("decode", "not enough memory to decode it") from error
    # Decoders raise nearly anything on damaged input; every one of them means "not usable".
    except Exception as error:
        raise ImageFailure("decode", f"cannot be decoded: {one_line(error, 160)}") from error


def _decode(data: bytes, max_pixels: int) -> np.ndarray:
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    _check_size(image.size, max_pixels)
    low = open_low_bytes(image, data)
    image.load()
    if low is None:
        return _to_uint8(_upright(image))
    low.load()
    return colour_to_uint8(_upright(image), _upright(low))


def _check_name(path: str) -> None:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ImageFailure("list", "name is not valid UTF-8: rename the file or its folder"
                           ) from error


def _open_now(path: str, flags: int) -> int:
    """Open without waiting for one who writes into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_regular(path: str, info: os.stat_result) -> None:
    if stat.S_ISREG(info.st_mode):
        return
    if not stat.S_ISDIR(info.st_mode):
        raise ImageFailure("read", "not a regular file")
    try:
        os.scandir(path).close()
    except OSError as error:
        raise ImageFailure("list", f"folder cannot be opened: {_os_reason(path, error)}") from error
    if os.path.islink(path):  # noqa: PTH114
        raise ImageFailure("list", "link to a folder: leads back to one above it, or is named "
                                   "like an image")
    raise ImageFailure("read", "a folder named like an image")


def _os_reason(path: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "broken link" if os.path.islink(path) else "no such file"  # noqa: PTH114
    if isinstance(error, PermissionError):
        return "permission denied"
    return getattr(error, "strerror", None) or one_line(error, 160)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
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
    if image.mode[0] in "IF":
        return grey_to_uint8(image)
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
