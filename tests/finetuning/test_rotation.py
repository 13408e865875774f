"""Turning about the centre: no distortion, and the object stays inside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plankton_features.finetuning.rotation import fitting_factor, resample, view_matrix

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
