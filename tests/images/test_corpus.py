"""Bad and odd files, each with exactly the pixels or exactly the failure that it must give."""

from __future__ import annotations

import io
import os
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from plankton_features.errors import ImageFailure
from plankton_features.images import Catalog, Framing, build_catalog, frame, read_bytes, read_image
from plankton_features.images.decoding import decode_image
from plankton_features.images.depth import scale_to_uint8
from plankton_features.images.preparing import Preparer

# Pillow tells of odd metadata; the command line does not show it.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

HEIGHT, WIDTH = 8, 12
rng = np.random.default_rng(7)
GREY = rng.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)
RGB = rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
OPACITY = rng.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)
RGBA = np.dstack([RGB, OPACITY])
GREY_OPACITY = np.dstack([GREY, GREY, GREY, OPACITY])
DEEP = rng.integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
DEEP[0, :2] = 65535, 0
TWELVE = (DEEP >> 4).astype(np.uint16)
DEEP_RGB = rng.integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16)
DEEP_RGB[0, :2] = (65535, 0, 1), (65535, 0, 2)
DEEP_RGBA = np.dstack([DEEP_RGB, DEEP])
SMOOTH = np.add.outer(np.arange(40) * 3, np.arange(56) * 2).astype(np.uint8)
FLAT = np.full((HEIGHT, WIDTH), 90, np.uint8)


def scaled(values: np.ndarray, full: float) -> np.ndarray:
    return np.rint(values.astype(np.float64) * 255 / full).astype(np.uint8)


def keyed(pixels: np.ndarray) -> np.ndarray:
    """Opacity where the colour of the first pixel is declared transparent."""
    differs = pixels[:1, :1] != pixels
    return (differs if pixels.ndim == 2 else differs.any(axis=2)) * np.uint8(255)


def encoded(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels: np.ndarray, colour: int, bits: int = 16, extra: bytes = b"",
        size: tuple[int, int] | None = None) -> bytes:
    """A PNG written by hand, for what Pillow cannot write."""
    height, width = size or pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return data[:33] + chunk(kind, content) + data[33:]


