"""Names, units, sizes of pixels, and many pictures at once."""

from __future__ import annotations

import numpy as np
import pytest
from morphometry.drawing import Ellipse, Ground

from plankton_features.errors import InputError
from plankton_features.morphometry import column_units, measure, measure_all

FACTORS = {"px": 1.0, "px²": 1.0, "px³": 1.0, "µm": 7.5, "mm²": 7.5**2 * 1e-6,
           "mm³": 7.5**3 * 1e-9}


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = [Ellipse(rng.uniform(5, 20), 5).somewhere(rng).cover() for _ in range(20)]
    return [Ground(220, -90, noise=2).picture(cover, rng) for cover in [*drawn, np.zeros((9, 9))]]


@pytest.mark.parametrize("feret", [False, True])
@pytest.mark.parametrize("pixel_size", [None, 2.0])
def test_units_name_what_is_measured_in_its_order(disc: np.ndarray, feret: bool,
                                                  pixel_size: float | None) -> None:
    units = column_units(sized=pixel_size is not None, feret=feret)
    assert list(measure_all([disc], pixel_size=pixel_size, feret=feret)) == list(units)
    assert set(measure(disc, pixel_size=pixel_size, feret=feret)) == set(units)
    assert any("feret" in name for name in units) == feret
    assert any(name.endswith("_um") for name in units) == (pixel_size is not None)


def test_every_unit_is_the_pixels_one_times_a_power_of_their_size(disc: np.ndarray) -> None:
    found, units = measure(disc, pixel_size=7.5, feret=True), column_units(feret=True)
    sized = [name for name, unit in units.items() if "m" in unit]
    assert len(sized) == 9
    for name in sized:
        in_pixels = found[f"{name.rpartition('_')[0]}_px"]
        assert found[name] == pytest.approx(in_pixels * FACTORS[units[name]])


def test_a_size_that_is_not_known_is_nan(disc: np.ndarray) -> None:
    found, units = measure(disc, pixel_size=float("nan")), column_units()
    assert {name for name, value in found.items() if np.isnan(value)} == {
        name for name, unit in units.items() if unit in ("µm", "mm²", "mm³")}


@pytest.mark.parametrize("size", [0, -1.5, float("inf")])
def test_a_size_that_cannot_be_is_refused(disc: np.ndarray, size: float) -> None:
    with pytest.raises(InputError, match="pixel_size: expected µm per pixel, above 0"):
        measure(disc, pixel_size=size)


@pytest.mark.parametrize("threads", [1, 3])
def test_many_are_measured_as_one_by_one(pictures: list[np.ndarray], threads: int) -> None:
    sizes = np.linspace(1, 3, len(pictures))
    sizes[4] = np.nan
    columns = measure_all(pictures, pixel_size=sizes, feret=True, threads=threads)
    for i, (pixels, size) in enumerate(zip(pictures, sizes, strict=True)):
        one = measure(pixels, pixel_size=size, feret=True)
        assert {name: values[i] for name, values in columns.items()} == pytest.approx(
            one, rel=0, abs=0, nan_ok=True)


def test_counts_are_whole_numbers_and_all_else_may_be_nan(pictures: list[np.ndarray]) -> None:
    columns = measure_all(pictures)
    whole = {name for name, values in columns.items() if values.dtype == np.int64}
    assert whole == {"n_objects", "edge_contact"}
    assert all(columns[name].dtype == np.float64 for name in set(columns) - whole)
    assert {name for name, values in columns.items() if np.isnan(values[-1])} == (
        set(columns) - whole - {"grey_ground"})


def test_no_pictures_give_empty_columns() -> None:
    columns = measure_all([], pixel_size=3.0)
    assert list(columns) == list(column_units())
    assert {values.shape for values in columns.values()} == {(0,)}


def test_as_many_sizes_as_pictures(disc: np.ndarray) -> None:
    with pytest.raises(InputError, match="one for each of the 2 pictures; got 3"):
        measure_all([disc, disc], pixel_size=[1, 2, 3])
