"""What is told of a picture besides its pixels, and how many are decoded at a time."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from PIL import Image

from plankton_features.images import decoding
from plankton_features.images.decoding import decode_picture

GREY = np.random.default_rng(0).integers(10, 200, (20, 30)).astype(np.uint8)
GREY[0, :2] = 10, 199


def saved(kind: str, n: int = 1, **options: object) -> bytes:
    frames = [Image.fromarray(np.dstack([GREY + np.uint8(20 * i)] * 3)) for i in range(n)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=n > 1, append_images=frames[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP", "MPO"])
def test_several_pages_are_told(kind: str) -> None:
    assert not decode_picture(saved(kind)).several
    three = decode_picture(saved(kind, 3))
    assert three.several
    assert three.pixels.shape[:2] == GREY.shape


@pytest.mark.parametrize("damaged", ["TIFF", "GIF"])
def test_a_second_page_that_cannot_be_read_does_not_spoil_the_first(damaged: str) -> None:
    data = saved(damaged, 2)
    whole = decode_picture(data).pixels
    for length in range(len(data) - 200, len(data), 20):
        try:
            pixels = decode_picture(data[:length]).pixels
        except decoding.ImageFailure:
            continue
        np.testing.assert_array_equal(pixels, whole)


@pytest.mark.parametrize(("values", "full"), [
    (GREY, 0), (GREY.astype(np.uint16) * 20, 4095), (GREY.astype(np.uint16) * 300, 65535),
    (GREY.astype(np.float32) / 255, 1), (GREY.astype(np.float64), 255),
], ids=["8 bits", "12 bits", "16 bits", "unit", "float of 8 bits"])
def test_full_scale_and_contrast_are_told(values: np.ndarray, full: float) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, values)
    picture = decode_picture(file.getvalue())
    assert picture.full_scale == full
    assert picture.contrast == np.ptp(picture.pixels.astype(int))
    opaque = np.dstack([GREY, GREY, GREY, np.zeros_like(GREY)])
    assert decoding.Picture(opaque).contrast == 189


@pytest.mark.parametrize(("least", "most_at_once"), [(600, 4), (599, 1)])
def test_large_pictures_are_decoded_one_by_one(least: int, most_at_once: int,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = [], []
    four = threading.Barrier(4)

    def pixels(*_: object) -> tuple[np.ndarray, float]:
        inside.append(1)
        most.append(len(inside))
        if most_at_once == 4:
            four.wait(timeout=60)
        else:
            time.sleep(0.01)
        inside.pop()
        return GREY, 0.0

    monkeypatch.setattr(decoding, "_LARGE_PIXELS", least)
    monkeypatch.setattr(decoding, "_pixels", pixels)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(decode_picture, [saved("PNG")] * 4))
    assert max(most) == most_at_once
