"""What a picture is read as: an encoded file, or pixels that need no decoding."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import ImageFailure
from plankton_features.images.decoding import MAX_PIXELS, Picture, check_size, decode_picture

#: The bytes of an image file, or pixels of shape (height, width[, 3 or 4]).
Content = bytes | NDArray[np.uint8]

_HEADERS = {
    1: "P5\n{width} {height}\n255\n",
    3: "P6\n{width} {height}\n255\n",
    4: "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
}


def content_digest(content: Content) -> bytes:
    """SHA-256 of a picture's content, by which it is known again.

    Parameters
    ----------
    content : bytes, or ndarray of shape (height, width[, 3 or 4]), uint8
        Of pixels it is the digest of the Netpbm file that holds them (binary PGM of grey, PPM of
        colour, PAM with opacity), so that the same values in another shape are another picture,
        and other programs can compute it.

    Returns
    -------
    bytes
        32 of them.

    Examples
    --------
    >>> pixels = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    >>> content_digest(pixels) == content_digest(b"P5\\n3 2\\n255\\n" + bytes([1, 2, 3, 4, 5, 6]))
    True
    """
    if isinstance(content, bytes):
        return hashlib.sha256(content).digest()
    height, width = content.shape[:2]
    header = _HEADERS[content.shape[2] if content.ndim == 3 else 1]
    digest = hashlib.sha256(header.format(width=width, height=height).encode("ascii"))
    digest.update(np.ascontiguousarray(content).data)
    return digest.digest()


def picture_of(content: Content, *, max_pixels: int = MAX_PIXELS, depth: str = "auto") -> Picture:
    """The picture that a content holds.

    Parameters
    ----------
    content : bytes, or ndarray of shape (height, width[, 3 or 4]), uint8
    max_pixels, depth
        See `decoding.decode_image`; pixels have their 8 bits already.

    Returns
    -------
    Picture

    Raises
    ------
    ImageFailure
        With stage ``decode``.
    """
    if isinstance(content, bytes):
        return decode_picture(content, max_pixels=max_pixels, depth=depth)
    check_pixels(content)
    check_size((content.shape[1], content.shape[0]), max_pixels)
    return Picture(content)


def check_pixels(pixels: NDArray[np.uint8]) -> None:
    """Refuse an array that holds no picture.

    Raises
    ------
    ImageFailure
    """
    flat = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not flat or not pixels.size:
        raise ImageFailure("decode", "expected uint8 of shape (height, width) or (height, width, "
                                     f"3 or 4), got {pixels.dtype} of shape {pixels.shape}")
