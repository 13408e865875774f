import numpy as np
import pytest

from plankton_features.assessment.abstention import summarize_abstention
from plankton_features.assessment.thresholds import apply_thresholds, fit_thresholds
from plankton_features.errors import InputError


def predictions(seed, n=4000, shift=0.0):
    """Three classes; right with the confidence's probability, less `shift`."""
    rng = np.random.default_rng([12, seed])
    pred, p = rng.integers(3, size=n), rng.uniform(0.4, 1, n)
    right = rng.random(n) < p - shift
    return np.where(right, pred, (pred + 1) % 3), pred, p, rng.integers(5, size=n)


def accept_out_of_fold(y, pred, p, folds, min_precision, min_accepted):
    accepted = np.zeros(len(y), bool)
    for fold in range(5):
        own = folds == fold
        limits = fit_thresholds(y[~own], pred[~own], p[~own], 3, min_precision, min_accepted)
        accepted[own] = apply_thresholds(y[own], pred[own], p[own], limits).accepted
    return accepted


def test_the_promise_is_kept_on_average():
    found = []
    for seed in range(40):
        y, pred, p, folds = predictions(seed)
        accepted = accept_out_of_fold(y, pred, p, folds, 0.85, min_accepted=20)
        found.append(summarize_abstention(y, pred, accepted, 3, n_replicates=300))
    precision = np.array([one.precision.estimate for one in found])
    assert precision.mean() == pytest.approx(0.85, abs=0.01)
    held = sum(one.precision.low <= 0.85 <= one.precision.high for one in found)
    assert held >= 34
    assert all(0.3 < one.coverage.low < one.coverage.estimate < one.coverage.high
               for one in found)


def test_intervals_of_precision_and_coverage_cover():
    rng, held = np.random.default_rng(0), []
    for seed in range(500):
        accepted = rng.random(300) < 0.6
        pred = (rng.random(300) < np.where(accepted, 0.2, 0.6)).astype(int)
        found = summarize_abstention(np.zeros(300, int), pred, accepted, 2, n_replicates=300,
                                     seed=seed)
        held.append([found.coverage.low <= 0.6 <= found.coverage.high,
                     found.precision.low <= 0.8 <= found.precision.high])
    shares = np.mean(held, axis=0)
    print(shares)
    assert ((shares >= 0.93) & (shares <= 0.97)).all()


def test_counts_by_hand():
    y, pred = np.array([0, 1, 1, 2, 2]), np.array([0, 1, 0, 2, 1])
    found = summarize_abstention(y, pred, np.array([True, False, True, True, False]), 4)
    assert found.coverage.estimate == pytest.approx(0.6)
    assert found.precision.estimate == pytest.approx(2 / 3)
    assert found.abstained_rows == 2
    np.testing.assert_array_equal(found.class_coverage, [1, 0, 1, np.nan])
    assert "Only 5 rows" in found.caution


def test_nothing_accepted():
    found = summarize_abstention([0, 1], [0, 1], [False, False], 2, n_replicates=10)
    assert found.coverage.estimate == 0
    assert np.isnan([found.precision.estimate, found.precision.low]).all()
    assert found.abstained_rows == 2


def test_alike_rows_make_intervals_wider():
    y, pred, p, _ = predictions(2, 400)
    rows, units = np.repeat(np.arange(400), 5), np.repeat(np.arange(400), 5)
    alone = summarize_abstention(y[rows], pred[rows], p[rows] > 0.7, 3).precision
    whole = summarize_abstention(y[rows], pred[rows], p[rows] > 0.7, 3, units=units).precision
    assert whole.high - whole.low > 1.8 * (alone.high - alone.low)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: summarize_abstention([0], [0], [1], 1), "true or false"),
    (lambda: summarize_abstention([0], [0], [True, False], 1), "accepted 2"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
