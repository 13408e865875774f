"""PNG files of sound pixels are read, whatever their metadata."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from plankton_features.errors import ImageFailure
from plankton_features.images import decode_image

GREY = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
BOMB = zlib.compress(bytes(3_000_000))


def encoded(**options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, "PNG", **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes, spoil: int = 0) -> bytes:
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data) ^ spoil))


def with_chunks(*chunks: bytes, behind: int = 33, data: bytes = b"") -> bytes:
    data = data or encoded()
    return data[:behind] + b"".join(chunks) + data[behind:]


METADATA = {
    "large compressed text": [chunk(b"zTXt", b"Comment\0\0" + BOMB)],
    "large text in UTF-8": [chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB)],
    "much text in all": [chunk(b"tEXt", b"C\0" + bytes([65]) * 1_000_000)] * 70,
    "large profile": [chunk(b"iCCP", b"profile\0\0" + BOMB)],
    "text of a wrong checksum": [chunk(b"tEXt", b"Comment\0x", spoil=1)],
    "time of a wrong checksum": [chunk(b"tIME", bytes(7), spoil=1)],
    "size that is cut": [chunk(b"pHYs", b"\0")],
    "gamma that is cut": [chunk(b"gAMA", b"\0")],
    "profile of a wrong checksum": [chunk(b"iCCP", b"p\0\0" + BOMB, spoil=1)],
    "wrong EXIF": [chunk(b"eXIf", b"MM\0*", spoil=1)],
    "animation that is cut": [chunk(b"acTL", b"\0")],
    "all at once": [chunk(b"zTXt", b"Comment\0\0" + BOMB), chunk(b"gAMA", b"", spoil=1)],
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_do_not_spoil_pixels(name: str) -> None:
    np.testing.assert_array_equal(decode_image(with_chunks(*METADATA[name])), GREY)


@pytest.mark.parametrize("told", ["exif", "xmp"])
def test_the_picture_is_still_turned(told: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    turning = (chunk(b"eXIf", exif.tobytes()[6:]) if told == "exif"
               else chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    pixels = decode_image(with_chunks(*METADATA["all at once"], turning))
    np.testing.assert_array_equal(pixels, np.rot90(GREY, -1))


def test_a_bomb_that_says_it_turns_the_picture() -> None:
    bomb = chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB)
    np.testing.assert_array_equal(decode_image(with_chunks(bomb)), GREY)


def test_transparency_is_kept() -> None:
    data = encoded(transparency=int(GREY[0, 0]))
    pixels = decode_image(with_chunks(*METADATA["all at once"], data=data))
    np.testing.assert_array_equal(pixels[..., 3], np.where(GREY[0, 0] == GREY, 0, 255))


@pytest.mark.parametrize("kind", [b"IHDR", b"tRNS"])
def test_what_decides_pixels_must_be_whole(kind: bytes) -> None:
    data = bytearray(with_chunks(*METADATA["gamma that is cut"],
                                 data=encoded(transparency=int(GREY[0, 0]))))
    at = data.index(kind)
    length = int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 + length] ^= 1
    with pytest.raises(ImageFailure):
        decode_image(bytes(data))
