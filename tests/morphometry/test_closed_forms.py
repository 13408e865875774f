"""Drawn discs and ellipses from 20 px up, on every ground, against closed forms."""

from __future__ import annotations

import io

import numpy as np
import pytest
from morphometry.drawing import GROUNDS, SHAPES, Ellipse, Ground
from PIL import Image

from plankton_features.morphometry import measure


def error(measured: float, true: float) -> float:
    return abs(measured / true - 1)


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_size_and_shape(shape: Ellipse, ground: Ground) -> None:
    rng = np.random.default_rng(7)
    for _ in range(8):
        drawn = shape.somewhere(rng)
        found = measure(ground.picture(drawn.cover(), rng))
        assert found["n_objects"] == 1
        assert error(found["area_px"], drawn.area) < 0.02
        assert error(found["esd_px"], 2 * (drawn.a * drawn.b) ** 0.5) < 0.02
        assert error(found["perimeter_px"], drawn.perimeter) < 0.02
        assert error(found["major_axis_px"], 2 * drawn.a) < 0.02
        assert error(found["minor_axis_px"], 2 * drawn.b) < 0.02
        assert error(found["volume_sphere_px"], np.pi / 6 * found["esd_px"] ** 3) < 1e-12
        assert error(found["volume_sphere_px"], 4 / 3 * np.pi * (drawn.a * drawn.b) ** 1.5) < 0.03
        assert error(found["volume_ellipsoid_px"], drawn.spheroid) < 0.03
        assert found["solidity"] > 0.95


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
def test_grey(ground: Ground) -> None:
    """Only pixels on the edge are neither object nor ground."""
    drawn = Ellipse(40, 40)
    found = measure(ground.picture(drawn.cover(), np.random.default_rng(0)))
    assert abs(found["grey_ground"] - ground.grey) <= 1
    assert abs(found["grey_mean"] - ground.grey - ground.contrast) < 0.03 * abs(ground.contrast)
    assert ground.noise <= found["grey_std"] < ground.noise + 0.15 * abs(ground.contrast)


def test_jpeg_moves_no_edge() -> None:
    rng = np.random.default_rng(3)
    drawn = Ellipse(20, 12).somewhere(rng)
    file = io.BytesIO()
    Image.fromarray(Ground(255, -170).picture(drawn.cover(), rng)).save(file, "JPEG", quality=75)
    found = measure(np.asarray(Image.open(file)))
    assert found["n_objects"] == 1
    assert error(found["area_px"], drawn.area) < 0.02
    assert error(found["perimeter_px"], drawn.perimeter) < 0.02


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
def test_errors_are_no_bias(ground: Ground) -> None:
    rng = np.random.default_rng(2)
    drawings = [Ellipse(11, 10).somewhere(rng) for _ in range(40)]
    areas = [measure(ground.picture(drawn.cover(), rng))["area_px"] for drawn in drawings]
    assert error(np.mean(areas), drawings[0].area) < 0.006


@pytest.mark.parametrize("turns", range(4))
def test_what_the_border_cuts_is_measured_as_far_as_it_is_there(turns: int) -> None:
    drawn = Ellipse(20, 20)
    whole = Ground(220, -120).picture(drawn.cover(), np.random.default_rng(0))
    found = measure(np.rot90(whole[drawn.side // 2:], turns))
    assert error(found["area_px"], drawn.area / 2) < 0.02
    assert error(found["perimeter_px"], drawn.perimeter / 2 + 40) < 0.03
    assert abs(found["edge_contact"] - 40) <= 1
    assert measure(whole)["edge_contact"] == 0
