"""PNG files whose metadata keep Pillow from the pixels."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRANSPARENCY = b"tRNS"
_TURNING = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_TURNING_BYTES = 2**16


def without_metadata(data: bytes) -> Iterator[bytes]:
    """Yield a PNG file without what is not needed for its pixels; nothing for other files.

    Pillow refuses a file for texts and colour profiles that are large, and for wrong checksums
    and lengths of any of its chunks.

    Parameters
    ----------
    data : bytes

    Yields
    ------
    bytes
        First with what may say how the picture is turned, then without.
    """
    length = len(data)
    if not data.startswith(_SIGNATURE):
        return
    for turning in (True, False):
        kept = [chunk for chunk in _chunks(data) if _is_kept(chunk, turning)]
        lean = b"".join([_SIGNATURE, *kept])
        if len(lean) < length:  # with nothing left out it would fail again
            yield lean
            length = len(lean)


def _is_kept(chunk: memoryview, turning: bool) -> bool:
    """Critical chunks are kept as they are, and so is transparency; Pillow checks them."""
    kind = bytes(chunk[4:8])
    if len(chunk) < 12 or not kind[0] & 32 or kind == _TRANSPARENCY:
        return True
    if not turning or zlib.crc32(chunk[4:-4]).to_bytes(4, "big") != chunk[-4:]:
        return False
    told = kind in (b"tEXt", b"zTXt", b"iTXt") and bytes(chunk[8:40]).startswith(_TURNING)
    return kind == b"eXIf" or (told and len(chunk) <= _TURNING_BYTES)


def _chunks(data: bytes) -> Iterator[memoryview]:
    """Chunks with their length and checksum; the last may be cut short."""
    view, start = memoryview(data), len(_SIGNATURE)
    while start < len(data):
        stop = start + 12 + int.from_bytes(view[start : start + 4], "big")
        yield view[start:stop]
        start = stop
