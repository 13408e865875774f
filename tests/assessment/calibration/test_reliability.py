import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from plankton_features.assessment.calibration.reliability import (
    class_wise_ece,
    reliability,
    wilson_interval,
)
from plankton_features.errors import InputError

rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(rows, st.integers(1, 20))
def test_bins_of_equal_width_equal_a_plain_loop(rows, n_bins):
    p, right = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    table = reliability(p, right, n_bins)
    ece = 0.0
    for i, (low, high) in enumerate(zip(table.edges[:-1], table.edges[1:], strict=True)):
        inside = (p >= low) & ((p < high) | (i == n_bins - 1))
        assert table.count[i] == inside.sum()
        if inside.any():
            assert table.confidence[i] == pytest.approx(p[inside].mean(), abs=1e-9)
            assert table.accuracy[i] == pytest.approx(right[inside].mean(), abs=1e-9)
            ece += inside.mean() * abs(p[inside].mean() - right[inside].mean())
        else:
            assert np.isnan([table.confidence[i], table.accuracy[i], table.low[i]]).all()
    assert table.ece == pytest.approx(ece, abs=1e-9)


@given(rows, st.integers(1, 20), st.sampled_from(["width", "mass"]), st.randoms())
def test_properties_of_both_binnings(rows, n_bins, binning, random):
    p, right = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    table = reliability(p, right, n_bins, binning)
    assert table.count.sum() == len(rows)
    assert len(table.count) <= n_bins
    assert abs(p.mean() - right.mean()) - 1e-9 <= table.ece <= 1 + 1e-9
    order = random.sample(range(len(p)), len(p))
    shuffled = reliability(p[order], right[order], n_bins, binning)
    np.testing.assert_array_equal(shuffled.count, table.count)
    assert shuffled.ece == pytest.approx(table.ece, abs=1e-9)


def test_bins_of_equal_mass_equal_sorted_slices():
    rng = np.random.default_rng(0)
    p, right = rng.permutation(1000) / 1000, rng.random(1000) < 0.5
    table = reliability(p, right, 8, "mass")
    slices = np.split(np.argsort(p), 8)
    assert (table.count == 125).all()
    np.testing.assert_allclose(table.accuracy, [right[s].mean() for s in slices], atol=1e-9)
    expected = np.mean([abs(right[s].mean() - p[s].mean()) for s in slices])
    assert table.ece == pytest.approx(expected, abs=1e-9)


def test_equal_confidences_share_a_bin():
    table = reliability([0.2] * 5 + [0.9], [True] * 6, 4, "mass")
    assert table.count.sum() == 6
    assert table.count.max() >= 5
    one = reliability([0.7] * 3, [True, False, True], 5, "mass")
    assert one.count.tolist() == [3]
    assert one.edges.tolist() == [0.7, 0.7]


def test_ece_of_a_calibrated_classifier_is_small():
    rng = np.random.default_rng(1)
    p = rng.random(100_000)
    right = rng.random(100_000) < p
    for binning in ("width", "mass"):
        assert reliability(p, right, 15, binning).ece < 0.01
        assert reliability(np.sqrt(p), right, 15, binning).ece == pytest.approx(1 / 6, abs=0.01)


def test_class_wise_ece_equals_a_plain_loop(drawn):
    y, p = drawn(0)
    found = class_wise_ece(y, p, 10)
    bins = np.minimum((p * 10).astype(int), 9)
    for k in range(5):
        parts = [bins[:, k] == b for b in range(10)]
        expected = sum(abs(((y == k) - p[:, k])[part].sum()) for part in parts) / len(y)
        assert found[k] == pytest.approx(expected, abs=1e-9)
    order = np.array([4, 2, 0, 1, 3])
    other = class_wise_ece(np.argsort(order)[y], p[:, order], 10)
    np.testing.assert_allclose(other, found[order], atol=1e-12)


