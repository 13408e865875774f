"""One scale for samples of more than 8 bits: robust if chosen, exact if asked for."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from plankton_features import ImageEmbedder
from plankton_features.errors import ImageFailure
from plankton_features.images import decode_image, depth
from plankton_features.images.depth import DEPTHS, Samples, full_scale, scale_to_uint8, scaled

LIMITS = {"8": 255, "10": 1023, "12": 4095, "14": 16383, "16": 65535, "float": 1}


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def png(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def png_with_opacity(grey: np.ndarray, opacity: np.ndarray) -> bytes:
    """A PNG of 16-bit grey with opacity, which Pillow cannot write."""
    rows = np.dstack([grey, opacity]).astype(">u2")
    parts = {b"IHDR": struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 16, 4, 0, 0, 0),
             b"IDAT": zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items())


def white_at(values: np.ndarray, full: float) -> np.ndarray:
    return np.rint(values.astype(np.float64).clip(0, full) * 255 / full).astype(np.uint8)


def sky(rng: np.random.Generator, most: int, shape: tuple[int, int] = (20, 20)) -> np.ndarray:
    """Samples up to `most`, which some of them reach."""
    values = rng.integers(0, most + 1, shape).astype(np.uint16)
    values[0] = most
    return values


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), hot=st.integers(4096, 65535), place=st.integers(0, 399))
def test_one_hot_pixel_changes_no_other(seed: int, hot: int, place: int) -> None:
    values = sky(np.random.default_rng(seed), 4095)
    values.flat[place] = hot
    for data in (tiff(values), png(values)):
        pixels = decode_image(data)
        assert pixels.flat[place] == 255
        np.testing.assert_array_equal(pixels, white_at(values, 4095))


def test_one_hot_pixel_in_colour() -> None:
    values = np.dstack([sky(np.random.default_rng(i), 4095) for i in range(3)])
    values[5, 5] = 60_000, 4096, 10_000
    np.testing.assert_array_equal(decode_image(tiff(values, photometric="rgb")),
                                  white_at(values, 4095))


@pytest.mark.parametrize("most", [1.0, 1.04, 1.3])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4", ">f8"])
def test_floating_point_a_little_above_one(most: float, kind: str) -> None:
    values = np.linspace(0, most, 1200).reshape(30, 40).astype(kind)
    pixels = decode_image(tiff(values))
    assert np.abs(pixels - white_at(values, 1).astype(int)).max() <= 1  # float16 rounds
    assert len(np.unique(pixels)) > 190


def test_floating_point_of_8_bits() -> None:
    values = np.linspace(0, 255, 1200, dtype=np.float32).reshape(30, 40)
    np.testing.assert_array_equal(decode_image(tiff(values)), white_at(values, 255))
    values[0, 0] = 300
    np.testing.assert_array_equal(decode_image(tiff(values)), white_at(values, 255))


@pytest.mark.parametrize("share", [1 / 200, 1 / 199])
@pytest.mark.parametrize(("limit", "next_limit"), [(255, 4095), (4095, 65535)])
def test_the_share_that_may_be_above(share: float, limit: int, next_limit: int) -> None:
    values = np.full(200 * 199, limit, np.uint16)
    values[: round(len(values) * share)] = limit + 1
    expected = limit if share == 1 / 200 else next_limit
    assert full_scale(Samples(1, lambda *_: values[None])) == expected


@pytest.mark.parametrize("chosen", LIMITS)
@pytest.mark.parametrize("kind", ["u2", "i4", "f4", "f8"])
def test_a_depth_that_is_asked_for_is_that_of_every_picture(chosen: str, kind: str) -> None:
    full = LIMITS[chosen]
    for most in (full / 20, full / 2, full):
        values = np.linspace(0, most, 300).reshape(15, 20)
        values = values.astype(kind) if kind[0] == "f" else np.rint(values).astype(kind)
        pixels = decode_image(tiff(values), depth=chosen)
        exact = values.astype(np.float64) * 255 / full
        assert np.abs(pixels - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("chosen", LIMITS)
def test_8_bits_are_taken_as_they_are(chosen: str) -> None:
    grey = np.arange(240, dtype=np.uint8).reshape(12, 20)
    for data in (png(grey), tiff(grey), png(grey, "BMP"), png(np.dstack([grey] * 3))):
        np.testing.assert_array_equal(decode_image(data, depth=chosen), decode_image(data))


def test_what_overshoots_a_depth_a_little_is_white() -> None:
    values = np.linspace(0, 5500, 400).reshape(20, 20).astype(np.uint16)
    np.testing.assert_array_equal(scale_to_uint8(values, depth="12"), white_at(values, 4095))


@pytest.mark.parametrize(("values", "chosen", "told"), [
    (np.full((9, 9), 9000, np.uint16), "12", "9000 does not fit the depth 12, which ends at 4095"),
    (np.full((9, 9), 3.5, np.float32), "float", "3.5 does not fit the depth float"),
    (np.full((9, 9), 4095, np.float32), "auto", "4095 is out of range.*give the depth"),
])
def test_what_does_not_fit_is_a_failure(values: np.ndarray, chosen: str, told: str) -> None:
    with pytest.raises(ImageFailure, match=told):
        decode_image(tiff(values), depth=chosen)


def test_grey_with_opacity_keeps_its_low_bytes() -> None:
    rng = np.random.default_rng(1)
    grey, opacity = sky(rng, 4095), rng.integers(0, 65536, (20, 20)).astype(np.uint16)
    pixels = decode_image(png_with_opacity(grey, opacity))
    np.testing.assert_array_equal(pixels, np.dstack([white_at(grey, 4095)] * 3
                                                    + [white_at(opacity, 65535)]))
    deep = decode_image(png_with_opacity(grey, opacity), depth="16")
    np.testing.assert_array_equal(deep[..., 0], white_at(grey, 65535))


def test_high_bytes_alone_are_of_depth_16() -> None:
    data = tiff(np.full((9, 9, 4), 4000, np.uint16), photometric="separated")
    assert decode_image(data, depth="16").shape == (9, 9, 3)
    with pytest.raises(ImageFailure, match="CMYK of 16 bits can be read at depth 16 only"):
        decode_image(data, depth="12")


@pytest.mark.parametrize("photometric", ["minisblack", "rgb", "miniswhite"])
@pytest.mark.parametrize("chosen", DEPTHS)
def test_bands_make_no_difference(chosen: str, photometric: str,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(0, 2 if chosen == "float" else LIMITS.get(chosen, 4095), (23, 17))
    colours = 3 if photometric == "rgb" else 1
    data = tiff(np.squeeze(np.dstack([values] * colours)).astype(np.uint16),
                photometric=photometric)
    whole = decode_image(data, depth=chosen)
    monkeypatch.setattr(depth, "_BAND", 40)
    np.testing.assert_array_equal(decode_image(data, depth=chosen), whole)


@pytest.mark.parametrize("kind", ["u2", "i4", "f4"])
def test_scaling_needs_little_memory(kind: str) -> None:
    height, width = 8000, 1000

    def rows(start: int, stop: int) -> np.ndarray:
        return np.arange(start, stop).repeat(width).reshape(-1, width).astype(kind) / (
            np.array(height, kind) if kind == "f4" else 1)

    tracemalloc.start()
    try:
        pixels, _ = scaled(Samples(height, lambda a, b: rows(a, b).astype(kind)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pixels.shape == (height, width)
    assert peak < 8 * height * width  # besides the 1 that is the result, bands of a quarter


def test_the_embedder_follows_the_depth(tmp_path: Path) -> None:
    values = np.linspace(0, 4095, 32 * 32).reshape(32, 32).astype(np.uint16)
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, samples in zip(paths, (values, values // 16), strict=True):
        path.write_bytes(tiff(samples))
    options = {"backbone": "pixels", "canvas": 32, "views": "none", "pooling": ("avg",)}
    of_each = ImageEmbedder(**options).fit(paths)
    of_all = ImageEmbedder(depth="12", **options).fit(paths)
    assert of_all.recipe_.depth == "12"
    first, second = of_each.transform(paths)
    np.testing.assert_allclose(first, second, rtol=0.05, atol=0.02)  # the second 16 times too light
    first, second = of_all.transform(paths)
    np.testing.assert_allclose(first / 16, second, rtol=0.1, atol=0.02)
