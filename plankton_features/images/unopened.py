"""Files that Pillow does not open: PNG and TIFF kinds that are read all the same, or the words."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import COMPRESSION_INFO, ImageFileDirectory_v2

from plankton_features.errors import ImageFailure
from plankton_features.images.depth import Samples, scaled

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _ORIENTATION = (
    256, 257, 258, 259, 262, 273, 274)
_CHANNELS, _ROWS_IN_STRIP, _STRIP_BYTES, _PLANES, _PREDICTOR, _KIND = 277, 278, 279, 284, 317, 339
_KINDS = {1: ("u", "whole numbers"), 2: ("i", "whole numbers with sign"),
          3: ("f", "floating point numbers"), 5: ("", "complex whole numbers"),
          6: ("", "complex numbers")}
_UNCOMPRESSED, _DEFLATED = 1, (8, 32946)
_MOST_BYTES = 512 * 2**20
_AGAIN = "save it again as 8 or 16 bit PNG or TIFF"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRANSPARENCY = b"tRNS"
_TURNING = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_TURNING_BYTES = 2**16
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def jpeg_bits(data: bytes) -> int | None:
    """Bits of each sample of a JPEG, None if it does not say."""
    at = 2
    while data[:2] == b"\xff\xd8" and data[at : at + 1] == b"\xff" and at + 4 < len(data):
        if data[at + 1] in _FRAME_MARKERS:
            return data[at + 4]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def refuse_jpeg(data: bytes) -> None:
    """Refuse a JPEG of other than 8 bits in words of its own.

    Raises
    ------
    ImageFailure
    """
    if (bits := jpeg_bits(data)) not in (None, 8):
        raise ImageFailure("decode", f"JPEG of {bits} bits a sample, expected 8: save it again as "
                                     "16 bit PNG or TIFF")


class UnopenedTiff:
    """The first page of a TIFF of a kind that Pillow does not know.

    Parameters
    ----------
    data : bytes

    Attributes
    ----------
    size : (int, int)
        Width and height in pixels.

    Raises
    ------
    ValueError, OSError, LookupError, SyntaxError, struct.error
        If it is not a TIFF, or its directory is damaged.
    """

    def __init__(self, data: bytes):
        self.data = data
        self.tags = tags = ImageFileDirectory_v2(data[: 16 if data[2:3] == b"\x2b" else 8])
        file = io.BytesIO(data)
        file.seek(tags.next)
        tags.load(file)
        self.size = width, height = self._whole(_WIDTH), self._whole(_HEIGHT)
        self._channels = self._whole(_CHANNELS, 1)
        bits = tags.get(_BITS, (1,))
        self._bits = int(bits[0]) if len(set(bits)) == 1 else 0
        self._kind = int(tags.get(_KIND, (1,))[0])
        self._compression = self._whole(_COMPRESSION, _UNCOMPRESSED)
        self._photometric = self._whole(_PHOTOMETRIC, -1)
        self._apart = self._whole(_PLANES, 1) == 2
        self._shape = ((self._channels, height, width) if self._apart
                       else (height, width, self._channels))

    def to_uint8(self, depth: str = "auto") -> tuple[np.ndarray, float]:
        """Pixels, upright, and full scale.

        Parameters
        ----------
        depth : str
            See `depth.full_scale`.

        Returns
        -------
        pixels : ndarray of shape (height, width) or (height, width, 3), uint8
        full : float

        Raises
        ------
        ImageFailure
            If it is of a kind that is not read here either; the reason says which.
        """
        self._check_kind()
        values = np.frombuffer(self._bytes(), self._dtype()).reshape(self._shape)
        values = np.moveaxis(values, 0, 2) if self._apart else values
        values = values[..., 0] if self._channels == 1 else values
        pixels, full = scaled(Samples(self.size[1], lambda a, b: values[a:b]), depth)
        if self._photometric == 0:
            pixels = 255 - pixels
        return self._upright(pixels), full

    def _whole(self, tag: int, default: int | None = None) -> int:
        """A tag's number; texts are no numbers, and are never shown."""
        value = self.tags[tag] if default is None else self.tags.get(tag, default)
        if not isinstance(value, int):
            raise ValueError(f"TIFF: expected a whole number in tag {tag}")
        return value

    def _check_kind(self) -> None:
        if self._channels not in (1, 3, 4):
            raise ImageFailure("decode", f"TIFF of {self._channels} channels, expected 1 (grey), 3 "
                                         "(RGB) or 4 (RGB and opacity): save the channels that "
                                         "count as 8 or 16 bit grey or RGB")
        if self._bits % 8:
            raise ImageFailure("decode", f"TIFF of {self._bits} bits a sample, packed; expected 8 "
                                         "or 16: save it again as 16 bit PNG or TIFF")
        expected = {1: (0, 1), 3: (2,)}.get(self._channels, ())
        plain = (self._compression in (_UNCOMPRESSED, *_DEFLATED)
                 and self.tags.get(_PREDICTOR, 1) == 1 and _STRIPS in self.tags)
        if self._photometric not in expected or not plain or not self._dtype():
            raise ImageFailure("decode", f"{self._described()}: cannot be read: {_AGAIN}")

    def _dtype(self) -> str:
        """NumPy's name of the samples' type; empty if it has none."""
        letter = _KINDS.get(self._kind, ("", ""))[0]
        sizes = (16, 32, 64) if letter == "f" else (8, 16, 32, 64)
        order = "<" if self.tags.prefix == b"II" else ">"
        return f"{order}{letter}{self._bits // 8}" if letter and self._bits in sizes else ""

    def _described(self) -> str:
        words = _KINDS.get(self._kind, ("", "samples of an unknown type"))[1]
        name = COMPRESSION_INFO.get(self._compression, str(self._compression))
        return (f"TIFF of {self._bits or 'unequal'} bit {words} (channels {self._channels}, "
                f"photometric {self._photometric}, compression {name})")

    def _bytes(self) -> bytearray:
        """All samples, at most `_MOST_BYTES`, whatever the compressed ones claim to hold."""
        wanted = math.prod(self._shape) * self._bits // 8
        if wanted > _MOST_BYTES:
            raise ImageFailure("decode", f"too large: {wanted} bytes of samples, limit "
                                         f"{_MOST_BYTES}")
        samples, done = bytearray(wanted), 0
        lengths = self.tags.get(_STRIP_BYTES, ())
        for start, length in zip(self.tags[_STRIPS], lengths, strict=False):
            strip = memoryview(self.data)[start : start + length]
            most = min(wanted - done, self._strip_bytes())
            if self._compression in _DEFLATED and most:
                strip = memoryview(zlib.decompressobj().decompress(strip, most))
            samples[done : done + min(most, len(strip))] = strip[:most]
            done += min(most, len(strip))
        if done < wanted:
            raise ImageFailure("decode", f"truncated: {wanted - done} of {wanted} bytes of samples "
                                         "are missing")
        return samples

    def _strip_bytes(self) -> int:
        rows = min(self._whole(_ROWS_IN_STRIP, self.size[1]), self.size[1])
        return rows * self.size[0] * (1 if self._apart else self._channels) * self._bits // 8

    def _upright(self, pixels: np.ndarray) -> np.ndarray:
        if (turned := self._whole(_ORIENTATION, 1)) == 1:
            return pixels
        image = Image.fromarray(pixels)
        image.getexif()[_ORIENTATION] = turned
        return np.asarray(ImageOps.exif_transpose(image))


