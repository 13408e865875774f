"""What is found on a ground: objects of all kinds, several, none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from morphometry.drawing import Ellipse, Ground

from plankton_features.morphometry import measure, outline
from plankton_features.morphometry.neighbours import most_within_three, smoothed


def disc_at(y: float, x: float, radius: float, side: int = 80) -> np.ndarray:
    rows, columns = np.ogrid[:side, :side]
    return np.clip(radius + 0.5 - np.hypot(rows - y, columns - x), 0, 1)


@pytest.mark.parametrize("noise", [0, 1, 3, 8])
@pytest.mark.parametrize("grey", [0, 3, 128, 252, 255])
def test_nothing_is_found_on_an_empty_ground(grey: int, noise: float) -> None:
    rng = np.random.default_rng(grey)
    for _ in range(40):
        empty = np.zeros(rng.integers(20, 120, 2))
        found = outline(Ground(grey, 0, noise).picture(empty, rng))
        assert found.n_objects == 0
        assert found.cover is None
        assert not found.mask.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 3), (1, 1, 3), (2, 2, 4)])
@pytest.mark.parametrize("ground", ["border", "white", "black", 128])
def test_tiny_pictures(shape: tuple[int, ...], ground: str | int) -> None:
    for value in (0, 128, 255):
        found = measure(np.full(shape, value, np.uint8), ground=ground, feret=True)
        assert found["n_objects"] in (0, 1)
        assert np.isnan(found["area_px"]) == (found["n_objects"] == 0)


def test_a_picture_that_is_all_object() -> None:
    found = measure(np.zeros((1, 1), np.uint8), ground="white", feret=True)
    assert {found[name] for name in ("area_px", "solidity", "edge_contact", "feret_max_px")} == {1}
    assert found["major_axis_px"] == found["minor_axis_px"] == pytest.approx(4 / 12**0.5)


@pytest.mark.parametrize("contrast", [-80, 80])
def test_one_pixel(contrast: int) -> None:
    pixels = np.full((15, 15), 130, np.uint8)
    pixels[6, 8] = 130 + contrast
    found = measure(pixels)
    assert found["area_px"] == 1
    assert found["esd_px"] == pytest.approx(2 / np.pi**0.5)
    assert found["grey_mean"] == 130 + contrast
    assert found["grey_std"] == 0


def test_a_faint_object_in_noise_is_found() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        drawn = Ellipse(14, 14, margin=20).somewhere(rng)
        found = measure(Ground(120, -14, noise=4).picture(drawn.cover(), rng))
        assert found["n_objects"] == 1
        assert found["area_px"] == pytest.approx(drawn.area, rel=0.1)


def test_of_several_the_largest_is_measured() -> None:
    cover = disc_at(20, 20, 6) + disc_at(50, 50, 14) + disc_at(15, 60, 8)
    found = measure(Ground(230, -100).picture(cover, np.random.default_rng(0)))
    assert found["n_objects"] == 3
    assert found["area_px"] == pytest.approx(np.pi * 14**2, rel=0.02)


def test_a_larger_but_paler_object_is_measured() -> None:
    cover = disc_at(20, 20, 8) + 0.2 * disc_at(50, 50, 16)
    found = measure(Ground(230, -200).picture(cover, np.random.default_rng(0)))
    assert found["area_px"] == pytest.approx(np.pi * 16**2, rel=0.02)


def test_a_dark_core_does_not_hide_the_pale_body() -> None:
    cover = np.maximum(0.25 * disc_at(40, 40, 25), disc_at(42, 38, 8))
    found = measure(Ground(240, -200).picture(cover, np.random.default_rng(0)))
    assert found["area_px"] == pytest.approx(np.pi * 25**2, rel=0.02)
    assert found["perimeter_px"] == pytest.approx(2 * np.pi * 25, rel=0.02)


def test_an_object_lighter_and_darker_than_its_ground_is_one() -> None:
    cover = disc_at(40, 40, 20) * np.where(np.arange(80) < 40, 1, -1)
    found = measure(Ground(128, 70).picture(cover, np.random.default_rng(0)))
    assert found["n_objects"] == 1
    assert found["area_px"] == pytest.approx(np.pi * 20**2, rel=0.05)


def ring(opening: int) -> np.ndarray:
    cover = disc_at(40, 40, 25) - disc_at(40, 40, 17)
    cover[40: 40 + opening, 40:] = 0
    return Ground(250, -150).picture(cover, np.random.default_rng(0))


@pytest.mark.parametrize(("opening", "filled"), [(0, True), (1, True), (2, True), (6, False)])
def test_holes_are_filled_and_hollows_with_narrow_openings(opening: int, filled: bool) -> None:
    area = measure(ring(opening))["area_px"]
    expected = np.pi * 25**2 if filled else np.pi * (25**2 - 17**2) - 8 * opening
    assert area == pytest.approx(expected, rel=0.03)


def test_small_fragments_beyond_a_gap_are_left_out_and_large_ones_not() -> None:
    """Connected by a pale bridge, which is too pale beside the dark discs to be their part."""
    for radius, counted in ((3, False), (12, True)):
        cover = disc_at(40, 25, 14) + disc_at(40, 46 + radius, radius)
        cover[38:43, 39:48] = np.maximum(cover[38:43, 39:48], 0.1)
        found = measure(Ground(240, -200).picture(cover, np.random.default_rng(0)))
        assert found["n_objects"] == 1
        expected = np.pi * (14**2 + counted * radius**2)
        assert found["area_px"] == pytest.approx(expected, rel=0.04)


def test_colour_of_the_ground_s_brightness_is_seen() -> None:
    cover = disc_at(40, 40, 15)[..., None]
    colour, ground = np.array([200, 87, 125.0]), np.array([125.0, 125, 125])
    pixels = np.rint(ground + (colour - ground) * cover).astype(np.uint8)
    found = measure(pixels)
    assert found["area_px"] == pytest.approx(np.pi * 15**2, rel=0.02)
    assert abs(found["grey_mean"] - found["grey_ground"]) < 2


def test_grey_in_three_channels_is_grey(disc: np.ndarray) -> None:
    assert measure(np.repeat(disc[..., None], 3, axis=2)) == measure(disc)


def test_what_is_transparent_is_ground(disc: np.ndarray) -> None:
    cover = disc_at(40, 40, 15)
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[..., :3] = np.random.default_rng(0).integers(0, 256, (80, 80, 1))
    rgba[cover > 0, :3] = 60
    rgba[..., 3] = np.rint(255 * cover)
    found = measure(rgba)
    assert found["grey_ground"] == 255
    assert found["n_objects"] == 1
    assert found["area_px"] == pytest.approx(np.pi * 15**2, rel=0.02)


def test_a_border_of_which_less_than_half_is_object_is_ground() -> None:
    pixels = np.full((40, 40), 240, np.uint8)
    pixels[:, 10:28] = 100  # 36 of 156 pixels of the border
    pixels[10:27] = 100  # and 34
    assert measure(pixels)["area_px"] == 1600 - 22 * 23


def test_the_ground_can_be_told_where_the_border_is_object() -> None:
    tight = np.full((20, 30), 80, np.uint8)
    tight[:6, :6] = 255
    assert measure(tight)["area_px"] == 36
    assert measure(tight, ground="white")["area_px"] == 20 * 30 - 36


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_turning_and_mirroring_change_nothing(turn: int) -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        drawn = Ellipse(15, 6).somewhere(rng)
        pixels = Ground(128, -90, noise=5).picture(drawn.cover(), rng)
        plain = measure(pixels, feret=True)
        for other in (np.rot90(pixels, turn), np.rot90(pixels[:, ::-1], turn)):
            assert measure(other, feret=True) == pytest.approx(plain, rel=1e-5)


def test_a_negative_has_the_same_shape(disc: np.ndarray) -> None:
    shape = {name: value for name, value in measure(disc).items() if "grey" not in name}
    assert {name: measure(255 - disc)[name] for name in shape} == shape


def test_pixels_stay_as_they_are(disc: np.ndarray) -> None:
    frozen = disc.copy()
    frozen.setflags(write=False)
    measure(frozen)
    np.testing.assert_array_equal(frozen, disc)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 25), st.integers(1, 25), st.sampled_from([(), (3,), (4,)]),
       st.integers(0, 2**20))
def test_any_pixels_are_measured(height: int, width: int, channels: tuple[int, ...],
                                 seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.choice(np.array([0, 100, 140, 255], np.uint8), (height, width, *channels))
    found = measure(pixels, feret=True, pixel_size=2.0)
    if not found["n_objects"]:
        return
    assert 0.5 <= found["area_px"] <= height * width
    assert 0 < found["solidity"] <= 1
    assert found["feret_max_px"] >= found["feret_min_px"] - 1e-9 > 0
    assert all(np.isfinite(list(found.values())))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_filters_against_their_definitions(height: int, width: int, seed: int) -> None:
    values = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    wide = np.pad(values, 1, mode="edge")
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    for y in range(height):
        for x in range(width):
            assert smoothed(values)[y, x] == pytest.approx(
                (wide[y: y + 3, x: x + 3] * weights).sum(), rel=1e-5)
            near = values[max(0, y - 3): y + 4, max(0, x - 3): x + 4]
            assert most_within_three(values)[y, x] == near.max()
