"""Exact class sizes of an epoch, fresh draws, and nothing seen that should not be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.errors import InputError
from plankton_features.finetuning.draws import SAMPLERS, epoch_rows, expected_counts

KEPT = ("none", "class-weight", "logit-adjustment")
SIZES = st.lists(st.integers(0, 60), min_size=1, max_size=8).filter(any)
LIMITS = st.tuples(st.none() | st.integers(1, 50), st.none() | st.integers(1, 50)).filter(
    lambda limits: None in limits or limits[0] <= limits[1])


def labels(sizes: list[int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


def uses(rows: np.ndarray, n_rows: int) -> np.ndarray:
    return np.bincount(rows, minlength=n_rows)


@given(SIZES, st.sampled_from(sorted(SAMPLERS)), LIMITS, st.integers(0, 9), st.integers(0, 9))
def test_every_epoch_has_exactly_the_expected_counts(sizes, sampler, limits, seed, epoch):
    y, k = labels(sizes), len(sizes)
    floor, cap = limits if sampler in KEPT else (None, None)
    expected = expected_counts(y, k, sampler=sampler, floor=floor, cap=cap)
    rows = epoch_rows(y, k, sampler=sampler, floor=floor, cap=cap, seed=seed, epoch=epoch)
    assert rows.dtype == expected.dtype == np.int64
    assert expected.shape == (k,)
    np.testing.assert_array_equal(np.bincount(y[rows], minlength=k), expected)
    np.testing.assert_array_equal(expected > 0, np.array(sizes) > 0)
    again = epoch_rows(y, k, sampler=sampler, floor=floor, cap=cap, seed=seed, epoch=epoch)
    np.testing.assert_array_equal(rows, again)


@given(SIZES, LIMITS, st.sampled_from(KEPT))
def test_floor_and_cap_row_by_row(sizes, limits, sampler):
    y, (floor, cap) = labels(sizes), limits
    rows = epoch_rows(y, len(sizes), sampler=sampler, floor=floor, cap=cap, seed=1, epoch=2)
    counts = uses(rows, len(y))
    for label, n in enumerate(sizes):
        of_class = counts[y == label]
        if n and floor and n < floor:
            assert of_class.sum() == floor
            assert set(of_class.tolist()) <= {floor // n, floor // n + 1}
        elif cap and n > cap:
            assert of_class.sum() == cap
            assert of_class.max() == 1
        else:
            assert (of_class == 1).all()


@given(SIZES)
def test_drawn_samplers_closed_forms(sizes):
    y, k, n = labels(sizes), len(sizes), np.array(sizes)
    balanced = expected_counts(y, k, sampler="class-balanced")
    roots = expected_counts(y, k, sampler="square-root")
    assert balanced.sum() == roots.sum() == len(y)
    assert np.ptp(balanced[n > 0]) <= 1
    quotas = [len(y) * math.sqrt(m) / sum(map(math.sqrt, sizes)) for m in sizes]
    assert np.abs(roots - quotas).max() < 1
    assert (np.diff(roots[np.argsort(n, kind="stable")]) >= -1).all()
    for sampler in ("class-balanced", "square-root"):
        counts = uses(epoch_rows(y, k, sampler=sampler, seed=0, epoch=0), len(y))
        assert all(np.ptp(counts[y == label]) <= 1 for label in set(y.tolist()))


def test_known_counts():
    y = labels([100, 4, 0, 1])
    assert expected_counts(y, 4, sampler="none").tolist() == [100, 4, 0, 1]
    assert expected_counts(y, 4, sampler="none", floor=3, cap=10).tolist() == [10, 4, 0, 3]
    assert expected_counts(y, 4, sampler="none", floor="balance").tolist() == [100, 100, 0, 100]
    assert expected_counts(y, 4, sampler="none", floor="balance", cap=7).tolist() == [7, 7, 0, 7]
    assert expected_counts(y, 4, sampler="class-balanced").tolist() == [35, 35, 0, 35]
    assert expected_counts(y, 4, sampler="square-root").tolist() == [81, 16, 0, 8]  # 80.8 16.2 8.1


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_epochs_and_seeds_differ(sampler):
    y = labels([60, 30, 7])
    limits = {"floor": 10, "cap": 40} if sampler in KEPT else {}
    draws = [epoch_rows(y, 3, sampler=sampler, **limits, seed=seed, epoch=epoch)
             for seed in (0, 1) for epoch in (0, 1, 2)]
    assert len({rows.tobytes() for rows in draws}) == 6
    assert len({np.sort(rows).tobytes() for rows in draws}) == 6 or sampler == "class-balanced"


def test_every_row_of_a_capped_class_is_seen_sooner_or_later_and_equally_often():
    y = np.zeros(50, int)
    counts = sum(uses(epoch_rows(y, 1, sampler="none", cap=10, seed=3, epoch=epoch), 50)
                 for epoch in range(500))
    assert np.abs(counts - 100).max() < 4.5 * math.sqrt(500 * 0.2 * 0.8)


def test_rows_are_shuffled_over_classes():
    y = np.repeat([0, 1], 500)
    first = y[epoch_rows(y, 2, sampler="none", seed=0, epoch=0)][:500].sum()
    assert 200 < first < 300


@pytest.mark.parametrize("sampler", ["class-balanced", "square-root"])
@pytest.mark.parametrize("limits", [{"floor": 5}, {"cap": 5}])
def test_floor_and_cap_need_a_sampler_that_takes_them(sampler, limits):
    with pytest.raises(InputError, match=rf"(floor|cap): sampler '{sampler}' takes none.*Leave"):
        expected_counts([0, 1], 2, sampler=sampler, **limits)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"sampler": "smote"}, "sampler 'smote': expected one of none, class-weight, class-balanced"),
    ({"floor": 9, "cap": 8}, "floor 9 is above cap 8"),
    ({"floor": 0}, "floor: expected a whole number of rows, at least 1 or 'balance'"),
    ({"cap": 2.5}, "cap: expected a whole number of rows, at least 1, got 2.5"),
    ({"cap": "balance"}, "cap: expected a whole number"),
    ({"seed": -1}, "seed: expected a whole number of at least 0, got -1"),
    ({"epoch": -1}, "epoch: expected a whole number of at least 0, got -1"),
    ({"y": []}, "y: expected a row of at least one"),
    ({"y": [0, 2]}, r"y: expected class numbers 0\.\.1"),
])
def test_other_arguments_are_refused(arguments, message):
    given_ = {"y": [0, 1], "n_classes": 2, "sampler": "none", "seed": 0, "epoch": 0, **arguments}
    with pytest.raises(InputError, match=message):
        epoch_rows(**given_)
