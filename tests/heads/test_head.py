"""The head: its decision, its probabilities, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sound_heads import TAXA, D, fitted, make, rows

from plankton_features.errors import InputError
from plankton_features.heads.calibrators import Temperature, Uncalibrated
from plankton_features.heads.head import Predictions
from plankton_features.heads.pipeline import head_pipeline


def test_decision_and_probability_are_kept_apart():
    head = make()
    X, _ = rows(seed=1)
    scores = head.decision_scores(X)
    np.testing.assert_array_equal(scores, fitted().predict_proba(X))
    odds = scores * np.array([100, 40, 15, 5]) / 40
    odds /= odds.sum(axis=1, keepdims=True)
    sharpened = odds ** (1 / 1.4)
    expected = sharpened / sharpened.sum(axis=1, keepdims=True)
    found = head.classify(X)
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-6)
    np.testing.assert_array_equal(found.probabilities, head.predict_proba(X))
    np.testing.assert_array_equal(found.code, scores.argmax(axis=1))
    assert (found.code != found.probabilities.argmax(axis=1)).any()
    np.testing.assert_array_equal(found.probability,
                                  found.probabilities[np.arange(len(X)), found.code])
    assert found.accepted.all()


def test_thresholds_are_those_of_the_predicted_class():
    limits = np.array([0.9, 0.2, np.inf, 0.0])
    head = make(thresholds=limits)
    found = head.classify(rows(seed=1)[0])
    np.testing.assert_array_equal(found.accepted, found.probability >= limits[found.code])
    assert not found.accepted[found.code == 2].any()
    assert found.accepted[found.code == 3].all()
    assert 0 < found.accepted[found.code == 0].mean() < 1


def test_a_class_never_seen_has_probability_0():
    head = make(fitted(classes=(0, 2, 3)), source=[50, 0, 50, 60], calibrator=Uncalibrated())
    probabilities = head.predict_proba(rows()[0])
    assert probabilities.shape == (160, 4)
    assert not probabilities[:, 1].any()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_no_rows_give_no_predictions():
    found = make().classify(np.empty((0, D), np.float32))
    assert found.probabilities.shape == (0, 4)
    assert len(found) == 0


@pytest.mark.parametrize(("vectors", "message"), [
    (np.zeros((2, D + 1)), r"expected shape \(rows, 6\) as of recipe aaaaaaaaaaaa, got \(2, 7\)"),
    (np.zeros(D), r"got \(6,\)"),
    ([[0.0] * D, [np.nan] * D], "row 1"),
    ([[np.inf] * D], "row 0"),
    ([["a"] * D], "expected numbers"),
])
def test_vectors_that_do_not_fit(vectors, message):
    with pytest.raises(InputError, match=message):
        make().classify(vectors)


def test_a_head_of_an_array_says_so_where_others_name_their_recipe():
    head = make(recipe={}, recipe_id="")
    assert (make().vectors_of, head.vectors_of) == ("recipe aaaaaaaaaaaa", "an array of 6 values")
    with pytest.raises(InputError, match=r"as of an array of 6 values, got \(2, 7\)"):
        head.classify(np.zeros((2, D + 1)))


@pytest.mark.parametrize(("part", "value", "message"), [
    ("classes", ["a", "b", "a", "c"], "different names"),
    ("classes", ["a", "b", "c"], "source must be 3 numbers"),
    ("source", [1, 0, 1, 1], "above 0"),
    ("target", [1, -1, 1, 1], "above 0"),
    ("target", [1, 1, 1], "target must be 4"),
    ("thresholds", [0.1, 0.2, np.nan, 0.3], "thresholds must be 4"),
])
def test_parts_that_do_not_fit(part, value, message):
    with pytest.raises(InputError, match=message):
        make(**{part: value})


def test_class_names_are_not_class_numbers():
    X, y = rows()
    with pytest.raises(InputError, match="must be numbers"):
        make(Pipeline([("classifier", LogisticRegression())]).fit(X, np.array(TAXA)[y]))


def test_vectors_are_left_as_they_are():
    """A pipeline fitted to save memory scales in place; its head must not."""
    pipeline = fitted()
    pipeline.set_params(scale__copy=False)
    X, _ = rows(seed=2)
    before = X.copy()
    make(pipeline).classify(X)
    np.testing.assert_array_equal(X, before)
    assert pipeline.named_steps["scale"].copy is False


def test_what_only_training_needs_is_left_out():
    X, y = rows()
    pipeline = head_pipeline("mlp", "random-over", pca=3, floor=50)
    pipeline.set_params(classifier__early_stopping=True).fit(X, y)
    head = make(pipeline)
    assert [name for name, _ in head.pipeline.steps] == ["scale", "pca", "classifier"]
    np.testing.assert_array_equal(head.decision_scores(X), pipeline.predict_proba(X))
    assert not hasattr(head.pipeline[-1], "_optimizer")
    assert hasattr(pipeline[-1], "_optimizer")
    assert isinstance(pipeline[-1], MLPClassifier)


def test_a_forest_predicts_the_same_again():
    head = make(fitted(RandomForestClassifier(30, n_jobs=2, random_state=0)))
    X, _ = rows(2000, seed=3)
    first = head.predict_proba(X)
    assert all(np.array_equal(first, head.predict_proba(X)) for _ in range(5))


def test_the_id_follows_from_the_content():
    head = make()
    assert make().head_id == head.head_id
    assert len(head.head_id) == 12
    others = [replace(head, calibrator=Temperature(1.5)), replace(head, thresholds=[0.1] * 4),
              make(fitted(LogisticRegression(C=0.2))), make(info={"created": "2026-11-25"})]
    assert len({head.head_id, *(other.head_id for other in others)}) == 5


def test_info_must_be_json():
    with pytest.raises(InputError, match="plain JSON"):
        make(info={"score": np.float32(1)}).head_id  # noqa: B018
    with pytest.raises(InputError, match="Write NaN as None"):
        make(info={"score": float("nan")}).head_id  # noqa: B018


def test_a_note_on_another_scikit_learn():
    assert make().version_note == ""
    note = make(info={"versions": {"scikit-learn": "1.2.3"}}).version_note
    assert "fitted with scikit-learn 1.2.3" in note


def test_ranks():
    found = Predictions(np.array([2, 0]), np.array([[0.5, 0.1, 0.4], [0.2, 0.4, 0.4]]),
                        np.ones(2, bool))
    assert found.ranked(3).tolist() == [[2, 0, 1], [0, 1, 2]]
    assert found.ranked(9).tolist() == found.ranked(3).tolist()
