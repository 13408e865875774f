"""Where pictures lie: files, arrays, and the digest of what has no file."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images import Catalog, Framing, Preparer, build_catalog
from plankton_features.images.content import content_digest, picture_of

SHAPES = [(3, 5), (5, 3), (3, 5, 3), (1, 15), (1, 1, 4), (3, 5, 4)]


def drawn(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s[2:] != (4,)], ids=str)
def test_the_digest_of_pixels_is_that_of_their_netpbm_file(shape: tuple[int, ...]) -> None:
    pixels, file = drawn(shape), io.BytesIO()
    Image.fromarray(pixels).save(file, "PPM")
    assert content_digest(pixels) == hashlib.sha256(file.getvalue()).digest()
    assert content_digest(np.asfortranarray(pixels)) == content_digest(pixels)
    assert content_digest(pixels[::-1]) == content_digest(pixels[::-1].copy())


def test_pixels_with_opacity_are_a_pam_file() -> None:
    pixels = drawn((3, 5, 4))
    header = (b"P7\nWIDTH 5\nHEIGHT 3\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n")
    assert content_digest(pixels) == hashlib.sha256(header + pixels.tobytes()).digest()


@given(st.integers(1, 12), st.integers(1, 12))
def test_the_same_values_in_another_shape_are_another_picture(a: int, b: int) -> None:
    values = np.zeros(a * b * 12, np.uint8)
    shapes = {(a * 12, b), (b, a * 12), (a * 4, b, 3), (b, a * 4, 3), (a * 3, b, 4)}
    assert len({content_digest(values.reshape(shape)) for shape in shapes}) == len(shapes)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_catalog_of_arrays(shape: tuple[int, ...]) -> None:
    pictures = [drawn(shape, 1), drawn((4, 4), 2)]
    catalog = Catalog.from_arrays(pictures, labels=["a", "e\u0301"], groups=["g", "h"], ids="xy")
    assert catalog.path == ["0", "1"]
    assert catalog.label == ["a", "\u00e9"]
    assert (catalog.group, catalog.id) == (["g", "h"], ["x", "y"])
    assert catalog.size.tolist() == [int(np.prod(shape)), 16]
    assert [catalog.where(i) for i in range(2)] == ["picture 0", "picture 1"]
    for i, pixels in enumerate(pictures):
        np.testing.assert_array_equal(catalog.read(i), pixels)
        assert catalog.digest(i) == content_digest(pixels)
    np.testing.assert_array_equal(catalog.subset([1]).read(0), pictures[1])
    with pytest.raises(InputError, match=r"picture 1: is no file of its own.*catalog.read\(1\)"):
        catalog.file(1)


def test_columns_of_a_catalog_of_arrays_are_checked() -> None:
    two = [drawn((2, 2)), drawn((2, 2))]
    with pytest.raises(InputError, match="label: expected 2 values"):
        Catalog.from_arrays(two, labels=["a"])
    with pytest.raises(InputError, match="path: expected 2 values"):
        Catalog.from_arrays(two, paths=["a"])
    with pytest.raises(InputError, match="paths: expected a different one"):
        Catalog.from_arrays(two, paths=["a", "a"])


@pytest.mark.parametrize("wrong", [
    np.zeros((2, 2)), np.zeros((2, 2, 2), np.uint8), np.zeros((0, 2), np.uint8),
    np.zeros(4, np.uint8), np.zeros((2, 2), np.int8)], ids=lambda a: f"{a.dtype} {a.shape}")
def test_an_array_that_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"picture b: expected uint8 of shape .* got"):
        Catalog.from_arrays([drawn((2, 2)), wrong], paths=["a", "b"])
    with pytest.raises(ImageFailure, match="decode: expected uint8"):
        picture_of(wrong)


def test_pixels_are_held_to_the_limit_of_files() -> None:
    catalog = Catalog.from_arrays([drawn((30, 40)), drawn((30, 41))])
    large = list(Preparer(catalog, Framing(8), max_pixels=1200).iterate([0, 1]))
    assert large[0].failure is None
    assert str(large[1].failure) == "decode: too large: 41 x 30 pixels, limit 1200"


def test_the_stamp_of_files_is_of_their_sizes_and_times(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"12345")
    catalog = Catalog.from_paths(["a", "b", "gone"], root=tmp_path)
    looks = [os.stat(tmp_path / name) for name in "ab"]  # noqa: PTH116
    texts = [os.path.realpath(tmp_path),
             *(f"{i.st_size} {i.st_mtime_ns} {i.st_ctime_ns}" for i in looks), "-"]
    told = "".join(f"{text}\0" for text in texts).encode()
    assert catalog.stamp() == hashlib.sha256(told).hexdigest()[:16]


def test_the_stamp_of_arrays_is_of_their_pixels() -> None:
    pixels = drawn((4, 6))
    one, same = Catalog.from_arrays([pixels]), Catalog.from_arrays([pixels.copy()])
    assert one.stamp() == same.stamp()
    assert one.stamp() != Catalog.from_arrays([pixels.reshape(6, 4)]).stamp()


def pictures_of(catalog: Catalog) -> list[tuple[tuple[int, ...], int]]:
    return [(catalog.read(i).shape, int(catalog.read(i).sum())) for i in range(len(catalog))]


def test_catalogs_go_to_other_processes(tmp_path: Path) -> None:
    pictures = [drawn((4, 6), i) for i in range(3)]
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    files, arrays = build_catalog(tmp_path), Catalog.from_arrays(pictures)
    expected = [((4, 6), int(pixels.sum())) for pixels in pictures]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert list(pool.map(pictures_of, [files, arrays])) == [expected, expected]
    assert pickle.loads(pickle.dumps(arrays)).stamp() == arrays.stamp()