def turned(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def as_seen(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """What a viewer must show, by the definition of the tag: where row 0 and column 0 lie."""
    upright = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
        5: pixels.swapaxes(0, 1), 6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(pixels),
    }
    return upright[orientation]


def pillow_says(data: bytes, mode: str) -> np.ndarray:
    """Pixels of a lossy file, decoded the plain way."""
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


def palette_image(kind: str = "PNG", **options: object) -> tuple[bytes, np.ndarray]:
    indices = (GREY % 4).astype(np.uint8)
    colours = rng.integers(0, 256, (4, 3)).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(colours.ravel().tolist())
    return encoded(image, kind, **options), colours[indices]


def animated(kind: str, **options: object) -> bytes:
    frames = [Image.fromarray(FLAT + np.uint8(40 * i)).convert("RGB") for i in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def tiff_with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF with the value of one tag overwritten, as a header that lies."""
    start = struct.unpack("<I", data[4:8])[0]
    for place in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", data, start)[0], 12):
        found, kind = struct.unpack_from("<HH", data, place)
        if found == tag:
            packed = struct.pack("<I" if kind == 4 else "<HH", *((value,) if kind == 4
                                                                 else (value, 0)))
            return data[: place + 8] + packed + data[place + 12 :]
    raise AssertionError(f"no tag {tag}")


def packed_tiff(values: np.ndarray) -> bytes:
    """A TIFF of 12 bits per sample, two samples in three bytes."""
    left, right = values.ravel()[::2], values.ravel()[1::2]
    strip = np.column_stack([left >> 4, (left & 15) << 4 | right >> 8, right & 255])
    tags = {256: values.shape[1], 257: values.shape[0], 258: 12, 259: 1, 262: 1, 273: 8, 277: 1,
            278: values.shape[0], 279: strip.size}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return (b"II*\0" + struct.pack("<I", 8 + strip.size) + strip.astype(np.uint8).tobytes()
            + directory)


@dataclass
class Good:
    """A file that must give these pixels."""

    name: str
    data: bytes
    pixels: np.ndarray


@dataclass
class Bad:
    """A file, or what makes one, that must give this failure."""

    name: str
    make: bytes | Callable[[Path], None]
    stage: str
    reason: str


def good_files() -> list[Good]:
    jpeg = encoded(SMOOTH, "JPEG", quality=95)
    colour_jpeg = encoded(np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH]), "JPEG")
    progressive = encoded(SMOOTH, "JPEG", progressive=True)
    cmyk = Image.fromarray(RGB).convert("CMYK")
    cmyk_jpeg = encoded(cmyk, "JPEG", quality=100)
    palette, palette_rgb = palette_image()
    clear_palette, clear_rgb = palette_image(transparency=bytes([0, 85, 170, 255]))
    clear_alpha = np.array([0, 85, 170, 255], np.uint8)[GREY % 4]
    gif, gif_rgb = palette_image("GIF")
    grey_palette = Image.fromarray(GREY)
    grey_palette.putpalette(np.repeat(np.arange(256)[::-1], 3).tolist())
    mpo = encoded(Image.fromarray(SMOOTH), "MPO", save_all=True,
                  append_images=[Image.fromarray(SMOOTH[::-1])])
    bits = GREY > 127
    lossless = encoded(RGB, "WEBP", lossless=True)
    clear_deep = keyed(DEEP)
    deep_grey = scaled(DEEP, 65535)
    premultiplied = np.dstack([RGB // 2, np.full_like(GREY, 128)])
    lab = ImageCms.applyTransform(Image.fromarray(RGB), ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"))
    assert lab is not None
    signed = (DEEP >> 1).astype(np.int16)
    many = [encoded(p, "PNG") for p in (GREY[:1, :1], np.tile(GREY[:, :1], (625, 1)))]
    odd_exif = b"Exif\0\0" + b"MM\0*\0\0\xff\xff" + b"nonsense"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    good = [
        Good("grey.png", encoded(GREY), GREY),
        Good("rgb.png", encoded(RGB), RGB),
        Good("rgba.png", encoded(RGBA), RGBA),
        Good("all_clear.png", encoded(np.dstack([RGB, 0 * GREY])), np.dstack([RGB, 0 * GREY])),
        Good("grey_alpha.png", encoded(Image.fromarray(GREY_OPACITY).convert("LA")), GREY_OPACITY),
        Good("one_bit.png", encoded(Image.fromarray(bits)), bits * np.uint8(255)),
        Good("palette.png", palette, palette_rgb),
        Good("palette_clear.png", clear_palette, np.dstack([clear_rgb, clear_alpha])),
        Good("trns_grey.png", encoded(GREY, transparency=int(GREY[0, 0])),
             np.dstack([GREY, GREY, GREY, keyed(GREY)])),
        Good("trns_rgb.png", encoded(RGB, transparency=tuple(map(int, RGB[0, 0]))),
             np.dstack([RGB, keyed(RGB)])),
        Good("deep.png", encoded(DEEP), deep_grey),
        Good("twelve_in_sixteen.png", encoded(TWELVE), scaled(TWELVE, 4095)),
        Good("deep_trns.png",
             png(DEEP, 0, extra=chunk(b"tRNS", DEEP[:1, :1].astype(">u2").tobytes())),
             np.dstack([deep_grey] * 3 + [clear_deep])),
        Good("deep_rgb.png", png(DEEP_RGB, 2), scaled(DEEP_RGB, 65535)),
        Good("twelve_rgb.png", png(DEEP_RGB >> 4, 2), scaled(DEEP_RGB >> 4, 4095)),
        Good("deep_rgba.png", png(DEEP_RGBA, 6), scaled(DEEP_RGBA, 65535)),
        Good("twelve_rgba.png", png(np.dstack([DEEP_RGB >> 4, TWELVE]), 6),
             np.dstack([scaled(DEEP_RGB >> 4, 4095), scaled(TWELVE, 65535)])),
        Good("deep_rgb_trns.png",
             png(DEEP_RGB, 2, extra=chunk(b"tRNS", DEEP_RGB[0, 0].astype(">u2").tobytes())),
             np.dstack([scaled(DEEP_RGB, 65535), keyed(DEEP_RGB)])),
        Good("deep_rgb_turned.png", png(DEEP_RGB, 2, extra=chunk(b"eXIf", turned(6).tobytes()[6:])),
             as_seen(scaled(DEEP_RGB, 65535), 6)),
        Good("no_end.png", encoded(GREY)[:-12], GREY),
        Good("small_text.png", with_chunk(encoded(GREY), b"tEXt", b"Comment\0copepod"), GREY),
        Good("text_bomb.png", with_chunk(
            encoded(GREY), b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 3_000_000)), GREY),
        Good("single.png", many[0], GREY[:1, :1]),
        Good("thread.png", many[1], np.tile(GREY[:, :1], (625, 1))),
        Good("apng.png", animated("PNG"), np.dstack([FLAT] * 3)),
        Good("grey.jpg", jpeg, pillow_says(jpeg, "L")),
        Good("colour.JPG", colour_jpeg, pillow_says(colour_jpeg, "RGB")),
        Good("progressive.JpEg", progressive, pillow_says(progressive, "L")),
        Good("cmyk.jpg", cmyk_jpeg, pillow_says(cmyk_jpeg, "RGB")),
        Good("two_views.jpg", mpo, pillow_says(mpo, "L")),
        Good("odd_exif.jpg", encoded(SMOOTH, "JPEG", quality=95, exif=odd_exif),
             pillow_says(jpeg, "L")),
        Good("no_exif.jpg", encoded(SMOOTH, "JPEG", quality=95, exif=b"Exif\0\0nonsense"),
             pillow_says(jpeg, "L")),
        Good("no_exif.png", with_chunk(encoded(GREY), b"eXIf", b"nonsense"), GREY),
        Good("broken_mpo.jpg", jpeg[:2] + b"\xff\xe2\0\x0cMPF\0broken" + jpeg[2:],
             pillow_says(jpeg, "L")),
        Good("xmp.jpg", encoded(SMOOTH, "JPEG", quality=95, xmp=xmp),
             as_seen(pillow_says(jpeg, "L"), 6)),
        Good("really_png.jpg", encoded(GREY), GREY),
        Good("grey.bmp", encoded(GREY, "BMP"), GREY),
        Good("rgb.bmp", encoded(RGB, "BMP"), RGB),
        Good("one_bit.bmp", encoded(Image.fromarray(bits), "BMP"), bits * np.uint8(255)),
        Good("grey.gif", encoded(GREY, "GIF"), GREY),
        Good("colours.gif", gif, gif_rgb),
        Good("grey_palette.bmp", encoded(grey_palette, "BMP"), 255 - GREY),
        Good("moving.gif", animated("GIF"), FLAT),
        Good("rgb.webp", lossless, RGB),
        Good("moving.webp", animated("WEBP", lossless=True), np.dstack([FLAT] * 3)),
        Good("rgba.webp", encoded(RGBA, "WEBP", lossless=True, exact=True), RGBA),
        Good("grey.tif", tiff(GREY), GREY),
        Good("rgb.TIFF", tiff(RGB, photometric="rgb"), RGB),
        Good("planes.tif", tiff(np.moveaxis(RGB, 2, 0), photometric="rgb",
                                planarconfig="separate"), RGB),
        Good("lzw.tif", encoded(GREY, "TIFF", compression="tiff_lzw"), GREY),
        Good("group4.tif", encoded(Image.fromarray(bits), "TIFF", compression="group4"),
             bits * np.uint8(255)),
        Good("deep.tif", tiff(DEEP), deep_grey),
        Good("deep_big_endian.tif", tiff(DEEP, byteorder=">"), deep_grey),
        Good("deep_white_is_zero.tif", tiff(DEEP, photometric="miniswhite"), 255 - deep_grey),
        Good("twelve_in_sixteen.tif", tiff(TWELVE), scaled(TWELVE, 4095)),
        Good("declared.tif", tiff(TWELVE, extratags=[(281, "H", 1, 16383, True)]),
             scaled(TWELVE, 16383)),
        Good("declared_too_low.tif", tiff(TWELVE, extratags=[(281, "H", 1, 100, True)]),
             scaled(TWELVE, 4095)),
        Good("twelve_packed.tif", packed_tiff(FLAT.astype(int)), scaled(FLAT, 4095)),
        Good("faint.tif", tiff((DEEP >> 8).astype(np.uint16)), (DEEP >> 8).astype(np.uint8)),
        Good("signed.tif", tiff(signed), scaled(signed, 65535)),
        Good("deep_rgb.tif", tiff(DEEP_RGB, photometric="rgb"), scaled(DEEP_RGB, 65535)),
        Good("deep_rgb_big_endian.tif", tiff(DEEP_RGB, photometric="rgb", byteorder=">"),
             scaled(DEEP_RGB, 65535)),
        Good("deep_rgb_deflate.tif", tiff(DEEP_RGB >> 4, photometric="rgb", compression="zlib"),
             scaled(DEEP_RGB >> 4, 4095)),
        Good("deep_planes.tif", tiff(np.moveaxis(DEEP_RGB, 2, 0), photometric="rgb",
                                     planarconfig="separate"), scaled(DEEP_RGB, 65535)),
        Good("big.tif", tiff(DEEP_RGB, photometric="rgb", bigtiff=True), scaled(DEEP_RGB, 65535)),
        Good("unit_float.tif", tiff(GREY.astype(np.float32) / 255), GREY),
        Good("float255.tif", tiff(GREY.astype(np.float32)), GREY),
        Good("float_rgb.tif", tiff(RGB.astype(np.float32), photometric="rgb"), RGB),
        Good("pages.tif", tiff(np.stack([GREY, 255 - GREY])), GREY),
        Good("lab.tif", encoded(lab, "TIFF"), pillow_says(encoded(lab, "TIFF"), "RGB")),
        Good("ycbcr.tif", encoded(Image.fromarray(RGB).convert("YCbCr"), "TIFF"),
             np.asarray(Image.fromarray(RGB).convert("YCbCr").convert("RGB"))),
        Good("cmyk.tif", encoded(cmyk, "TIFF"), RGB),
        Good("premultiplied.tif", tiff(premultiplied, photometric="rgb",
                                       extrasamples=["assocalpha"]),
             np.dstack([(RGB // 2).astype(int) * 255 // 128, np.full_like(GREY, 128)])
             .clip(0, 255).astype(np.uint8)),
        Good("кальмар_🦑.png", encoded(GREY), GREY),
        Good("n" * 240 + ".png", encoded(GREY), GREY),
    ]
    for value in range(1, 9):
        turn = turned(value)
        turned_jpeg = encoded(SMOOTH, "JPEG", quality=95, exif=turn)
        good += [
            Good(f"turn{value}.png", encoded(RGB, exif=turn), as_seen(RGB, value)),
            Good(f"turn{value}.jpg", turned_jpeg, as_seen(pillow_says(jpeg, "L"), value)),
            Good(f"turn{value}.webp", encoded(RGB, "WEBP", lossless=True, exif=turn),
                 as_seen(RGB, value)),
            Good(f"turn{value}.tif", encoded(RGB, "TIFF", exif=turn), as_seen(RGB, value)),
            Good(f"turn_deep{value}.tif",
                 tiff(DEEP_RGB, photometric="rgb", extratags=[(274, "H", 1, value, True)]),
                 as_seen(scaled(DEEP_RGB, 65535), value)),
        ]
    return good


def loop(path: Path) -> None:
    path.symlink_to(path.parent, target_is_directory=True)


def bad_files() -> list[Bad]:
    jpeg = encoded(SMOOTH, "JPEG")
    noise = rng.integers(0, 256, (60, 60)).astype(np.uint8)
    plain = tiff(GREY)
    too_deep = np.full((HEIGHT, WIDTH), 70_000, np.int32)
    nan = np.where(GREY > 200, np.nan, 0.5).astype(np.float32)
    return [
        Bad("empty.png", b"", "read", "^empty file$"),
        Bad("text.jpg", b"this is not a picture", "decode", "not an image of a known kind"),
        Bad("zeros.png", b"\0" * 500, "decode", "not an image of a known kind"),
        Bad("vector.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "decode", "not an image"),
        Bad("header_only.png", encoded(GREY)[:20], "decode", "Truncated|not an image"),
        Bad("jpeg2000.jpg", encoded(GREY, "JPEG2000"), "decode", "not an image of a known kind"),
        Bad("cut.jpg", jpeg[:-100], "decode", "truncated"),
        Bad("cut.png", encoded(noise)[:2000], "decode", "truncated|broken"),
        Bad("cut.gif", encoded(noise, "GIF")[:2000], "decode", "truncated"),
        Bad("cut.bmp", encoded(noise, "BMP")[:2000], "decode", "truncated"),
        Bad("cut.tif", tiff(noise)[:2000], "decode", "truncated|cannot be decoded"),
        Bad("cut.webp", encoded(noise, "WEBP", lossless=True)[:1000], "decode",
            "cannot be decoded|not an image"),
        Bad("cut_deep.png", png(np.dstack([noise] * 3).astype(np.uint16) * 257, 2)[:2000],
            "decode", "truncated|broken"),
        Bad("bad_checksum.png", encoded(GREY)[:-20] + b"\0" * 8 + encoded(GREY)[-12:], "decode",
            "."),
        Bad("bomb.png", png(GREY, 0, 8, size=(40_000, 40_000)), "decode", "too large"),
        Bad("warned_bomb.png", png(GREY, 0, 8, size=(10_000, 10_000)), "decode",
            "^too large: 10000 x 10000 pixels, limit 64000000$"),
        Bad("over_limit.png", png(GREY, 0, 8, size=(8_001, 8_000)), "decode",
            "^too large: 8000 x 8001 pixels, limit 64000000$"),
        Bad("no_pixels.gif", b"GIF89a" + bytes(7) + b"," + bytes(9) + b"\x02\0;", "decode", "."),
        Bad("wide_lie.tif", tiff_with_tag(plain, 256, 60_000), "decode", "cannot be decoded"),
        Bad("huge_lie.tif", tiff_with_tag(tiff_with_tag(plain, 256, 65_535), 257, 65_535), "decode",
            "too large"),
        Bad("offset_lie.tif", tiff_with_tag(plain, 273, 60_000), "decode", "cannot be decoded"),
        Bad("libtiff_compression_lie.tif", tiff_with_tag(plain, 259, 5), "decode",
            "cannot be decoded"),
        Bad("no_directory.tif", b"II*\0\xff\xff\0\0", "decode", "."),
        Bad("nan.tif", tiff(nan), "decode", "negative or not finite"),
        Bad("negative.tif", tiff(-GREY.astype(np.int16) - 1), "decode", "negative"),
        Bad("counts.tif", tiff(GREY.astype(np.float32) * 1000 + 256), "decode", "out of range"),
        Bad("too_deep.tif", tiff(too_deep), "decode", "sample value 70000 is out of range"),
        Bad("folder.jpg", lambda p: p.mkdir(), "read", "^a folder named like an image$"),
        Bad("gone.png", lambda p: p.symlink_to("nowhere.png"), "read", "^broken link$"),
        Bad("itself.png", lambda p: p.symlink_to(p), "read", "(?i)symbolic link"),
        Bad("loop", loop, "list", "leads back"),
        Bad("loop.jpg", loop, "list", "leads back"),
        Bad("pipe.png", lambda p: os.mkfifo(p), "read", "^not a regular file$"),
        Bad("null.png", lambda p: p.symlink_to("/dev/zero"), "read", "^not a regular file$"),
        Bad(os.fsdecode(b"caf\xe9.png"), encoded(GREY), "list", "not valid UTF-8"),
    ]


GOOD, BAD = good_files(), bad_files()


def put(folder: Path, name: str, make: bytes | Callable[[Path], None]) -> Path:
    path = folder / name
    if callable(make):
        make(path)
    else:
        path.write_bytes(make)
    return path


def test_the_corpus_is_large() -> None:
    assert len({g.name for g in GOOD} | {b.name for b in BAD}) == len(GOOD) + len(BAD) > 100


@pytest.mark.parametrize("case", GOOD, ids=lambda c: ascii(c.name[:30]))
def test_good_files_give_their_pixels(tmp_path: Path, case: Good,
                                      capfd: pytest.CaptureFixture[str]) -> None:
    pixels = read_image(put(tmp_path, case.name, case.data))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, case.pixels)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("case", BAD, ids=lambda c: ascii(c.name))
def test_bad_files_give_their_failure(tmp_path: Path, case: Bad,
                                      capfd: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, case.name, case.make)
    with pytest.raises(ImageFailure) as caught:
        read_image(path)
    assert re.search(case.reason, caught.value.reason), caught.value.reason
    assert caught.value.stage == case.stage
    assert "\n" not in caught.value.reason
    if "libtiff" not in case.name:  # it writes some errors to the terminal by itself
        assert capfd.readouterr() == ("", "")


def test_the_whole_corpus_through_catalog_and_threads(tmp_path: Path) -> None:
    framing = Framing(canvas=16, background="white")
    for case in GOOD:
        put(tmp_path, case.name, case.data)
    for case in BAD:
        put(tmp_path, case.name, case.make)
    catalog = build_catalog(tmp_path)
    assert sorted(catalog.path) == sorted([*(g.name for g in GOOD), *(b.name for b in BAD)])
    prepared = {catalog.path[image.position]: image
                for image in Preparer(catalog, framing, threads=2).iterate(range(len(catalog)))}
    for case in GOOD:
        image = prepared[case.name]
        assert (image.height, image.width) == case.pixels.shape[:2]
        np.testing.assert_array_equal(image.canvas, frame(case.pixels, framing))
    for case in BAD:
        failure = prepared[case.name].failure
        assert failure is not None
        assert failure.stage == case.stage
        assert prepared[case.name].canvas is None


def test_missing_and_impossible_names() -> None:
    paths = ["no.png", "a\0b.png", "x" * 300 + ".png", "y/" * 5000 + ".png", "\ud800.png"]
    catalog = Catalog.from_paths(paths)
    assert (catalog.size == -1).all()
    assert len(catalog.fingerprint()["path"]) == 16
    failures = [i.failure for i in Preparer(catalog, Framing(8)).iterate(range(5))]
    assert [f and f.stage for f in failures] == ["read"] * 4 + ["list"]
    assert "no such file" in str(failures[0])
    assert all("name too long" in str(f) for f in failures[2:4])


def test_files_over_the_byte_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(bytes(100))
    assert len(read_bytes(str(path), max_bytes=100)) == 100
    with pytest.raises(ImageFailure, match="read: too large: 100 bytes, limit 99"):
        read_bytes(str(path), max_bytes=99)


def test_pixel_limit_is_inclusive() -> None:
    data = encoded(GREY)
    assert decode_image(data, max_pixels=HEIGHT * WIDTH).shape == GREY.shape
    with pytest.raises(ImageFailure, match="too large: 12 x 8 pixels, limit 95"):
        decode_image(data, max_pixels=HEIGHT * WIDTH - 1)


def test_above_pillows_own_limit_the_reason_names_that_limit() -> None:
    with pytest.raises(ImageFailure, match=f"limit of {2 * Image.MAX_IMAGE_PIXELS} pixels"):
        decode_image(png(GREY, 0, 8, size=(20_000, 20_000)), max_pixels=10**9)


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may read everything, so a mode of 000 would prove nothing: the system calls are replaced.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = put(tmp_path, "a.png", encoded(GREY))
    folder = tmp_path / "closed"
    folder.mkdir()
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(ImageFailure, match=r"^read: permission denied$"):
        read_bytes(str(path))
    with pytest.raises(ImageFailure, match=r"^list: folder cannot be opened: permission denied$"):
        read_bytes(str(folder))


def test_other_read_errors_keep_the_systems_words(tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    path = put(tmp_path, "a.png", encoded(GREY))
    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(ImageFailure, match=r"^read: Input/output error$"):
        read_bytes(str(path))


def test_too_little_memory_is_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageFailure, match="decode: not enough memory"):
        decode_image(encoded(GREY))


@pytest.mark.parametrize(("values", "maximum", "expected"), [
    (np.array([0, 255], np.uint16), None, [0, 255]),
    (np.array([0, 256], np.uint16), None, [0, 16]),
    (np.array([0, 4095], np.uint16), None, [0, 255]),
    (np.array([0, 4096], np.uint16), None, [0, 16]),
    (np.array([0, 1023], np.uint16), 1023, [0, 255]),
    (np.array([0, 1024], np.uint16), 1023, [0, 64]),
    (np.array([0, 65535], np.int32), 0, [0, 255]),
    (np.array([0.0, 1.0]), None, [0, 255]),
    (np.array([0.0, 2.0]), None, [0, 2]),
    (np.array([0.0, 0.0]), None, [0, 0]),
])
def test_scaling_by_the_real_range(values: np.ndarray, maximum: int | None,
                                   expected: list[int]) -> None:
    assert scale_to_uint8(values, maximum).tolist() == expected


@pytest.mark.parametrize("values", [np.array([-1]), np.array([np.nan]), np.array([np.inf]),
                                    np.array([65536]), np.array([255.5])])
def test_samples_that_cannot_be_scaled(values: np.ndarray) -> None:
    with pytest.raises(ImageFailure, match=r"negative or not finite|out of range"):
        scale_to_uint8(values)
