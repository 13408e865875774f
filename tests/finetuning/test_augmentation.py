"""Views of framed vignettes: exact turns, no distortion, nothing cut off, the ground kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plankton_features.embedding.views import make_views
from plankton_features.errors import InputError
from plankton_features.finetuning.augmentation import (
    AUGMENTATIONS,
    augment,
    fitting_factor,
    resample,
    turns,
    view_matrix,
)
from plankton_features.images.framing import background_of

KINDS = st.sampled_from(sorted(AUGMENTATIONS))
CHANNELS = st.sampled_from([(), (3,)])


def noise(n: int, side: int, channels: tuple[int, ...] = (), seed: int = 0) -> np.ndarray:
    shape = (n, side, side, *channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def ellipses(n: int, ground: int, ink: int, side: int = 96) -> np.ndarray:
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    inside = (x / 36) ** 2 + (y / 14) ** 2 <= 1
    return np.repeat(np.where(inside, ink, ground).astype(np.uint8)[None], n, axis=0)


@settings(max_examples=60, deadline=None)
@given(KINDS, st.integers(0, 4), st.integers(1, 40), CHANNELS, st.integers(0, 2**32 - 1))
def test_shape_and_dtype_stay_and_a_seed_gives_the_same(kind, n, side, channels, seed):
    canvases = noise(n, side, channels)
    before = canvases.copy()
    varied = augment(canvases, kind, np.random.default_rng(seed))
    assert varied.shape == canvases.shape
    assert varied.dtype == np.uint8
    assert not np.shares_memory(varied, canvases)
    np.testing.assert_array_equal(canvases, before)
    np.testing.assert_array_equal(varied, augment(canvases, kind, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", ["turns", "full"])
def test_batches_and_seeds(kind):
    canvases = np.repeat(noise(1, 32), 12, axis=0)
    whole = augment(canvases, kind, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    parts = [augment(canvases[i : i + 5], kind, rng) for i in (0, 5, 10)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert (whole != augment(canvases, kind, np.random.default_rng(5))).any()
    assert len(np.unique(whole, axis=0)) > 4


def test_none_takes_nothing_from_the_generator():
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(augment(noise(3, 8), "none", rng), noise(3, 8))
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("channels", [(), (3,)])
def test_turns_are_exact_and_all_different(channels):
    canvases = noise(3, 9, channels)
    views = [turns(canvases, k) for k in range(8)]
    for k, view in enumerate(views):
        expected = np.rot90(canvases, k % 4, axes=(1, 2))
        np.testing.assert_array_equal(view, np.flip(expected, 2) if k > 3 else expected)
        assert not np.shares_memory(view, canvases)
        assert view.flags.c_contiguous
    assert len({view.tobytes() for view in views}) == 8


def test_turns_are_the_views_of_a_recipe():
    canvases = noise(2, 7, (3,))
    for k, view in enumerate(make_views(canvases, "d4", np)):
        np.testing.assert_array_equal(turns(canvases, k), view)


def test_augmenting_by_turns_takes_each_about_equally_often():
    canvases = np.repeat(noise(1, 6), 4000, axis=0)
    numbers = {turns(canvases[:1], k).tobytes(): k for k in range(8)}
    varied = augment(canvases, "turns", np.random.default_rng(0))
    counts = np.bincount([numbers[picture.tobytes()] for picture in varied], minlength=8)
    assert np.abs(counts - 500).max() < 4.5 * math.sqrt(500 * 7 / 8)


def moments(picture: np.ndarray, ground: float) -> tuple[float, float, float]:
    """Area in units of the ink, and the standard deviations along the two main axes."""
    weight = np.abs(picture.astype(float) - ground)
    weight[weight < 0.1 * weight.max()] = 0
    y, x = np.nonzero(weight)
    w = weight[y, x]
    small, large = np.linalg.eigvalsh(np.cov(np.stack([x, y]), aweights=w))
    return w.sum() / np.median(w), math.sqrt(small), math.sqrt(large)


@pytest.mark.parametrize(("ground", "ink"), [(255, 60), (128, 20), (0, 200)])
def test_an_ellipse_keeps_its_shape(ground, ink):
    canvases = ellipses(150, ground, ink)
    area, small, large = moments(canvases[0], ground)
    scales = []
    for picture in augment(canvases, "full", np.random.default_rng(1)):
        new = moments(picture, background_of(picture, "border")[0])
        assert new[2] / new[1] == pytest.approx(large / small, rel=0.03)
        scales.append(new[2] / large)
        assert new[0] == pytest.approx(area * scales[-1] ** 2, rel=0.05)
    assert 0.84 < min(scales) < 0.88
    assert 1.07 < max(scales) < 1.11


@pytest.mark.parametrize("ground", [255, 250, 128, 3, 0])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_uniform_canvas_moves_as_one_and_by_at_most_ten(ground, channels):
    canvases = np.full((60, 24, 24, *channels), ground, np.uint8)
    varied = augment(canvases, "full", np.random.default_rng(0)).reshape(60, -1).astype(int)
    assert (varied.min(axis=1) == varied.max(axis=1)).all()
    values = varied[:, 0]
    assert np.abs(values - ground).max() <= 10
    assert values.max() > ground or ground == 255
    assert values.min() < ground or ground == 0


@pytest.mark.parametrize(("ground", "ink"), [(255, 60), (170, 250), (0, 200)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_corners_are_ground(ground, ink, channels):
    canvases = ellipses(30, ground, ink)
    if channels:
        canvases = np.repeat(canvases[..., None], 3, axis=3)
    for picture in augment(canvases, "full", np.random.default_rng(2)):
        corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert len(np.unique(corners)) == 1
        assert abs(int(corners.flat[0]) - ground) <= 10


def test_contrast_is_counted_from_the_ground_and_within_ten_percent():
    pictures = augment(ellipses(200, 200, 100), "full", np.random.default_rng(3)).astype(float)
    depths = pictures[:, 0, 0] - pictures[:, 48, 48]
    assert 89 <= depths.min() < 92
    assert 108 < depths.max() <= 111
    assert np.corrcoef(depths, pictures[:, 0, 0])[0, 1] ** 2 < 0.1


def test_what_is_faint_on_white_stays_visible():
    for picture in augment(ellipses(50, 255, 249), "full", np.random.default_rng(0)):
        assert int(picture[0, 0]) - int(picture[48, 48]) >= 5


def test_colours_keep_their_ground_and_order():
    canvases = np.full((20, 32, 32, 3), (250, 180, 20), np.uint8)
    canvases[:, 8:24, 12:20] = (40, 90, 200)
    for picture in augment(canvases, "full", np.random.default_rng(0)).astype(int):
        shifts = picture[0, 0] - (250, 180, 20)
        assert len(set(shifts)) == 1
        np.testing.assert_allclose(picture[16, 16] - picture[0, 0],
                                   (-210, -90, 180), rtol=0.1, atol=1)


@pytest.mark.parametrize("canvases", [
    np.zeros((2, 4, 5), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((2, 4, 4, 4), np.uint8),
    np.zeros((2, 4, 4), np.float32), np.zeros((2, 0, 0), np.uint8),
    np.zeros((1, 4, 4, 3, 1), np.uint8)])
def test_other_arrays_are_refused(canvases):
    with pytest.raises(InputError, match="canvases: expected uint8 of shape"):
        augment(canvases, "none", np.random.default_rng(0))
    with pytest.raises(InputError, match="Frame the vignettes first"):
        turns(canvases, 0)


def test_other_names_are_refused():
    with pytest.raises(InputError, match="augmentation 'flip': expected one of none, turns, full"):
        augment(noise(1, 4), "flip", np.random.default_rng(0))
    for k in (-1, 8, 1.5):
        with pytest.raises(InputError, match=r"k: expected a view in 0\.\.7"):
            turns(noise(1, 4), k)


ANGLES = st.floats(0, 2 * math.pi)
WHITE = np.array([255], np.uint8)


@given(ANGLES, st.booleans(), st.floats(0.1, 3))
def test_both_axes_are_scaled_alike(angle, mirrored, scale):
    matrix = view_matrix(angle, mirrored, scale)
    np.testing.assert_allclose(np.linalg.svd(matrix, compute_uv=False), scale)
    assert np.linalg.det(matrix) == pytest.approx(scale**2 * (-1 if mirrored else 1))


@pytest.mark.parametrize("shape", [(12, 12), (13, 13), (12, 12, 3)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_quarter_turns_are_to_the_left_and_about_the_centre(shape, mirrored):
    canvas = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    background = np.full(3 if shape[2:] else 1, 255, np.uint8)
    for k in range(4):
        matrix = view_matrix(k * math.pi / 2, mirrored, 1.0)
        turned = np.asarray(resample(canvas, background, matrix)).astype(int)
        expected = np.rot90(canvas[:, ::-1] if mirrored else canvas, k)
        assert np.abs(turned - expected).max() <= 1


@pytest.mark.parametrize("k", range(4))
def test_nothing_shrinks_at_quarter_turns(k):
    assert fitting_factor(np.zeros((32, 32), np.uint8), WHITE,
                          view_matrix(k * math.pi / 2, False, 1.0)) == pytest.approx(1)


def test_closed_forms():
    canvas = np.zeros((64, 64), np.uint8)
    matrix = view_matrix(math.pi / 4, True, 1.0)
    assert fitting_factor(canvas, WHITE, matrix) == pytest.approx(math.sqrt(0.5))
    assert fitting_factor(canvas, np.zeros(1, np.uint8), matrix) == 1
    bar = np.full((64, 64), 255, np.uint8)
    bar[28:36] = 0
    assert fitting_factor(bar, WHITE, view_matrix(0.0, False, 1.1)) == pytest.approx(1 / 1.1)
    assert fitting_factor(bar, WHITE, matrix) == 1


@settings(max_examples=150, deadline=None)
@given(ANGLES, st.booleans(), st.floats(0.85, 1.1), st.integers(8, 70), st.data())
def test_the_object_is_not_cut(angle, mirrored, scale, side, data):
    top, left = (data.draw(st.integers(0, side - 4)) for _ in range(2))
    canvas = np.full((side, side), 255, np.uint8)
    rows, columns = slice(top, data.draw(st.integers(top + 4, side))), slice(left, left + 4)
    canvas[rows, columns] = 0
    matrix = view_matrix(angle, mirrored, scale)
    matrix = matrix * fitting_factor(canvas, WHITE, matrix)
    y, x = np.nonzero(canvas == 0)
    moved = np.abs(matrix @ (np.stack([x, y]) + 0.5 - side / 2)).max(axis=0)
    assert (moved > side / 2).sum() <= 4  # a corner pixel, alone in its block, is no object


def test_noise_does_not_shrink_and_faint_objects_do():
    noise = np.random.default_rng(0).normal(200, 8, (64, 64)).round().astype(np.uint8)
    diagonal = view_matrix(math.pi / 4, False, 1.0)
    noise[24:40, 24:40] = 60
    ground = np.array([200], np.uint8)
    assert fitting_factor(noise, ground, diagonal) == 1
    faint = np.full((64, 64), 200, np.uint8)
    faint[:8, :8] = faint[-8:, -8:] = 192
    assert fitting_factor(faint, ground, diagonal) == pytest.approx(math.sqrt(0.5))


def test_outside_is_background():
    colours = np.array([10, 20, 30], np.uint8)
    moved = resample(np.zeros((20, 20, 3), np.uint8), colours, view_matrix(0.8, False, 0.7))
    assert [moved.getpixel(p) for p in ((0, 0), (19, 0), (0, 19), (19, 19))] == [(10, 20, 30)] * 4
    assert moved.getpixel((10, 10)) == (0, 0, 0)
