"""Framing against closed forms and an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.transform import resize

from plankton_features.errors import ImageFailure
from plankton_features.images.framing import Framing, background_of, crop_bottom, frame

SIDES = st.integers(1, 40)
CHANNELS = st.sampled_from([None, 3])


def picture(height: int, width: int, channels: int | None = None, seed: int = 0) -> np.ndarray:
    shape = (height, width) if channels is None else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def placed(pixels: np.ndarray, side: int, value: int) -> np.ndarray:
    """Centre pad and crop, pixel by pixel from the definition: the spare one right and below."""
    canvas = np.full((side, side, *pixels.shape[2:]), value, np.uint8)
    shift = [(side - n) // 2 if n <= side else -((n - side) // 2) for n in pixels.shape[:2]]
    for y in range(pixels.shape[0]):
        for x in range(pixels.shape[1]):
            if 0 <= y + shift[0] < side and 0 <= x + shift[1] < side:
                canvas[y + shift[0], x + shift[1]] = pixels[y, x]
    return canvas


def outermost(pixels: np.ndarray) -> np.ndarray:
    mask = np.ones(pixels.shape[:2], bool)
    mask[1:-1, 1:-1] = False
    return pixels[mask]


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, SIDES, CHANNELS, st.integers(0, 255))
def test_native_is_centre_pad_and_crop(height: int, width: int, side: int, channels: int | None,
                                       value: int) -> None:
    pixels = picture(height, width, channels)
    framed = frame(pixels, Framing(side, "native", value))
    np.testing.assert_array_equal(framed, placed(pixels, side, value))


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, CHANNELS, st.integers(0, 9))
def test_border_is_the_median_of_the_outermost_pixels(height: int, width: int,
                                                      channels: int | None, seed: int) -> None:
    pixels = picture(height, width, channels, seed)
    expected = np.rint(np.median(outermost(pixels), axis=0)).astype(np.uint8)
    np.testing.assert_array_equal(background_of(pixels, "border"), np.atleast_1d(expected))


def test_border_of_a_column_counts_each_pixel_once() -> None:
    column = np.array([[0], [0], [0], [200], [200], [200], [200]], np.uint8)
    assert background_of(column, "border").tolist() == [200]
    assert background_of(np.array([[10, 20, 20]], np.uint8), "border").tolist() == [20]


def test_border_ignores_what_is_transparent() -> None:
    pixels = np.zeros((4, 5, 4), np.uint8)
    assert background_of(pixels, "border").tolist() == [255, 255, 255]
    pixels[0] = 10, 20, 30, 128
    pixels[-1] = 99, 99, 99, 127
    assert background_of(pixels, "border").tolist() == [10, 20, 30]


@pytest.mark.parametrize(("rule", "grey"), [("white", 255), ("black", 0), (77, 77), (0, 0)])
def test_fixed_backgrounds(rule: str | int, grey: int) -> None:
    assert background_of(picture(3, 3), rule).tolist() == [grey]
    assert background_of(picture(3, 3, 3), rule).tolist() == [grey] * 3
    assert background_of(picture(3, 3, 4), rule).tolist() == [grey] * 3
    canvas = frame(np.full((2, 2, 3), 9, np.uint8), Framing(6, "native", rule))
    assert canvas[0, 0].tolist() == [grey] * 3


@settings(max_examples=100, deadline=None)
@given(SIDES, SIDES, SIDES, st.sampled_from(["native", "native-shrink", "resize"]))
def test_mirrored_images_give_mirrored_canvases(height: int, width: int, side: int,
                                                method: str) -> None:
    """Exactly where nothing is spare; elsewhere shifted by the one spare pixel."""
    pixels = picture(height, width)
    framing = Framing(side, method, "border")  # type: ignore[arg-type]
    canvas, mirrored = frame(pixels, framing), frame(pixels[:, ::-1], framing)[:, ::-1]
    content = width if method == "native" else fitted(height, width, side, method)[1]
    if (side - content) % 2 == 0:
        difference = np.abs(canvas.astype(int) - mirrored)
    elif content < side:
        difference = np.abs(canvas[:, :-1].astype(int) - mirrored[:, 1:])
    else:
        difference = np.abs(canvas[:, 1:].astype(int) - mirrored[:, :-1])
    # Pillow's fixed-point resampling may round the two ways differently by one grey level.
    assert difference.max(initial=0) <= (0 if method == "native" else 1)


def fitted(height: int, width: int, side: int, method: str) -> tuple[int, int]:
    longer = max(height, width)
    if method == "native-shrink" and longer <= side:
        return height, width
    return max(1, round(height * side / longer)), max(1, round(width * side / longer))


@pytest.mark.parametrize("method", ["resize", "native-shrink"])
@pytest.mark.parametrize(("height", "width", "expected"), [
    (40, 120, (33, 100)), (120, 40, (100, 33)), (1, 5000, (1, 100)), (5000, 1, (100, 1)),
    (300, 300, (100, 100)), (99, 101, (98, 100)),
])
def test_aspect_ratio_is_kept(method: str, height: int, width: int,
                              expected: tuple[int, int]) -> None:
    pixels = np.full((height, width), 100, np.uint8)
    if method == "native-shrink" and max(height, width) <= 100:
        expected = height, width
    canvas = frame(pixels, Framing(100, method, "white"))  # type: ignore[arg-type]
    rows, columns = np.nonzero(canvas != 255)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == expected
    assert rows.min() == (100 - expected[0]) // 2
    assert columns.min() == (100 - expected[1]) // 2


def test_resize_enlarges_and_native_shrink_does_not() -> None:
    pixels = np.full((10, 30), 100, np.uint8)
    assert (frame(pixels, Framing(90, "resize", "white")) == 100).sum() == 30 * 90
    assert (frame(pixels, Framing(90, "native-shrink", "white")) == 100).sum() == 10 * 30
    assert (frame(pixels, Framing(15, "native", "white")) == 100).sum() == 10 * 15
    assert (frame(pixels, Framing(15, "native-shrink", "white")) == 100).sum() == 5 * 15


def test_resize_agrees_with_scikit_image_when_enlarging() -> None:
    rough = picture(12, 12)
    expected = resize(rough, (48, 48), order=1, mode="edge", preserve_range=True)
    canvas = frame(rough, Framing(48, "resize", interpolation="bilinear"))
    assert np.abs(canvas - expected).max() <= 1


def test_box_shrinking_by_a_whole_factor_is_the_block_mean() -> None:
    pixels = picture(64, 64)
    expected = pixels.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    canvas = frame(pixels, Framing(16, "resize", interpolation="box"))
    assert np.abs(canvas - expected).max() < 1  # Pillow rounds after rows and after columns


@pytest.mark.parametrize("interpolation", ["box", "bilinear", "bicubic", "lanczos"])
def test_interpolations_are_pillows(interpolation: str) -> None:
    pixels = picture(50, 50, 3)
    image = Image.fromarray(pixels)
    canvas = frame(pixels, Framing(20, "resize", interpolation=interpolation))
    filters = Image.Resampling[interpolation.upper()]
    np.testing.assert_array_equal(canvas, np.asarray(image.resize((20, 20), filters)))


@pytest.mark.parametrize("method", ["resize", "native", "native-shrink"])
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (7, 9, 4), (30, 9), (1, 1), (16, 16)])
def test_shape_kind_and_input_left_alone(method: str, shape: tuple[int, ...]) -> None:
    pixels = picture(*shape)
    before = pixels.copy()
    framing = Framing(16, method)  # type: ignore[arg-type]
    canvas = frame(pixels, framing)
    assert canvas.dtype == np.uint8
    assert canvas.shape == ((16, 16) if len(shape) == 2 else (16, 16, 3))
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(frame(pixels, framing), canvas)


def test_grey_and_colour_agree() -> None:
    grey = picture(21, 50)
    for method in ("resize", "native", "native-shrink"):
        framing = Framing(32, method)  # type: ignore[arg-type]
        colour = frame(np.dstack([grey] * 3), framing)
        np.testing.assert_array_equal(colour, np.dstack([frame(grey, framing)] * 3))


def test_opacity_is_composited_over_the_background() -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, :3] = 200, 100, 0
    pixels[0, :, 3] = 0, 255, 51
    canvas = frame(pixels, Framing(3, "native", 50))
    assert canvas[1].tolist() == [[50, 50, 50], [200, 100, 0], [80, 60, 40]]
    assert canvas[0].tolist() == [[50, 50, 50]] * 3


def test_opacity_rounds_to_the_nearest() -> None:
    pixels = np.array([[[200, 100, 0, 100]]], np.uint8)
    exact = np.array([200, 100, 0]) * 100 / 255 + 50 * 155 / 255
    assert frame(pixels, Framing(1, "native", 50))[0, 0].tolist() == np.rint(exact).tolist()


def test_opaque_rgba_is_rgb_and_clear_rgba_is_background() -> None:
    rgb = picture(9, 14, 3)
    opaque = np.dstack([rgb, np.full((9, 14), 255, np.uint8)])
    clear = np.dstack([rgb, np.zeros((9, 14), np.uint8)])
    for method in ("resize", "native"):
        framing = Framing(20, method)  # type: ignore[arg-type]
        np.testing.assert_array_equal(frame(opaque, framing), frame(rgb, framing))
        assert (frame(clear, framing) == 255).all()


def test_bottom_is_cut_before_anything_else() -> None:
    pixels = picture(20, 30)
    pixels[15:] = 255  # a scale bar's strip
    framed = frame(pixels, Framing(30, "resize", crop_bottom=5))
    np.testing.assert_array_equal(framed, frame(pixels[:15], Framing(30, "resize")))
    assert crop_bottom(pixels, 0).shape == (20, 30)
    assert crop_bottom(pixels, 19).shape == (1, 30)


@pytest.mark.parametrize("rows", [20, 21])
def test_nothing_left_after_cutting(rows: int) -> None:
    with pytest.raises(ImageFailure, match=f"frame: nothing left: 20 px high, crop-bottom is "
                                           f"{rows} px"):
        frame(picture(20, 30), Framing(16, crop_bottom=rows))
