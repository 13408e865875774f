"""Kinds of TIFF and JPEG that Pillow does not open."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from forging.images import damage
from PIL import Image

from plankton_features.errors import ImageFailure
from plankton_features.images import decode_image

GREY = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
GREY[0, :2] = 0, 255
RGB = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def packed(values: np.ndarray, bits: int) -> bytes:
    """A TIFF of samples without room between them."""
    ones = values[..., None].astype(np.uint32) >> np.arange(bits)[::-1] & 1
    strip = np.packbits(ones.reshape(len(values), -1).astype(np.uint8), axis=1).tobytes()
    tags = {256: values.shape[1], 257: values.shape[0], 258: bits, 259: 1, 262: 1, 273: 8, 277: 1,
            278: values.shape[0], 279: len(strip)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return (b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + struct.pack("<H", len(tags))
            + entries + bytes(4))


@pytest.mark.parametrize("kind", ["<f2", "<f8", ">f2", ">f8"])
@pytest.mark.parametrize("options", [
    {}, {"rowsperstrip": 3}, {"compression": "zlib"}, {"compression": "zlib", "rowsperstrip": 7},
    {"bigtiff": True},
], ids=str)
def test_floating_point_of_16_and_64_bits(kind: str, options: dict[str, object]) -> None:
    if kind[0] == ">" and options.get("bigtiff"):
        pytest.skip("Pillow's directory is little-endian there")
    pixels = decode_image(tiff((GREY / 255).astype(kind), byteorder=kind[0], **options))
    np.testing.assert_array_equal(pixels, GREY)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i2", "u4", "i4", "u8"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colour(kind: str, planes: str) -> None:
    values = (RGB / 255).astype(kind) if kind[0] == "f" else RGB.astype(kind) * 100
    expected = RGB if kind[0] == "f" else np.rint(RGB * 100.0 * 255 / 65535)
    given = np.moveaxis(values, 2, 0) if planes == "separate" else values
    pixels = decode_image(tiff(given, photometric="rgb", planarconfig=planes))
    np.testing.assert_array_equal(pixels, expected)


def test_white_may_be_zero() -> None:
    pixels = decode_image(tiff((GREY / 255).astype("f8"), photometric="miniswhite"))
    np.testing.assert_array_equal(pixels, 255 - GREY)


def test_it_is_turned() -> None:
    data = tiff((GREY / 255).astype("f8"), extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(decode_image(data), np.rot90(GREY, -1))


def jpeg_of_12_bits() -> bytes:
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, "JPEG")
    data = bytearray(file.getvalue())
    data[data.index(b"\xff\xc0") + 4] = 12
    return bytes(data)


TOLD = {
    "packed 10": (packed(GREY, 10), "^TIFF of 10 bits a sample, packed; expected 8 or 16"),
    "packed 14": (packed(GREY, 14), "^TIFF of 14 bits a sample, packed"),
    "5 channels": (tiff(np.dstack([GREY] * 5), photometric="minisblack", planarconfig="contig"),
                   r"^TIFF of 5 channels, expected 1 \(grey\), 3 \(RGB\) or 4"),
    "5 planes": (tiff(np.stack([GREY] * 5), photometric="minisblack", planarconfig="separate"),
                 "^TIFF of 5 channels"),
    "complex": (tiff(GREY.astype(np.complex64)), "^TIFF of 64 bit complex numbers"),
    "float RGBA": (tiff(np.dstack([RGB, GREY]).astype("f4"), photometric="rgb",
                        extrasamples=["unassalpha"]), "^TIFF of 32 bit floating point numbers"),
    "tiled": (tiff((GREY / 255).astype("f8"), tile=(16, 16)), "^TIFF of 64 bit floating point"),
    "12 bit JPEG": (jpeg_of_12_bits(), "^JPEG of 12 bits a sample, expected 8: save it again as"),
}


@pytest.mark.parametrize("name", TOLD)
def test_each_has_its_own_sentence(name: str) -> None:
    data, told = TOLD[name]
    with pytest.raises(ImageFailure, match=told.replace("^", "^decode: ")):
        decode_image(data)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF that lies."""
    start = struct.unpack_from("<I", data, 4)[0]
    for place in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", data, start)[0], 12):
        if struct.unpack_from("<H", data, place)[0] == tag:
            return data[: place + 2] + struct.pack("<HII", 4, 1, value) + data[place + 12 :]
    raise AssertionError(f"no tag {tag}")


@pytest.mark.parametrize(("tag", "value", "told"), [
    (257, 21, "truncated|cannot be decoded"),
    (257, 2_000_000, "truncated"),
    (256, 2**31, "too large"),
    (277, 2**31, "channels"),
    (279, 7, "truncated"),
    (273, 2**31, "truncated"),
])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_lies_about_the_size(tag: int, value: int, told: str, compression: str | None) -> None:
    data = with_tag(tiff((GREY / 255).astype("f8"), compression=compression), tag, value)
    with pytest.raises(ImageFailure, match=told):
        decode_image(data)


def test_damaged_ones_end_in_pixels_or_a_failure() -> None:
    rng = np.random.default_rng(4)
    whole = [tiff((GREY / 255).astype("f8"), compression="zlib"), tiff((RGB / 255).astype("f2"),
                                                                           photometric="rgb"),
             TOLD["packed 10"][0], TOLD["12 bit JPEG"][0]]
    n_pixels = 0
    for case in range(1500):
        try:
            pixels = decode_image(damage(whole[case % 4], rng), max_pixels=1_000_000)
        except ImageFailure:
            continue
        assert pixels.dtype == np.uint8
        n_pixels += 1
    assert n_pixels > 50


def test_what_stands_in_tags_is_not_shown() -> None:
    """A text where a number belongs, with an escape sequence in it."""
    data = bytearray(tiff((GREY / 255).astype("f8"), compression="zlib"))
    start = struct.unpack_from("<I", data, 4)[0]
    place = next(p for p in range(start + 2, len(data), 12)
                 if struct.unpack_from("<H", data, p)[0] == 259)
    data[place + 2 : place + 12] = struct.pack("<HI", 2, 4) + b"\x1b[2J"
    with pytest.raises(ImageFailure) as caught:
        decode_image(bytes(data))
    assert caught.value.reason.isprintable()
