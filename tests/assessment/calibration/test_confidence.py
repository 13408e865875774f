import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from plankton_features.assessment.calibration.confidence import (
    apply_temperature,
    fit_temperature,
    signed_gap,
    verdict,
)
from plankton_features.assessment.probability_metrics import log_loss
from plankton_features.errors import InputError


def classifier(seed, sharpness, n_rows=1000, n_classes=6):
    """Labels drawn from true probabilities, reported with their logits times `sharpness`."""
    rng = np.random.default_rng([4, seed])
    logits = 1.5 * rng.normal(size=(n_rows, n_classes))
    drawn = rng.random(n_rows)[:, None] > softmax(logits, axis=1).cumsum(axis=1)[:, :-1]
    return drawn.sum(axis=1), softmax(sharpness * logits, axis=1)


@pytest.mark.parametrize(("sharpness", "expected", "least"), [
    (1.3, "over-confident", 95), (0.75, "under-confident", 95), (1.0, "neutral", 90)])
def test_verdicts_on_simulated_classifiers(sharpness, expected, least):
    right = sum(signed_gap(*classifier(seed, sharpness), seed=seed).verdict == expected
                for seed in range(100))
    print(expected, right)
    assert right >= least


def test_verdict_with_groups_is_more_careful():
    rng = np.random.default_rng(0)
    tow = np.repeat(np.arange(25), 60)
    off = rng.normal(0.02, 0.15, 25)[tow]  # some tows are easier than they look, some harder
    y = (rng.random(1500) > 0.75 - off).astype(int)
    p = np.tile([0.75, 0.25], (1500, 1))
    alone, grouped = signed_gap(y, p), signed_gap(y, p, groups=tow)
    assert alone.gap == pytest.approx(grouped.gap)
    assert alone.low > grouped.low
    assert alone.high < grouped.high


def test_gap_is_confidence_minus_accuracy(drawn):
    y, p = drawn(0)
    found = signed_gap(y, p)
    assert found.gap == pytest.approx(p.max(axis=1).mean() - (p.argmax(axis=1) == y).mean())
    assert found.low < found.gap < found.high
    assert found.verdict == verdict(found.low, found.high)
    assert found.caution == ""
    assert signed_gap(y, p, groups=np.arange(400) % 3).caution.startswith("Only 3 groups")


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0.01, 0.02, "over-confident"), (-0.02, -0.01, "under-confident"), (-0.01, 0.01, "neutral"),
    (0.0, 0.1, "neutral"), (-0.1, 0.0, "neutral"), (np.nan, np.nan, "neutral")])
def test_verdict_follows_from_the_interval(low, high, expected):
    assert verdict(low, high) == expected


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature):
    y, p = classifier(0, temperature, n_rows=40_000)
    assert fit_temperature(y, p) == pytest.approx(temperature, rel=0.03)


def test_temperature_of_two_answers_in_closed_form():
    p = np.tile([0.95, 0.05], (100, 1))
    y = np.repeat([0, 1], [70, 30])
    expected = np.log(19) / np.log(7 / 3)  # which makes the confidence 0.7
    assert fit_temperature(y, p) == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(apply_temperature(p, expected)[0], [0.7, 0.3], atol=1e-9)


def test_no_temperature_is_better(drawn):
    y, p = drawn(1)
    best = fit_temperature(y, p)
    losses = [log_loss(y, apply_temperature(p, t)) for t in np.geomspace(0.05, 20, 400)]
    assert log_loss(y, apply_temperature(p, best)) <= min(losses) + 1e-12


def test_temperatures_at_the_ends():
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature([0, 1], p) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature([1, 0], p) == pytest.approx(20, rel=1e-3)
    assert fit_temperature([0, 0], np.full((2, 2), 0.5)) == 1
    assert fit_temperature([0], [[1.0]]) == 1


def test_a_truth_of_probability_0_is_survived():
    p = np.array([[1.0, 0.0], [0.6, 0.4], [0.6, 0.4]])
    assert fit_temperature([1, 0, 0], p) > 1
    assert np.isfinite(apply_temperature(p, 0.05)).all()


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.floats(0.1, 10))
def test_temperature_keeps_order_and_is_undone(shares, temperature):
    p = np.array([shares]) / np.sum(shares)
    q = apply_temperature(p, temperature)
    assert q.sum() == pytest.approx(1, abs=1e-12)
    ranked = q[0, np.argsort(p[0])]
    assert (np.diff(ranked) >= -1e-12).all()
    if temperature > 0.5:
        np.testing.assert_allclose(apply_temperature(q, 1 / temperature), p, atol=1e-6)


@pytest.mark.parametrize("temperature", [0, -1, np.inf, np.nan])
def test_wrong_temperatures_are_refused(temperature):
    with pytest.raises(InputError, match="above 0"):
        apply_temperature([[1.0]], temperature)
