import numpy as np
import pytest
from scipy.special import softmax

from plankton_features.assessment.calibration.errors import resampled_calibration_errors
from plankton_features.assessment.calibration.reliability import class_wise_ece, reliability
from plankton_features.assessment.probability_metrics import confidence_and_correctness

NAMES = ("ece", "ece_mass", "class_wise_ece")


def plain(y, p, pred, mass_edges, n_bins):
    """All three by loops over bins, which are given for those of equal mass."""
    rows = np.arange(len(y))

    def error(told, right, edges):
        bins = np.clip(np.searchsorted(edges, told, side="right") - 1, 0, len(edges) - 2)
        return sum(abs((right - told)[bins == b].sum()) for b in range(n_bins)) / len(told)

    width = np.linspace(0, 1, n_bins + 1)
    told, right = p[rows, pred], pred == y
    return {"ece": error(told, right, width), "ece_mass": error(told, right, mass_edges),
            "class_wise_ece": np.mean([error(p[:, k], y == k, width)
                                       for k in range(p.shape[1])])}


@pytest.mark.parametrize("grouped", [True, False])
def test_a_draw_is_scored_as_copies_of_its_rows(drawn, grouped):
    y, p = drawn(0, 90, 4)
    pred = np.where(np.arange(90) % 7, p.argmax(axis=1), 1)
    units = np.arange(90) // (6 if grouped else 1)
    found = resampled_calibration_errors(y, p, y_pred=pred, groups=units, n_bins=5,
                                         n_replicates=25, seed=2)
    edges = reliability(*confidence_and_correctness(y, p, pred), 5, "mass").edges
    for name, value in plain(y, p, pred, edges, 5).items():
        assert found[name].estimate == pytest.approx(value, abs=1e-9)
    n_units = units.max() + 1
    copies = [np.concatenate([np.flatnonzero(units == unit) for unit in chosen]) for chosen in
              np.random.default_rng(2).integers(n_units, size=(25, n_units))]
    errors = [plain(y[rows], p[rows], pred[rows], edges, 5) for rows in copies]
    for name in NAMES:
        drawn_errors = np.array([one[name] for one in errors])
        expected = found[name].estimate + np.median(drawn_errors) - drawn_errors
        np.testing.assert_allclose(found[name].replicates, np.maximum(expected, 0), rtol=0,
                                   atol=1e-9)


def test_estimates_are_those_of_the_tables(drawn):
    y, p = drawn(1)
    found = resampled_calibration_errors(y, p, n_replicates=5)
    pairs = confidence_and_correctness(y, p)
    assert found["ece"].estimate == pytest.approx(reliability(*pairs).ece, abs=1e-12)
    assert found["ece_mass"].estimate == pytest.approx(
        reliability(*pairs, binning="mass").ece, abs=1e-12)
    each = class_wise_ece(y, p)
    assert found["class_wise_ece"].estimate == pytest.approx(each.mean(), abs=1e-12)
    kept = np.array([True, False, True, True, False])
    some = resampled_calibration_errors(y, p, kept=kept, n_replicates=5)
    assert some["class_wise_ece"].estimate == pytest.approx(each[kept].mean(), abs=1e-12)
    assert some["ece"].estimate == found["ece"].estimate


def test_large_gaps_have_the_plain_interval():
    """Far from 0 there is no bias to mend: both ends are those of the mean gap."""
    rng = np.random.default_rng(0)
    p = np.tile([0.9, 0.1], (2000, 1))
    y = (rng.random(2000) > 0.6).astype(int)
    found = resampled_calibration_errors(y, p, n_replicates=4000)["ece"]
    half = 1.96 * np.sqrt(0.6 * 0.4 / 2000)
    assert np.quantile(found.for_low, 0.025) == pytest.approx(found.estimate - half, abs=0.002)
    assert np.quantile(found.replicates, 0.975) == pytest.approx(found.estimate + half, abs=0.002)


def test_chance_is_not_taken_for_an_error():
    """The truth is 0: the lower end says so, where plain percentiles never do."""
    held = dict.fromkeys(NAMES, 0)
    for seed in range(200):
        rng = np.random.default_rng([5, seed])
        p = softmax(1.5 * rng.normal(size=(600, 5)), axis=1)
        y = (rng.random(600)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
        found = resampled_calibration_errors(y, p, n_replicates=200, seed=seed)
        for name in NAMES:
            held[name] += np.quantile(found[name].for_low, 0.025) < 1e-12
            assert found[name].estimate > 0.01
    print(held)
    assert min(held.values()) >= 186, held


@pytest.mark.parametrize("p", [[[1.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
def test_one_row(p):
    found = resampled_calibration_errors([0], p, n_replicates=3)
    assert found["ece"].estimate == 1 - np.array(p)[0, 0] or found["ece"].estimate == 1
    assert np.isfinite(found["class_wise_ece"].replicates).all()
