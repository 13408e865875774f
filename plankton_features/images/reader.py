"""Image files: bytes, or a named failure."""

from __future__ import annotations

import os
import stat

import numpy as np

from plankton_features.errors import ImageFailure, one_line
from plankton_features.images.decoding import MAX_PIXELS, decode_image
from plankton_features.images.spelling import as_on_disk, look_at

MAX_BYTES = 512 * 2**20


def read_image(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS,
               depth: str = "auto") -> np.ndarray:
    """Read one image file.

    Parameters
    ----------
    path : path-like
    max_pixels : int, default=64_000_000
        Width times height above which an image is refused before it is decoded.
    depth : {"auto", "8", "10", "12", "14", "16", "float"}, default="auto"
        Scale of samples of more than 8 bits, see `decode_image`.

    Returns
    -------
    ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
        Grey, RGB, or RGB with opacity.

    Raises
    ------
    ImageFailure
        If the file cannot be used; it names the stage and the reason.
    """
    return decode_image(read_bytes(os.fspath(path)), max_pixels=max_pixels, depth=depth)


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
