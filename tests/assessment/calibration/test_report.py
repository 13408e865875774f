import json
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import softmax

from plankton_features.assessment.calibration.confidence import SignedGap, verdict
from plankton_features.assessment.calibration.reliability import class_wise_ece, reliability
from plankton_features.assessment.calibration.report import describe_calibration, gap_sentence
from plankton_features.assessment.priors import correct_priors
from plankton_features.assessment.probability_metrics import brier_score, log_loss
from plankton_features.assessment.summary import summarize
from plankton_features.errors import InputError


def decided(seed, sharpness, grouped=False, n=1000, n_classes=6):
    """Decisions of a resampled classifier: the most probable class at other frequencies.

    With groups, rows of a tow are of a few kinds, each told in the same way.
    """
    rng = np.random.default_rng([6, seed])
    tow = np.repeat(np.arange(n // 8), 8) if grouped else np.arange(n)
    kinds = (3 * tow + rng.integers(3, size=n)) if grouped else np.arange(n)
    logits = 1.5 * rng.normal(size=(kinds.max() + 1, n_classes))[kinds]
    drawn = rng.random(n)[:, None] > softmax(logits, axis=1).cumsum(axis=1)[:, :-1]
    p = softmax(sharpness * logits, axis=1)
    decision = correct_priors(p, np.ones(n_classes), np.arange(1, n_classes + 1)).argmax(axis=1)
    return drawn.sum(axis=1), decision, p, tow if grouped else None


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(("sharpness", "expected", "least"), [
    (1.4, "over-confident", 95), (0.65, "under-confident", 95), (1.0, "neutral", 90)])
def test_verdicts_on_decisions_of_simulated_classifiers(sharpness, expected, least, grouped):
    found = [describe_calibration(*decided(seed, sharpness, grouped), n_replicates=400,
                                  seed=seed).verdict for seed in range(100)]
    print(grouped, expected, found.count(expected))
    assert found.count(expected) >= least


def test_numbers_are_those_of_the_summary(drawn):
    y, p = drawn(0)
    pred, tow = np.where(np.arange(400) % 3, p.argmax(axis=1), 2), np.arange(400) // 10
    found = describe_calibration(y, pred, p, tow, n_replicates=500)
    same = summarize(y, pred, p, units=tow, n_replicates=500)
    for name in ("ece", "ece_mass", "class_wise_ece", "log_loss", "brier"):
        assert getattr(found, name) == pytest.approx(same.scores[name].estimate, abs=1e-12), name
    gap = same.replicates.interval("signed_gap")
    assert (found.gap.gap, found.gap.low, found.gap.high) == pytest.approx(
        (gap.estimate, gap.low, gap.high), abs=1e-12)
    told = p[np.arange(400), pred]
    assert found.gap.gap == pytest.approx(told.mean() - (pred == y).mean(), abs=1e-12)
    assert found.log_loss == pytest.approx(log_loss(y, p), abs=1e-12)
    assert found.brier == pytest.approx(brier_score(y, p), abs=1e-12)
    assert (found.histogram == np.histogram(told, np.linspace(0, 1, 21))[0]).all()
    assert found.verdict == verdict(found.gap.low, found.gap.high)
    for table, binning in ((found.width, "width"), (found.mass, "mass")):
        same = reliability(told, pred == y, 15, binning, units=tow)
        np.testing.assert_array_equal([table.low, table.high], [same.low, same.high])


def test_bins_are_as_many_as_asked_for(drawn):
    y, p = drawn(2)
    found = describe_calibration(y, None, p, n_bins=4, n_replicates=2)
    assert len(found.width.count) == len(found.mass.count) == 4
    assert found.ece == reliability(p.max(axis=1), p.argmax(axis=1) == y, 4).ece
    assert found.class_wise_ece == class_wise_ece(y, p, 4).mean() != class_wise_ece(y, p).mean()


def test_as_json(drawn):
    y, p = drawn(1)
    found = json.loads(json.dumps(describe_calibration(y, None, p).to_dict(), allow_nan=False))
    assert list(found) == ["gap", "verdict", "sentence", "ece", "ece_mass", "class_wise_ece",
                           "log_loss", "brier", "reliability", "histogram"]
    assert list(found["gap"]) == ["estimate", "low", "high"]
    assert list(found["reliability"]) == ["width", "mass"]
    for table in found["reliability"].values():
        assert sum(line["count"] for line in table) == 400
        assert table[0].keys() == {"low", "high", "count", "confidence", "accuracy",
                                   "accuracy_low", "accuracy_high"}
        for line, after in pairwise(table):
            assert line["high"] == after["low"]
        for line in table:
            if line["count"]:
                assert line["low"] <= line["confidence"] <= line["high"]
                assert line["accuracy_low"] <= line["accuracy"] <= line["accuracy_high"]
            else:
                assert line["confidence"] is line["accuracy_low"] is None
    assert not found["reliability"]["width"][0]["count"]  # of 5 classes one has more than 0.07
    bars = [line.pop("count") for line in found["histogram"]]
    assert sum(bars) == 400
    assert found["histogram"] == [
        {"low": pytest.approx(i / 20), "high": pytest.approx((i + 1) / 20)} for i in range(20)]


def test_one_unit_has_no_interval():
    found = describe_calibration([0, 1], None, [[0.9, 0.1], [0.4, 0.6]], [7, 7])
    assert found.verdict == "neutral"
    assert found.to_dict()["gap"] == {"estimate": pytest.approx(-0.25), "low": None, "high": None}
    assert found.sentence == ("No gap was shown: keeps 25.0 points more than it promises, and a "
                              "single unit gives no interval.")


@pytest.mark.parametrize(("gap", "low", "high", "sentence"), [
    (0.052, 0.039, 0.065,
     "Over-confident: promises 5.2 points more than it keeps (95 %: 3.9 to 6.5)."),
    (-0.031, -0.0402, -0.0204,
     "Under-confident: keeps 3.1 points more than it promises (95 %: 2.0 to 4.0)."),
    (0.003, -0.005, 0.011, "No gap was shown: promises 0.3 points more than it keeps, and the "
                           "interval holds 0 (95 %: -0.5 to 1.1)."),
    (0.004, 0.0003, 0.008,
     "Over-confident: promises 0.4 points more than it keeps (95 %: 0.03 to 0.80)."),
    (0.0, 0.0, 0.0, "No gap was shown: promises 0.00 points more than it keeps, and the interval "
                    "holds 0 (95 %: 0.00 to 0.00).")])
def test_sentences(gap, low, high, sentence):
    assert gap_sentence(SignedGap(gap, low, high, verdict(low, high), "")) == sentence


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="one for each of 1 rows"):
        describe_calibration([0], None, [[1.0]], [0, 1])
    with pytest.raises(InputError, match="y_pred"):
        describe_calibration([0], [1], [[1.0]])