def test_an_absent_class_has_a_class_wise_ece():
    assert class_wise_ece([0, 1], [[1, 0, 0], [0.5, 0.5, 0]]).tolist() == [0.25, 0.25, 0]


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_wilson_equals_scipy(level):
    for n in (1, 7, 100):
        hits = np.arange(n + 1)
        found = np.array(wilson_interval(hits, np.full(n + 1, n), level))
        expected = [binomtest(int(h), n).proportion_ci(level, method="wilson") for h in hits]
        np.testing.assert_allclose(found.T, expected, rtol=0, atol=1e-9)


def test_bins_without_units_have_the_intervals_of_their_rows():
    table = reliability([0.1, 0.2, 0.3, 0.9, 0.9], [1, 0, 0, 1, 0], 2)
    low, high = wilson_interval([1, 1], [3, 2])
    np.testing.assert_allclose([table.low, table.high], [low, high], rtol=0, atol=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_wilson_stays_in_range_in_spite_of_rounding(level):
    n = np.arange(1, 20_000)
    for hits in (n, 0 * n):
        ends = np.array(wilson_interval(hits, n, level))
        assert ends.min() >= 0
        assert ends.max() <= 1


def test_wilson_without_trials():
    assert np.isnan(wilson_interval([0], [0])).all()


def test_repeated_rows_say_no_more_than_once():
    rng = np.random.default_rng(2)
    p = rng.random(500)
    right, units = rng.random(500) < p, np.arange(500)
    once = reliability(p, right, 5)
    again = reliability(np.tile(p, 6), np.tile(right, 6), 5, units=np.tile(units, 6))
    assert (again.count == 6 * once.count).all()
    np.testing.assert_allclose(again.accuracy, once.accuracy, rtol=0, atol=1e-12)
    np.testing.assert_allclose(again.low, once.low, rtol=0, atol=2e-3)
    np.testing.assert_allclose(again.high, once.high, rtol=0, atol=2e-3)
    alone = reliability(p, right, 5, units=units)
    np.testing.assert_allclose(alone.low, once.low, rtol=0, atol=2e-3)
    assert (alone.low <= once.low + 1e-12).all()


@pytest.mark.parametrize("right", [True, False])
def test_a_bin_without_mistakes_is_worth_its_units(right):
    table = reliability([0.95] * 12, [right] * 12, 2, units=np.repeat([0, 1, 2], 4))
    low, high = wilson_interval(3 * right, 3)
    assert (table.low[1], table.high[1]) == pytest.approx((low, high), abs=1e-12)
    assert table.count.tolist() == [0, 12]
    assert np.isnan([table.low[0], table.high[0]]).all()


def test_intervals_in_bins_cover_where_tows_differ():
    """Accuracy differs from tow to tow; 0.7 on the whole."""
    held, naive = [], []
    for seed in range(500):
        rng = np.random.default_rng([8, seed])
        tow = np.repeat(np.arange(60), rng.integers(3, 10, 60))
        right = rng.random(len(tow)) < rng.beta(2.8, 1.2, 60)[tow]
        for units, found in ((tow, held), (None, naive)):
            table = reliability(np.full(len(tow), 0.5), right, 1, units=units)
            found.append(table.low[0] <= 0.7 <= table.high[0])
    print(np.mean(held), np.mean(naive))
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(naive) < 0.9


@pytest.mark.parametrize(("call", "message"), [
    (lambda: reliability([0.5], [1], units=[0, 1]), "one for each of 1 rows"),
    (lambda: reliability([0.5], [2]), "true or false"),
    (lambda: reliability([1.5], [1]), r"numbers in \[0, 1\]"),
    (lambda: reliability([], []), "row of numbers|numbers in"),
    (lambda: reliability([0.5], [1, 0]), "correct 2"),
    (lambda: reliability([0.5], [1], 0), "n_bins"),
    (lambda: reliability([0.5], [1], binning="depth"), "width or mass, got depth"),
    (lambda: reliability([0.5], [1], level=0), "level"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
