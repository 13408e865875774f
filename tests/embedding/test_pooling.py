"""Pooling against plain loops and closed forms; views against NumPy's own turns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.embedding.engines import open_engine
from plankton_features.embedding.pooling import cell_bounds, pool, vector_blocks
from plankton_features.embedding.views import make_views

POOLINGS = ("avg", "max", "gem", "spp")


def pool_slowly(maps, pooling, views, levels, power):
    """The definitions, number by number."""
    n, height, width, channels = maps.shape
    batch = n // views
    maps = maps.reshape(views, batch, height, width, channels).astype(np.float64)
    rows = []
    for image in range(batch):
        row = []
        cells = [(i, j, k) for k in levels for i in range(k) for j in range(k)]
        for i, j, k in cells if pooling == "spp" else [(0, 0, 1)]:
            top, bottom = math.floor(i * height / k), math.ceil((i + 1) * height / k)
            left, right = math.floor(j * width / k), math.ceil((j + 1) * width / k)
            for channel in range(channels):
                seen = [[maps[v, image, y, x, channel] for y in range(top, bottom)
                         for x in range(left, right)] for v in range(views)]
                row.append(pool_numbers(seen, pooling, power))
        rows.append(row)
    return np.array(rows)


def pool_numbers(by_view, pooling, power):
    every = [value for values in by_view for value in values]
    if pooling == "avg":
        return sum(every) / len(every)
    if pooling == "max":
        return max(every)
    if pooling == "gem":
        return (sum(max(x, 1e-6) ** power for x in every) / len(every)) ** (1 / power)
    return sum(map(max, by_view)) / len(by_view)


@given(
    pooling=st.sampled_from(POOLINGS),
    views=st.sampled_from([1, 4, 8]),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    levels=st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True),
    power=st.floats(0.5, 8),
    seed=st.integers(0, 10_000),
)
def test_pooling_is_what_its_definition_says(pooling, views, shape, levels, power, seed):
    batch, *rest = shape
    maps = np.random.default_rng(seed).normal(1, 2, (views * batch, *rest)).astype(np.float32)
    got = pool(maps, pooling, views=views, ops=np, levels=tuple(levels), power=power)
    expected = pool_slowly(maps, pooling, views, levels, power)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0, 20.0])
def test_generalised_mean_of_equal_values_is_that_value(power):
    maps = np.full((4, 3, 5, 2), 2.5, np.float32)
    np.testing.assert_allclose(pool(maps, "gem", views=4, ops=np, power=power), 2.5, rtol=1e-5)


def test_generalised_mean_lies_between_mean_and_maximum():
    maps = np.random.default_rng(0).uniform(0.1, 5, (4, 6, 6, 3)).astype(np.float32)
    mean, top = (pool(maps, kind, views=2, ops=np) for kind in ("avg", "max"))
    np.testing.assert_allclose(pool(maps, "gem", views=2, ops=np, power=1.0), mean, rtol=1e-5)
    cube = pool(maps, "gem", views=2, ops=np, power=3.0)
    assert (mean < cube).all()
    assert (cube < top).all()
    # The share of the maximum among 72 values: 72 ** (-1 / power).
    np.testing.assert_allclose(pool(maps, "gem", views=2, ops=np, power=500.0), top, rtol=0.01)


@pytest.mark.parametrize("scale", [1e-4, 1e6])
def test_generalised_mean_neither_overflows_nor_vanishes(scale):
    maps = np.full((1, 4, 4, 1), scale, np.float32)
    np.testing.assert_allclose(pool(maps, "gem", views=1, ops=np, power=12.0), scale, rtol=1e-5)


def test_spp_of_one_cell_is_the_maximum():
    maps = np.random.default_rng(1).normal(size=(3, 5, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(pool(maps, "spp", views=1, ops=np, levels=(1,)),
                                  maps.max(axis=(1, 2)))


def test_spp_orders_cells_row_by_row():
    maps = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    assert pool(maps, "spp", views=1, ops=np, levels=(1, 2)).tolist() == [[15, 5, 7, 13, 15]]


@given(length=st.integers(1, 200), level=st.integers(1, 16))
def test_cells_cover_the_side_and_are_never_empty(length, level):
    cells = cell_bounds(length, level)
    assert len(cells) == level
    assert all(0 <= start < end <= length for start, end in cells)
    assert {i for start, end in cells for i in range(start, end)} == set(range(length))
    assert max(end - start for start, end in cells) <= length / level + 2


def test_blocks_name_the_parts_in_order():
    blocks = vector_blocks(["a", "b"], [10, 3], ["max", "spp"], [1, 3])
    assert blocks == [("a_max", 10), ("a_spp", 100), ("b_max", 3), ("b_spp", 30)]


def symmetries(canvases):
    turns = [np.rot90(canvases, k, axes=(1, 2)) for k in range(4)]
    return turns + [turn[:, :, ::-1] for turn in turns]


@pytest.mark.parametrize(("views", "n"), [("none", 1), ("rot4", 4), ("d4", 8)])
@pytest.mark.parametrize("side", [4, 5])
def test_views_are_the_symmetries_of_the_square(views, n, side):
    canvases = np.random.default_rng(2).integers(0, 256, (2, side, side, 3), np.uint8)
    got = make_views(canvases, views, np)
    np.testing.assert_array_equal(got[0], canvases)
    assert {v.tobytes() for v in got} == {v.tobytes() for v in symmetries(canvases)[:n]}
    assert len({v.tobytes() for v in got}) == n
    assert all(v.dtype == np.uint8 for v in got)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(("views", "n"), [("rot4", 4), ("d4", 8)])
def test_vectors_do_not_change_when_the_canvas_turns(make, draw_canvases, views, n, pooling):
    canvases = draw_canvases(3, 32)
    engine = open_engine(make(canvas=32, views=views, pooling=pooling), None)
    plain = engine.submit(canvases)()
    for turned in symmetries(canvases)[:n]:
        np.testing.assert_allclose(engine.submit(turned)(), plain, rtol=1e-5)


def test_without_views_vectors_change_when_the_canvas_turns(make, draw_canvases):
    canvases = draw_canvases(3, 32)
    for views, symmetry in (("none", 1), ("rot4", 4)):
        engine = open_engine(make(canvas=32, views=views), None)
        turned = symmetries(canvases)[symmetry]
        assert np.abs(engine.submit(turned)() - engine.submit(canvases)()).max() > 0.01
