"""One image file to uint8 pixels, or a named failure."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from plankton_features.errors import ImageFailure

MAX_PIXELS = 64_000_000
MAX_BYTES = 512 * 2**20
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP", "MPO")
_ORIENTATION = 0x0112
_ALPHA_MODES = frozenset(("RGBA", "LA", "PA", "La", "RGBa"))
_MAX_SAMPLE_VALUE = 281


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

    Raises
    ------
    ImageFailure
        With stage ``list`` (the name is not text) or ``read``.
    """
    _check_name(path)
    try:
        info = os.stat(path)  # noqa: PTH116
        _check_regular(path, info)
        if info.st_size > max_bytes:
            raise ImageFailure("read", f"too large: {info.st_size} bytes, limit {max_bytes}")
        if info.st_size == 0:
            raise ImageFailure("read", "empty file")
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except (OSError, ValueError) as error:
        raise ImageFailure("read", _os_reason(path, error)) from error


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an encoded image.

    EXIF orientation is applied; of several frames or pages the first is taken. Images of more
    than 8 bits per sample are scaled to 0..255 by their real range: the largest sample value
    that the file declares (TIFF tag MaxSampleValue), otherwise 8, 12 or 16 bits, the fewest that
    hold the image's largest value; floating point images must lie in 0..1 or in 0..255.

    Parameters
    ----------
    data : bytes
    max_pixels : int, default=64_000_000

    Returns
    -------
    ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8

    Raises
    ------
    ImageFailure
        With stage ``decode``.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.size, max_pixels)
            image.load()
            return _to_uint8(_upright(image))
    except ImageFailure:
        raise
    except Image.DecompressionBombError as error:
        raise ImageFailure("decode", f"too large: limit {max_pixels} pixels") from error
    except Image.UnidentifiedImageError as error:
        return _decode_scientific_tiff(data, max_pixels, error)
    except MemoryError as error:
        raise ImageFailure("decode", "not enough memory to decode it") from error
    # Decoders raise nearly anything on damaged input; every one of them means "not usable".
    except Exception as error:
        raise ImageFailure("decode", f"damaged or truncated: {_one_line(error)}") from error


def _check_name(path: str) -> None:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ImageFailure("list", "file name is not valid UTF-8: rename the file") from error


def _check_regular(path: str, info: os.stat_result) -> None:
    if stat.S_ISREG(info.st_mode):
        return
    if not stat.S_ISDIR(info.st_mode):
        raise ImageFailure("read", "not a regular file")
    if not os.access(path, os.R_OK | os.X_OK):
        raise ImageFailure("list", "folder cannot be opened: permission denied")
    if Path(path).is_symlink():
        raise ImageFailure("list", "link loop: leads back to a folder above it")
    raise ImageFailure("read", "a folder named like an image")


def _os_reason(path: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "broken link" if Path(path).is_symlink() else "no such file"
    if isinstance(error, PermissionError):
        return "permission denied"
    return getattr(error, "strerror", None) or _one_line(error)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageFailure("decode", f"too large: {width} x {height} pixels, limit {max_pixels}")
    if width * height == 0:
        raise ImageFailure("decode", "no pixels")


def _upright(image: Image.Image) -> Image.Image:
    if image.getexif().get(_ORIENTATION, 1) == 1:
        return image
    return ImageOps.exif_transpose(image)


def _to_uint8(image: Image.Image) -> np.ndarray:
    mode = image.mode
    if mode in ("L", "1") and "transparency" not in image.info:
        return np.asarray(image.convert("L"))
    if mode in _ALPHA_MODES or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    if mode.startswith("I") or mode == "F":
        return scale_to_uint8(np.asarray(image), _declared_maximum(image))
    return np.asarray(image.convert("RGB"))


def _declared_maximum(image: Image.Image) -> int | None:
    value = getattr(image, "tag_v2", {}).get(_MAX_SAMPLE_VALUE)
    return int(np.max(value)) if value is not None else None


def scale_to_uint8(values: np.ndarray, maximum: int | None = None) -> np.ndarray:
    """Scale samples of more than 8 bits to uint8 by their real range.

    Parameters
    ----------
    values : ndarray of any shape, integer or floating point
    maximum : int, optional
        The largest value that the file says its samples can have.

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


def _decode_scientific_tiff(data: bytes, max_pixels: int, cause: Exception) -> np.ndarray:
    """Read what Pillow does not know: TIFF with several 16-bit or floating point samples."""
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise ImageFailure("decode", "not an image of a known format") from cause
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            _check_size((page.imagewidth, page.imagelength), max_pixels)
            values = np.squeeze(page.asarray())
            maximum = page.tags.valueof(_MAX_SAMPLE_VALUE)
    except ImageFailure:
        raise
    except Exception as error:
        raise ImageFailure("decode", f"unreadable TIFF: {_one_line(error)}") from error
    if values.ndim == 3 and values.shape[0] in (3, 4) < values.shape[2:]:
        values = np.moveaxis(values, 0, -1)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageFailure("decode", f"unexpected TIFF shape {values.shape}")
    declared = None if maximum is None else int(np.max(maximum))
    return values if values.dtype == np.uint8 else scale_to_uint8(values, declared)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
