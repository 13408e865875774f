import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from plankton_features.assessment.probability_metrics import (
    average_precision,
    brier_score,
    confidence_and_correctness,
    log_loss,
    row_scores,
    top_k_accuracy,
)
from plankton_features.errors import InputError


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_classes", [2, 3, 30])
def test_scores_equal_scikit_learn(drawn, seed, n_classes):
    y, p = drawn(seed, 200, n_classes)  # of 30 classes, some are absent
    labels = np.arange(n_classes)
    assert log_loss(y, p) == pytest.approx(oracle.log_loss(y, p, labels=labels), abs=1e-9)
    assert brier_score(y, p) == pytest.approx(
        oracle.brier_score_loss(y, p, labels=labels, scale_by_half=False)
        if n_classes > 2 else 2 * oracle.brier_score_loss(y, p[:, 1]), abs=1e-9)
    for k in (1, 2) if n_classes > 2 else ():
        assert top_k_accuracy(y, p, k) == pytest.approx(
            oracle.top_k_accuracy_score(y, p, k=k, labels=labels), abs=1e-9)
    for k, value in enumerate(average_precision(y, p)):
        expected = oracle.average_precision_score(y == k, p[:, k]) if (y == k).any() else np.nan
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)


def test_scores_equal_their_definitions(drawn):
    y, p = drawn(7, 50, 4)
    one_hot = np.eye(4)[y]
    assert brier_score(y, p) == pytest.approx(((p - one_hot) ** 2).sum() / 50, abs=1e-12)
    assert log_loss(y, p) == pytest.approx(-(one_hot * np.log(p)).sum() / 50, abs=1e-12)
    best = np.argsort(-p, axis=1)[:, :2]
    assert top_k_accuracy(y, p, 2) == np.mean([t in b for t, b in zip(y, best, strict=True)])


def test_confidence_is_that_of_the_decision(drawn):
    y, p = drawn(8, 50, 4)
    pred = np.random.default_rng(0).integers(4, size=50)
    told, right = confidence_and_correctness(y, p, pred)
    assert told.tolist() == [row[k] for row, k in zip(p, pred, strict=True)]
    assert right.tolist() == [float(a == b) for a, b in zip(y, pred, strict=True)]
    alike, other = row_scores(y, p), row_scores(y, p, y_pred=pred)
    np.testing.assert_array_equal(other.pop("signed_gap"), told - right)
    for name, values in other.items():
        np.testing.assert_array_equal(values, alike[name])
    for found, expected in zip(confidence_and_correctness(y, p),
                               (p.max(axis=1), p.argmax(axis=1) == y), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_wrong_decisions_are_refused():
    for call in (confidence_and_correctness, lambda *a: row_scores(*a[:2], y_pred=a[2])):
        with pytest.raises(InputError, match="y_pred: expected class numbers"):
            call([0], [[0.5, 0.5]], [2])
        with pytest.raises(InputError, match="y_pred 2"):
            call([0], [[0.5, 0.5]], [1, 1])


def test_average_precision_of_a_hand_made_ranking():
    p = np.array([0.9, 0.8, 0.7, 0.6])  # right, wrong, right, wrong
    found = average_precision([1, 0, 1, 0], np.column_stack([1 - p, p]))
    assert found[1] == pytest.approx((1 + 2 / 3) / 2, abs=1e-12)


def test_extremes():
    assert log_loss([1], [[1.0, 0.0]]) == pytest.approx(36.04, abs=0.01)
    assert brier_score([1, 0], [[1.0, 0.0], [1.0, 0.0]]) == 1.0
    assert log_loss([0], [[1.0]]) == 0
    assert top_k_accuracy([0, 1], [[0.1, 0.9], [0.9, 0.1]], k=9) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 2), min_size=3, max_size=3)
                          .filter(any)), min_size=1))
def test_among_equals_the_first_class_wins(rows):
    y = np.array([label for label, _ in rows])
    p = np.array([shares for _, shares in rows], dtype=float)
    p /= p.sum(axis=1, keepdims=True)
    assert top_k_accuracy(y, p, 1) == (p.argmax(axis=1) == y).mean()
    assert top_k_accuracy(y, p, 3) == 1


def test_names_of_classes_do_not_matter(drawn):
    y, p = drawn(3)
    order = np.array([3, 0, 4, 2, 1])
    first, second = row_scores(y, p), row_scores(np.argsort(order)[y], p[:, order])
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        average_precision(np.argsort(order)[y], p[:, order]), average_precision(y, p)[order])


def test_rounding_makes_no_score_better_than_perfect():
    y, p = [0], [[1 + 5e-5, 0]]
    found = row_scores(y, p)
    assert found["log_loss"] == found["signed_gap"] == 0
    assert found["brier"] == pytest.approx(0, abs=1e-8)


def test_float32_is_welcome(drawn):
    y, p = drawn(3)
    assert log_loss(y, p.astype(np.float32)) == pytest.approx(log_loss(y, p), abs=1e-6)


@pytest.mark.parametrize(("y", "p", "message"), [
    ([0], [[0.5, 0.6]], "sum to 1"),
    ([0], [[2.0, -1.0]], "logits"),
    ([0], [[np.nan, 1.0]], r"numbers in \[0, 1\]"),
    ([0], [0.5, 0.5], r"shape \(rows, classes\)"),
    ([2], [[0.5, 0.5]], "class numbers"),
    ([0, 1], [[0.5, 0.5]], "y_true 2, probabilities 1"),
])
def test_wrong_arrays_are_refused(y, p, message):
    for score in (log_loss, brier_score, top_k_accuracy, average_precision):
        with pytest.raises(InputError, match=message):
            score(y, p)


def test_top_0_is_refused():
    with pytest.raises(InputError, match="k: expected at least 1"):
        top_k_accuracy([0], [[1.0]], k=0)
