import json

import numpy as np
import pytest
from scipy.special import logit, softmax
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from plankton_features.assessment.calibration.confidence import (
    apply_temperature,
    fit_temperature,
    signed_gap,
)
from plankton_features.assessment.probability_metrics import log_loss
from plankton_features.errors import HeadError, InputError
from plankton_features.heads.calibrators import CALIBRATIONS, fit_calibrator, from_dict

every_name = pytest.mark.parametrize("name", CALIBRATIONS)
with_curves = pytest.mark.parametrize("name", ["isotonic", "sigmoid"])


def classifier(seed, sharpness=1.0, n=2000, K=5, tail=0.5):
    """Labels drawn from true probabilities, reported with their logits times `sharpness`."""
    rng = np.random.default_rng([7, seed])
    logits = 1.5 * rng.normal(size=(n, K)) - tail * np.arange(K)
    drawn = rng.random(n)[:, None] > softmax(logits, axis=1).cumsum(axis=1)[:, :-1]
    return drawn.sum(axis=1), softmax(sharpness * logits, axis=1)


def stored_and_read(calibrator):
    return from_dict(json.loads(json.dumps(calibrator.to_dict(), allow_nan=False)))


@every_name
def test_rows_sum_to_1_and_json_keeps_everything(name):
    y, P = classifier(0, 1.5)
    found = fit_calibrator(name, y, P)
    assert found.name == found.to_dict()["name"] == name
    new = classifier(1, 1.5)[1]
    out = found.apply(new)
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert ((out >= 0) & (out <= 1)).all()
    again = stored_and_read(found)
    assert again == found
    assert again.left_alone == found.left_alone
    np.testing.assert_array_equal(again.apply(new), out)
    np.testing.assert_array_equal(found.apply(new[:7]), out[:7])


@pytest.mark.parametrize("name", ["temperature", "isotonic", "sigmoid"])
@pytest.mark.parametrize("sharpness", [0.6, 1.6])
def test_new_rows_are_calibrated(name, sharpness):
    found = fit_calibrator(name, *classifier(0, sharpness, n=20_000))
    y, P = classifier(1, sharpness, n=20_000)
    before, after = signed_gap(y, P), signed_gap(y, found.apply(P))
    assert abs(before.gap) > 0.05
    assert abs(after.gap) < 0.015
    assert log_loss(y, found.apply(P)) < log_loss(y, P)


def test_none_changes_nothing():
    _, P = classifier(0)
    np.testing.assert_allclose(fit_calibrator("none", [], []).apply(P), P, rtol=0, atol=1e-15)


def test_temperature_is_that_of_assessment():
    y, P = classifier(2, 1.4)
    found = fit_calibrator("temperature", y, P)
    assert found.to_dict() == {"name": "temperature", "temperature": fit_temperature(y, P)}
    np.testing.assert_array_equal(found.apply(P), apply_temperature(P, found.temperature))
    assert (found.apply(P).argmax(axis=1) == P.argmax(axis=1)).all()


def test_isotonic_equals_scikit_learn():
    y, P = classifier(3, 1.4)
    new = classifier(4, 1.4)[1]
    curves = np.column_stack([
        IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(P[:, k], y == k)
        .predict(new[:, k]) for k in range(5)])
    expected = curves / curves.sum(axis=1, keepdims=True)
    found = fit_calibrator("isotonic", y, P)
    assert found.left_alone == ()
    np.testing.assert_allclose(found.apply(new), expected, rtol=0, atol=1e-12)


def test_sigmoid_is_close_to_platts():
    y, P = classifier(5, 1.4, n=20_000)
    curves = np.column_stack([_SigmoidCalibration().fit(logit(P[:, k]), y == k)
                              .predict(logit(P[:, k])) for k in range(5)])
    expected = curves / curves.sum(axis=1, keepdims=True)
    found = fit_calibrator("sigmoid", y, P).apply(P)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.003)


@with_curves
def test_rare_classes_are_left_alone(name):
    y, P = classifier(6)
    for k, n_rows in ((3, 4), (4, 0)):
        y[np.flatnonzero(y == k)[n_rows:]] = 0
    found = fit_calibrator(name, y, P)
    assert found.left_alone == (3, 4)
    out = found.apply(P)
    ratio = out[:, 3] / out[:, 4]  # both are as they were, but for the sum of 1
    np.testing.assert_allclose(ratio, P[:, 3] / P[:, 4], rtol=1e-9)
    assert fit_calibrator(name, np.append(y, 3), np.vstack([P, P[:1]])).left_alone == (4,)


def test_rows_of_which_every_curve_makes_0_stay():
    y = np.repeat([0, 1], [30, 30])
    P = np.array([[0.8, 0.2]] * 30 + [[0.2, 0.8]] * 30)
    found = from_dict({"name": "isotonic", "curves": [{"x": [0.3, 0.7], "y": [0, 1]}] * 2})
    row = np.array([[0.3, 0.3, 0.4]])
    three = from_dict({"name": "isotonic", "curves": [{"x": [0.5, 0.7], "y": [0, 1]}] * 3})
    np.testing.assert_array_equal(three.apply(row), row)
    np.testing.assert_allclose(found.apply(P)[y == 0], [[1, 0]] * 30)


