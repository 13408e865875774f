from itertools import product

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from plankton_features.assessment.baselines import majority_baseline, prior_random_baseline
from plankton_features.assessment.calibration.reliability import class_wise_ece, reliability
from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.metrics import scores
from plankton_features.assessment.probability_metrics import (
    brier_score,
    confidence_and_correctness,
    log_loss,
    top_k_accuracy,
)
from plankton_features.assessment.summary import SCORES
from plankton_features.errors import InputError

SUPPORT = [4, 1, 0, 2]


@pytest.fixture
def y():
    return np.repeat(np.arange(4), SUPPORT)


def test_majority_equals_the_dummy_classifier(y):
    x = np.zeros((len(y), 1))
    dummy = DummyClassifier(strategy="prior").fit(x, y)
    p = np.insert(dummy.predict_proba(x), 2, 0, axis=1)
    expected = scores(confusion_matrix(y, dummy.predict(x), 4)) | {
        "top_3_accuracy": top_k_accuracy(y, p), "log_loss": log_loss(y, p),
        "brier": brier_score(y, p), "ece": reliability(*confidence_and_correctness(y, p)).ece,
        "ece_mass": reliability(*confidence_and_correctness(y, p), binning="mass").ece,
        "class_wise_ece": class_wise_ece(y, p).mean()}
    assert majority_baseline(SUPPORT) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("support", [SUPPORT, [5], [1, 1], [3, 3, 3, 3]])
def test_baselines_have_every_score(support):
    for baseline in (majority_baseline, prior_random_baseline):
        assert set(baseline(support)) == set(SCORES)
        assert baseline(support)["top_3_accuracy"] == pytest.approx(
            sum(sorted(support)[-3:]) / sum(support), abs=1e-12)


def test_random_answers_equal_the_mean_over_all_answers():
    y, prior = np.array([0, 0, 1, 2]), np.array([0.5, 0.25, 0.25])
    found = prior_random_baseline([2, 1, 1])
    for name in ("accuracy", "balanced_accuracy", "macro_recall", "weighted_recall"):
        expected = sum(prior[list(a)].prod() * scores(confusion_matrix(y, np.array(a), 3))[name]
                       for a in product(range(3), repeat=4))
        assert found[name] == pytest.approx(expected, abs=1e-9)


def test_random_answers_equal_a_simulation_of_many_rows():
    support = np.array([6000, 3000, 1000])
    y, rng = np.repeat(np.arange(3), support), np.random.default_rng(0)
    expected = prior_random_baseline(support)
    p = np.tile(support / 10_000, (len(y), 1))
    answers = [rng.choice(3, len(y), p=p[0]) for _ in range(200)]
    drawn = scores([confusion_matrix(y, answer, 3) for answer in answers])
    drawn["ece"] = np.array([reliability(*confidence_and_correctness(y, p, answer)).ece
                             for answer in answers]) - 0.004  # what chance adds
    for name, values in drawn.items():
        assert values.mean() == pytest.approx(expected[name], abs=0.002)


def test_frequencies_as_probabilities(y):
    p = np.tile(np.array(SUPPORT) / 7, (7, 1))
    found = prior_random_baseline(SUPPORT)
    assert found["log_loss"] == pytest.approx(log_loss(y, p), abs=1e-9)
    assert found["brier"] == pytest.approx(brier_score(y, p), abs=1e-9)


def test_one_class():
    assert prior_random_baseline([5])["accuracy"] == majority_baseline([5])["accuracy"] == 1


@pytest.mark.parametrize("support", [[], [0, 0], [1, -1], [[1, 2]], [np.nan, 1]])
def test_no_counts_are_refused(support):
    for baseline in (majority_baseline, prior_random_baseline):
        with pytest.raises(InputError, match="row of counts"):
            baseline(support)
