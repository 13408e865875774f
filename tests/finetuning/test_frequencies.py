"""Weights, offsets and implied frequencies against closed forms and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from plankton_features.errors import InputError
from plankton_features.finetuning.draws import SAMPLERS
from plankton_features.finetuning.frequencies import (
    class_weights,
    implied_frequencies,
    logit_offsets,
)

COUNTS = st.lists(st.integers(0, 500), min_size=1, max_size=9).filter(any).map(np.array)
TAUS = st.floats(0, 3)


@given(COUNTS)
def test_weights_are_those_of_scikit_learn(counts):
    weights = class_weights(counts)
    y = np.repeat(np.arange(len(counts)), counts)
    np.testing.assert_allclose(weights[counts > 0],
                               compute_class_weight("balanced", classes=np.unique(y), y=y))
    assert (weights[counts == 0] == 0).all()
    assert weights[y].mean() == pytest.approx(1)


@given(COUNTS, TAUS)
def test_offsets(counts, tau):
    offsets = logit_offsets(counts, tau)
    expected = [tau * np.log(max(1, n) / counts.sum()) for n in counts]
    np.testing.assert_allclose(offsets, expected)
    assert np.isfinite(offsets).all()


@given(COUNTS, TAUS, st.sampled_from(sorted(SAMPLERS)))
def test_implied_frequencies_are_shares_of_the_classes_present(counts, tau, sampler):
    implied = implied_frequencies(counts, counts, sampler, tau)
    assert implied.sum() == pytest.approx(1)
    np.testing.assert_array_equal(implied > 0, counts > 0)
    if sampler == "class-weight" or (sampler == "logit-adjustment" and tau == 1):
        np.testing.assert_allclose(implied, (counts > 0) / (counts > 0).sum())


def test_implied_frequencies_closed_forms():
    counts, seen = [100, 50, 0, 2], [50, 50, 0, 10]
    for sampler in ("none", "class-balanced", "square-root"):
        np.testing.assert_allclose(implied_frequencies(counts, seen, sampler, 9.0),
                                   np.array(seen) / 110)
    weighed = np.array([50 / 100, 50 / 50, 0, 10 / 2])
    np.testing.assert_allclose(implied_frequencies(counts, seen, "class-weight"),
                               weighed / weighed.sum())
    for tau, shares in ((0, [50, 50, 0, 10]), (0.5, [50**0.5, 50**0.5, 0, 10**0.5]),
                        (1, [1, 1, 0, 1]), (2, [1 / 50, 1 / 50, 0, 1 / 10])):
        np.testing.assert_allclose(implied_frequencies(counts, seen, "logit-adjustment", tau),
                                   np.array(shares) / sum(shares))


@given(st.lists(st.integers(1, 300), min_size=2, max_size=5).map(np.array), st.floats(0, 2))
def test_offsets_leave_the_implied_frequencies(counts, tau):
    """Where pictures tell nothing, softmax(logits + offsets) is the epoch's frequencies."""
    logits = np.log(counts / counts.sum()) - logit_offsets(counts, tau)
    softmax = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(softmax,
                               implied_frequencies(counts, counts, "logit-adjustment", tau))


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [np.nan, 1], [[1, 2]], [np.inf]])
def test_other_counts_are_refused(counts):
    for call in (class_weights, lambda c: logit_offsets(c, 1.0),
                 lambda c: implied_frequencies(c, [1, 1], "none")):
        with pytest.raises(InputError, match="counts: expected one number of at least 0"):
            call(counts)


def test_other_arguments_are_refused():
    for tau in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match=r"tau: expected a number of at least 0.*Try 1"):
            logit_offsets([1, 2], tau)
        with pytest.raises(InputError, match="tau: expected"):
            implied_frequencies([1, 2], [1, 2], "logit-adjustment", tau)
    for seen in ([1, 2, 3], [3, 0]):
        with pytest.raises(InputError, match="epoch_counts: expected rows of the classes that"):
            implied_frequencies([1, 2], seen, "none")
    with pytest.raises(InputError, match="sampler 'smote': expected one of none"):
        implied_frequencies([1, 2], [1, 2], "smote")