@every_name
@pytest.mark.parametrize(("y", "P"), [
    ([0, 0, 1], [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]]),
    ([0, 0, 0], [[1.0], [1.0], [1.0]]),
    ([1, 1, 1], [[0.2, 0.8, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    ([2], [[0.5, 0.5, 0.0]]),
    ([0] * 9, [[0.5, 0.5]] * 9),
    ([0, 1] * 6, [[0.5, 0.5]] * 12),
    ([0, 1] * 6, [[1.0, 0.0], [0.0, 1.0]] * 6),
    ([1, 0] * 6, [[1.0, 0.0], [0.0, 1.0]] * 6)])
def test_tiny_data_crash_nothing(name, y, P):
    found = fit_calibrator(name, y, P)
    out = found.apply(P)
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert stored_and_read(found) == found


@every_name
def test_few_rows_change_nothing(name):
    P = classifier(0)[1]
    np.testing.assert_allclose(fit_calibrator(name, [0, 1, 0], P[:3]).apply(P), P, atol=1e-12)


@pytest.mark.parametrize("name", ["temperature", "isotonic", "sigmoid"])
def test_classes_that_the_model_never_saw(name):
    y, P = classifier(8, 1.3)
    wider = np.insert(P, 2, 0, axis=1)
    moved = np.where(y >= 2, y + 1, y)
    lost = np.full(40, 2)  # rows of a class whose column is 0
    found = fit_calibrator(name, np.append(moved, lost), np.vstack([wider, wider[:40]]))
    out = found.apply(wider)
    assert found == fit_calibrator(name, moved, wider)
    np.testing.assert_allclose(np.delete(out, 2, axis=1), fit_calibrator(name, y, P).apply(P),
                               rtol=0, atol=1e-7)
    assert (out[:, 2] < 1e-9).all()


def test_rows_that_their_model_could_not_get_right_pull_the_temperature():
    y, P = classifier(9)
    seen = np.ones(2000, bool)
    seen[:20] = False
    P[~seen] = np.insert(np.delete(P[~seen], 4, axis=1), 4, 0, axis=1)
    P /= P.sum(axis=1, keepdims=True)
    y[~seen] = 4
    told = fit_calibrator("temperature", y, P, seen=seen)
    assert told == fit_calibrator("temperature", y[seen], P[seen])
    assert told.temperature == pytest.approx(1, abs=0.1)
    assert fit_calibrator("temperature", y, P).temperature > 1.1 * told.temperature


def test_a_perfect_class_does_not_become_a_step():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=200)
    p = np.where(y == 1, 0.9, 0.1) + rng.uniform(-0.05, 0.05, 200)
    out = fit_calibrator("sigmoid", y, np.column_stack([1 - p, p])).apply([[0.45, 0.55]])
    assert 0.5 < out[0, 1] < 0.99


def test_a_falling_curve_is_not_used():
    y, P = classifier(10, n=500, K=2, tail=0)
    found = fit_calibrator("sigmoid", 1 - y, P)
    assert found.left_alone == (0, 1)


@every_name
def test_no_rows_and_float32(name):
    y, P = classifier(11)
    found = fit_calibrator(name, y, P.astype(np.float32))
    assert found.apply(np.empty((0, 5), np.float32)).shape == (0, 5)
    out = found.apply(P.astype(np.float32))
    assert out.dtype == np.float64
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: fit_calibrator("platt", [0], [[1.0]]), "expected one of temperature, isotonic"),
    (lambda: fit_calibrator("sigmoid", [0, 1], [[1.0]]), "class numbers"),
    (lambda: fit_calibrator("isotonic", [0], [[0.4, 0.4]]), "sum to 1"),
    (lambda: fit_calibrator("isotonic", [0], [[1.0]], seen=[True, False]), "seen: expected"),
    (lambda: fit_calibrator("none", [], []).apply([[2.0, 3.0]]), r"numbers in \[0, 1\]"),
    (lambda: fit_calibrator("isotonic", *classifier(0)).apply([[1.0]]), "expected 5 classes"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("stored", [
    {}, {"name": "platt"}, {"name": "platt", "curves": []}, {"name": ["none"]}, [],
    {"name": "temperature"}, {"name": "temperature", "temperature": 0},
    {"name": "temperature", "temperature": float("nan")},
    {"name": "temperature", "temperature": "hot"},
    {"name": "isotonic", "curves": 3}, {"name": "isotonic", "curves": [{"x": [0.1]}]},
    {"name": "isotonic", "curves": [{"x": [], "y": []}]},
    {"name": "isotonic", "curves": [{"x": [0.2, 0.1], "y": [0, 1]}]},
    {"name": "isotonic", "curves": [{"x": [0.1, 0.2], "y": [1, 0]}]},
    {"name": "isotonic", "curves": [{"x": [0.1, 0.2], "y": [0, 2]}]},
    {"name": "isotonic", "curves": [{"slope": 1, "intercept": 0}]},
    {"name": "sigmoid", "curves": [{"slope": -1, "intercept": 0}]},
    {"name": "sigmoid", "curves": [{"slope": 1, "intercept": float("inf")}]}])
def test_what_is_no_calibrator_is_refused(stored):
    with pytest.raises(HeadError, match="calibrator: expected one of"):
        from_dict(stored)
