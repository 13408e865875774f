import numpy as np
import pytest
from scipy.special import softmax

from plankton_features.assessment.comparison import (
    compare_summaries,
    difference_verdict,
    optimism_sentence,
)
from plankton_features.assessment.replicates import Interval
from plankton_features.assessment.summary import LESS_IS_BETTER, SCORES, summarize
from plankton_features.errors import InputError


def two_classifiers(seed, noise, n=400, n_classes=4):
    """Labels, and probabilities of one classifier and of another with more noise."""
    rng = np.random.default_rng([11, seed])
    y = rng.integers(n_classes, size=n)
    sight = 2 * np.eye(n_classes)[y] + rng.normal(size=(n, n_classes))
    return y, *(softmax(sight + scale * rng.normal(size=sight.shape), axis=1)
                for scale in (0.5, noise))


def verdicts(noise):
    found = []
    for seed in range(100):
        y, *p = two_classifiers(seed, noise)
        first, second = (summarize(y, None, one, n_replicates=200, seed=seed)
                         for one in p)
        found.append(compare_summaries(first, second).verdict)
    print({name: found.count(name) for name in set(found)})
    return found


def test_verdicts_on_simulated_classifiers():
    assert verdicts(0.5).count("no difference shown") >= 90
    assert verdicts(2.0).count("better") >= 95


def test_differences_are_paired(drawn):
    y, p = drawn(0)
    first, second = summarize(y, None, p), summarize(y, (p.argmax(axis=1) + 1) % 5, p)
    found = compare_summaries(first, second)
    for name in SCORES:
        interval = found.differences[name]
        assert interval.estimate == pytest.approx(
            first.scores[name].estimate - second.scores[name].estimate, abs=1e-12)
    assert (found.verdict, found.deciding) == ("better", "macro_f1")
    assert compare_summaries(second, first).verdict == "worse"
    assert compare_summaries(second, first).differences["mcc"].low == pytest.approx(
        -found.differences["mcc"].high, abs=0.01)
    nothing = found.differences["log_loss"]  # the probabilities are the same
    assert nothing.low == nothing.estimate == nothing.high == 0
    assert compare_summaries(first, second, "log_loss").verdict == "no difference shown"


def test_smaller_errors_are_better(drawn):
    y, p = drawn(1)
    shy = 0.5 * p + 0.1
    first, second = summarize(y, None, p), summarize(y, None, shy)
    for name in ("log_loss", "brier", "ece", "ece_mass"):
        assert compare_summaries(first, second, name).verdict == "better", name
        assert compare_summaries(second, first, name).verdict == "worse", name
    same = compare_summaries(first, first)
    for name in LESS_IS_BETTER:
        assert same.differences[name].low <= 0 <= same.differences[name].high


@pytest.mark.parametrize(("low", "high", "name", "expected"), [
    (0.01, 0.02, "mcc", "better"), (-0.02, -0.01, "mcc", "worse"),
    (0.01, 0.02, "ece", "worse"), (-0.02, -0.01, "brier", "better"),
    (-0.01, 0.01, "mcc", "no difference shown"), (0.0, 0.1, "mcc", "no difference shown"),
    (np.nan, np.nan, "mcc", "no difference shown")])
def test_verdict_follows_from_the_interval(low, high, name, expected):
    interval = Interval(*map(np.asarray, ((low + high) / 2, low, high)), 0.95)
    assert difference_verdict(interval, name) == expected


def test_few_groups_are_said(drawn):
    y, p = drawn(2)
    one = summarize(y, None, p, units=np.arange(400) % 5, n_replicates=20)
    assert compare_summaries(one, one).caution.startswith("Only 5 groups")


def test_wrong_input_is_refused(drawn):
    y, p = drawn(3, 50)
    one, other = (summarize(y, None, p, n_replicates=20, seed=seed) for seed in (0, 1))
    with pytest.raises(InputError, match="not drawn alike"):
        compare_summaries(one, other)
    with pytest.raises(InputError, match=r"expected one of accuracy, .*, got f1"):
        compare_summaries(one, one, "f1")


@pytest.mark.parametrize(("grouped", "ungrouped", "words"), [
    (0.61, 0.72, "11.0 points higher (72.0 % instead of 61.0 %): that is optimism. Expect"),
    (0.61, 0.612, "hardly change (61.2 % instead of 61.0 %): no optimism was seen."),
    (0.61, 0.59, "2.0 points lower (59.0 % instead of 61.0 %): no optimism was seen.")])
def test_optimism_in_words(grouped, ungrouped, words):
    found = optimism_sentence({"macro_f1": grouped}, {"macro_f1": ungrouped, "accuracy": 1})
    assert words in found
