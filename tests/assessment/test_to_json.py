import json

import numpy as np
import pytest

from plankton_features.assessment.abstention import summarize_abstention
from plankton_features.assessment.baselines import majority_baseline
from plankton_features.assessment.comparison import compare_summaries
from plankton_features.assessment.summary import CLASS_SCORES, SCORES, living, summarize
from plankton_features.assessment.to_json import (
    abstention_to_json,
    classes_to_json,
    comparison_to_json,
    interval_to_json,
    intervals_to_json,
    living_to_json,
    numbers_to_json,
)
from plankton_features.errors import InputError

NAMES = ["<b>copepod</b>", "diatom", "never seen"]
Y = np.array([0, 1, 1, 0, 1, 0])
P = np.array([[.8, .2, 0], [.3, .7, 0], [.6, .4, 0], [.9, .1, 0], [.2, .7, .1], [.4, .5, .1]])


@pytest.fixture
def summary():
    return summarize(Y, None, P, n_replicates=50)


def strict(value):
    """As JSON has it back; refuses NaN and NumPy's numbers."""
    return json.loads(json.dumps(value, allow_nan=False))


def test_scores(summary):
    found = strict(intervals_to_json(summary.scores))
    assert list(found) == list(SCORES)
    for name, ends in found.items():
        assert list(ends) == ["estimate", "low", "high"]
        assert ends["low"] == summary.scores[name].low
        assert ends["high"] == summary.scores[name].high
    assert found["accuracy"]["estimate"] == pytest.approx(4 / 6)


def test_classes(summary):
    found = strict(classes_to_json(
        NAMES, summary, groups=None, training=np.array([9, 8, 7]),
        threshold=[0.5, np.inf, np.nan], coverage=np.array([0.25, 0, np.nan])))
    assert found[0].keys() == {"class", "support", "predicted", *CLASS_SCORES, "groups",
                               "training", "threshold", "coverage"}
    assert [line["class"] for line in found] == NAMES
    assert [line["support"] for line in found] == [3, 3, 0]
    assert [line["predicted"] for line in found] == [3, 3, 0]
    assert [line["groups"] for line in found] == [None] * 3
    assert [line["training"] for line in found] == [9, 8, 7]
    assert all(isinstance(line["training"], int) for line in found)
    assert [line["threshold"] for line in found] == [0.5, None, None]
    assert [line["coverage"] for line in found] == [0.25, 0, None]
    assert found[1]["recall"] == interval_to_json(summary.per_class["recall"], 1)
    assert found[2]["recall"] == found[2]["average_precision"] == {
        "estimate": None, "low": None, "high": None}


def test_columns_of_another_length_are_refused(summary):
    with pytest.raises(InputError, match="training: expected one entry for each of 3 classes"):
        classes_to_json(NAMES, summary, training=[1, 2])
    with pytest.raises(InputError, match="summary: expected one entry for each of 2"):
        classes_to_json(NAMES[:2], summary)


def test_living():
    found = strict(living_to_json(living(Y, None, P, [False, True, False], n_replicates=20),
                                  NAMES[1:2]))
    assert found["classes"] == ["diatom"]
    assert found["rows"] == 3
    assert list(found["scores"]) == list(SCORES)
    assert found["scores"]["kappa"]["estimate"] == pytest.approx(0)


def test_comparison(summary):
    found = strict(comparison_to_json(compare_summaries(summary, summary)))
    assert found.keys() == {"difference", "verdict"}
    assert found["verdict"] == "no difference shown"
    assert found["difference"]["mcc"] == {"estimate": 0, "low": 0, "high": 0}


def test_abstention():
    one = summarize_abstention(Y, P.argmax(axis=1), np.zeros(6, bool), 3, n_replicates=20)
    assert strict(abstention_to_json(one, 0.95)) == {
        "min_precision": 0.95, "coverage": {"estimate": 0, "low": 0, "high": 0},
        "precision": {"estimate": None, "low": None, "high": None}, "abstained_rows": 6}


def test_numbers(summary):
    baseline = strict(numbers_to_json(majority_baseline([3, 2, 0])))
    assert baseline.keys() == set(SCORES)
    assert baseline["accuracy"] == 0.6
    assert numbers_to_json(summary.scores)["mcc"] == summary.scores["mcc"].estimate
    assert numbers_to_json({"kappa": np.nan}) == {"kappa": None}