def open_tiff(data: bytes) -> UnopenedTiff | None:
    """The TIFF's first page, None if it is none, or its directory is damaged."""
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0"):
        return None
    try:
        return UnopenedTiff(data)
    except Exception:  # noqa: BLE001 (Pillow raises nearly anything on damage; it has no words)
        return None


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
    if not data.startswith(_PNG_SIGNATURE):
        return
    for turning in (True, False):
        kept = [chunk for chunk in _png_chunks(data) if _is_png_chunk_kept(chunk, turning)]
        lean = b"".join([_PNG_SIGNATURE, *kept])
        if len(lean) < length:  # with nothing left out it would fail again
            yield lean
            length = len(lean)


def _is_png_chunk_kept(chunk: memoryview, turning: bool) -> bool:
    """Critical chunks are kept as they are, and so is transparency; Pillow checks them."""
    kind = bytes(chunk[4:8])
    if len(chunk) < 12 or not kind[0] & 32 or kind == _TRANSPARENCY:
        return True
    if not turning or zlib.crc32(chunk[4:-4]).to_bytes(4, "big") != chunk[-4:]:
        return False
    told = kind in (b"tEXt", b"zTXt", b"iTXt") and bytes(chunk[8:40]).startswith(_TURNING)
    return kind == b"eXIf" or (told and len(chunk) <= _TURNING_BYTES)


def _png_chunks(data: bytes) -> Iterator[memoryview]:
    """Chunks with their length and checksum; the last may be cut short."""
    view, start = memoryview(data), len(_PNG_SIGNATURE)
    while start < len(data):
        stop = start + 12 + int.from_bytes(view[start : start + 4], "big")
        yield view[start:stop]
        start = stop
