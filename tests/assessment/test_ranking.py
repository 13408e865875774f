import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from plankton_features.assessment.intervals import bootstrap
from plankton_features.assessment.probability_metrics import average_precision
from plankton_features.assessment.ranking import resampled_average_precision
from plankton_features.errors import InputError


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("digits", [1, 9])  # with one there are many equal probabilities
def test_a_draw_is_scored_as_copies_of_its_rows(drawn, grouped, digits):
    y, p = drawn(0, 80, 4)
    p[:, 1:] = p[:, 1:].round(digits)
    p[:, 0] = np.maximum(1 - p[:, 1:].sum(axis=1), 0)
    p /= p.sum(axis=1, keepdims=True)
    units = np.arange(80) // (5 if grouped else 1)
    found = resampled_average_precision(y, p, groups=units if grouped else None,
                                        n_replicates=40, seed=3)
    n_units = units.max() + 1
    for i, chosen in enumerate(np.random.default_rng(3).integers(n_units, size=(40, n_units))):
        copies = np.concatenate([np.flatnonzero(units == unit) for unit in chosen])
        for k in range(4):
            right = y[copies] == k
            expected = average_precision_score(right, p[copies, k]) if right.any() else np.nan
            np.testing.assert_allclose(found[i, k], expected, rtol=0, atol=1e-9)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=30))
def test_a_single_unit_is_drawn_whole(rows):
    y, share = (np.array(column) for column in zip(*rows, strict=True))
    p = np.column_stack([share, 4 - share, np.zeros_like(share)]) / 4
    found = resampled_average_precision(y, p, groups=np.zeros(len(y)), n_replicates=2)
    np.testing.assert_allclose(found, [average_precision(y, p)] * 2, rtol=0, atol=1e-9)


def test_draws_are_those_of_the_other_scores(drawn):
    y, p = drawn(1, 100, 3)
    perfect = np.eye(3)[y]
    found = resampled_average_precision(y, perfect, n_replicates=200, seed=4)
    others = bootstrap(y, y, 3, n_replicates=300, seed=4)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(others.replicates["recall"][:200]))
    assert np.nanmin(found) == 1
    more = resampled_average_precision(y, p, n_replicates=300, seed=4)
    np.testing.assert_array_equal(
        more[:200], resampled_average_precision(y, p, n_replicates=200, seed=4))


def test_absent_classes_have_none():
    found = resampled_average_precision([0, 0, 1], np.full((3, 3), 1 / 3), n_replicates=20)
    assert np.isnan(found[:, 2]).all()
    assert not np.isnan(found[:, 0]).all()


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="n_replicates"):
        resampled_average_precision([0], [[1.0]], n_replicates=0)
    with pytest.raises(InputError, match="one for each of 1 rows"):
        resampled_average_precision([0], [[1.0]], groups=[0, 1])
