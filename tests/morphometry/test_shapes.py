"""Axes, perimeter, hull and Feret diameters of masks, against other ways to compute them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from morphometry.drawing import Ellipse
from scipy.ndimage import gaussian_filter
from skimage.measure import regionprops
from skimage.morphology import convex_hull_image

from plankton_features.morphometry.hulls import hull_of
from plankton_features.morphometry.shapes import axes, perimeter, prolate_spheroid, sphere


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.integers(1, 16)), draw(st.integers(1, 16))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    mask = rng.random(shape) < draw(st.sampled_from([0.05, 0.3, 0.8]))
    mask[rng.integers(shape[0]), rng.integers(shape[1])] = True
    return mask


@settings(max_examples=100, deadline=None)
@given(masks())
def test_axes_are_those_of_regionprops_but_never_thinner_than_a_pixel(mask: np.ndarray) -> None:
    other = regionprops(mask.astype(np.uint8))[0]
    cover = mask.astype(np.float32)
    for ours, theirs in zip(axes(cover, perimeter(cover)),
                            (other.axis_major_length, other.axis_minor_length), strict=True):
        assert ours**2 / 16 == pytest.approx(max(theirs**2 / 16, 1 / 12), abs=1e-4)


@pytest.mark.parametrize("blur", [0.5, 1, 2])
def test_blur_does_not_change_the_axes(blur: float) -> None:
    drawn = Ellipse(24, 9, 0.4, margin=14)
    blurred = gaussian_filter(drawn.cover(), blur).astype(np.float32)
    major, minor = axes(blurred, perimeter(blurred))
    assert major == pytest.approx(48, rel=0.01)
    assert minor == pytest.approx(18, rel=0.01)


def crossings(mask: np.ndarray, down: int, right: int) -> int:
    """Of the edge by lines through pixels in one direction, pixel by pixel."""
    found = 0
    for y in range(-2, mask.shape[0]):
        for x in range(-2, mask.shape[1] + 2):
            ends = [(0 <= r < mask.shape[0] and 0 <= c < mask.shape[1] and bool(mask[r, c]))
                    for r, c in ((y, x), (y + down, x + right))]
            found += ends[0] != ends[1]
    return found


@settings(max_examples=30, deadline=None)
@given(masks())
def test_perimeter_is_crofton_s_sum(mask: np.ndarray) -> None:
    """Half of the sum over directions: angle that is theirs x distance of lines x crossings."""
    total = 0.0
    knight, diagonal = np.arctan(0.5), np.pi / 4
    for steps, angle in (([(0, 1), (1, 0)], knight),
                         ([(1, 1), (1, -1)], diagonal - knight),
                         ([(1, 2), (2, 1), (1, -2), (2, -1)], diagonal / 2)):
        total += sum(angle * crossings(mask, *step) / np.hypot(*step) for step in steps)
    assert perimeter(mask.astype(np.float32)) == pytest.approx(total / 2, rel=1e-5)


@pytest.mark.parametrize("angle", np.linspace(0, np.pi / 2, 7))
def test_perimeter_of_rectangles(angle: float) -> None:
    y, x = np.mgrid[-60:61, -60:61]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = ((abs(along) < 40.03) & (abs(across) < 20.03)).astype(np.float32)
    assert perimeter(inside) == pytest.approx(240, rel=0.025)


@settings(max_examples=150, deadline=None)
@given(masks())
def test_pixels_of_the_hull_are_those_of_skimage(mask: np.ndarray) -> None:
    if min(mask.any(axis=0).sum(), mask.any(axis=1).sum()) < 2:
        rows, columns = np.nonzero(mask)
        expected = np.ptp(rows) + np.ptp(columns) + 1
    elif np.linalg.matrix_rank(np.argwhere(mask) - np.argwhere(mask)[0]) < 2:
        steps = np.ptp(np.argwhere(mask), axis=0)
        expected = np.gcd(*steps) + 1
    else:
        expected = convex_hull_image(mask, offset_coordinates=False).sum()
    assert hull_of(mask).n_pixels() == expected


@settings(max_examples=100, deadline=None)
@given(masks())
def test_feret_diameters(mask: np.ndarray) -> None:
    """Of the middles of all sides of all pixels, by brute force and by turning in small steps."""
    middles = np.argwhere(mask)
    points = np.concatenate([middles + side for side in
                             ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))])
    angles = np.linspace(0, np.pi, 3601)
    widths = np.ptp(points @ np.stack([np.sin(angles), np.cos(angles)]), axis=0)
    largest, smallest = hull_of(mask).feret()
    apart = points[:, None] - points
    assert largest == pytest.approx(np.sqrt((apart**2).sum(axis=2).max()))
    assert smallest <= widths.min() + 1e-9
    assert smallest == pytest.approx(widths.min(), rel=0.02, abs=0.01)


def test_feret_of_a_row() -> None:
    """A lozenge at each end: the least distance is a little less than a pixel."""
    assert hull_of(np.ones((1, 9), bool)).feret() == pytest.approx((9, 1))


def test_volumes() -> None:
    assert sphere(2) == pytest.approx(4 / 3 * np.pi)
    assert prolate_spheroid(6, 4) == pytest.approx(4 / 3 * np.pi * 3 * 2 * 2)
    assert prolate_spheroid(5, 5) == sphere(5)
