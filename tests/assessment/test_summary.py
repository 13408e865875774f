import time
import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as oracle

from plankton_features.assessment.baselines import majority_baseline
from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.summary import (
    CLASS_SCORES,
    LESS_IS_BETTER,
    SCORES,
    living,
    summarize,
)
from plankton_features.errors import InputError

# scikit-learn warns of a single class, which is what those cases are about
quiet = pytest.mark.filterwarnings("ignore:A single label was found", "ignore:'y_true' and 'y_p",
                                   "ignore:The number of classes in y_true")
SMALL = {"n_replicates": 20}


def random_case(seed, n, k, agree):
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    p = rng.dirichlet(np.full(k, 0.5), n)
    return y, np.where(rng.random(n) < agree, y, p.argmax(axis=1)), p


CASES = {
    "random": random_case(0, 200, 6, 0.5),
    "many classes, some absent": random_case(1, 90, 60, 0.3),
    "two classes": random_case(2, 100, 2, 0.7),
    "absent class predicted": ([0, 0, 2], [0, 1, 2], [[.5, .3, .2], [.1, .8, .1], [.4, .2, .4]]),
    "never predicted": ([0, 1, 1], [0, 0, 0], [[1, 0, 0], [.6, .4, 0], [.5, .5, 0]]),
    "one true class": ([1, 1], [1, 0], [[.5, .5], [.7, .3]]),
    "one class": ([0, 0], [0, 0], [[1.0], [1.0]]),
    "one of three classes": ([1, 1], [1, 1], [[0, 1, 0], [.25, .5, .25]]),
    "all wrong": ([0, 1, 2], [1, 2, 0], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    "one row": ([2], [1], [[.2, .5, .3]]),
}


def in_bins(told, right, edges):
    """Expected calibration error by a loop."""
    bins = np.clip(np.searchsorted(edges, told, side="right") - 1, 0, len(edges) - 2)
    return sum(abs((right[bins == b] - told[bins == b]).sum()) for b in set(bins)) / len(told)


def expected_scores(y, pred, p):
    """Every score by scikit-learn or its definition."""
    y, pred, p = np.array(y), np.array(pred), np.array(p, dtype=float)
    n, k = p.shape
    present, one_hot, told = np.unique(y), np.eye(k)[y], p[np.arange(n), pred]
    found = {"accuracy": oracle.accuracy_score(y, pred), "mcc": oracle.matthews_corrcoef(y, pred),
             "balanced_accuracy": oracle.recall_score(y, pred, labels=present, average="macro"),
             "kappa": np.nan if len({*y, *pred}) == 1 else oracle.cohen_kappa_score(y, pred)}
    for kind in ("macro", "weighted"):
        values = oracle.precision_recall_fscore_support(
            y, pred, labels=present, average=kind, zero_division=0)
        found |= zip([f"{kind}_{s}" for s in ("precision", "recall", "f1")], values, strict=False)
    best = np.argsort(-p, axis=1, kind="stable")[:, :3]
    found["top_3_accuracy"] = (best == y[:, None]).any(axis=1).mean()
    found["log_loss"] = -np.log(np.clip((p * one_hot).sum(axis=1), 2.0 ** -52, 1)).mean()
    if k > 1:
        clipped = np.clip(p, 2.0 ** -52, 1)  # scikit-learn renormalises
        np.testing.assert_allclose(found["log_loss"], oracle.log_loss(
            y, clipped / clipped.sum(axis=1, keepdims=True), labels=range(k)), atol=1e-9)
    found["brier"] = ((p - one_hot) ** 2).sum() / n
    width = np.linspace(0, 1, 16)
    mass = np.unique(np.quantile(told, width))
    found["ece"] = in_bins(told, pred == y, width)
    found["ece_mass"] = in_bins(told, pred == y, mass if len(mass) > 1 else np.repeat(mass, 2))
    found["class_wise_ece"] = np.mean([in_bins(p[:, j], y == j, width) for j in range(k)])
    return found


@quiet
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_score_equals_an_independent_one(case):
    found = summarize(*case, **SMALL)
    expected = expected_scores(*case)
    assert set(found.scores) == set(SCORES) == set(expected)
    for name, value in expected.items():
        estimate = found.scores[name].estimate
        np.testing.assert_allclose(estimate, value, rtol=0, atol=1e-9, err_msg=name)


@quiet
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_scores_of_classes_equal_scikit_learn(case):
    y, pred, p = (np.array(part) for part in case)
    found, labels = summarize(*case, **SMALL), range(p.shape[1])
    precision, recall, f1, support = oracle.precision_recall_fscore_support(
        y, pred, labels=labels, zero_division=np.nan)
    precision = np.where((support > 0) & np.isnan(precision), 0, precision)
    ranked = [oracle.average_precision_score(y == k, p[:, k]) if support[k] else np.nan
              for k in labels]
    for name, values in zip(CLASS_SCORES, (precision, recall, f1, ranked), strict=True):
        np.testing.assert_allclose(found.per_class[name].estimate, values, rtol=0, atol=1e-9)
    expected = oracle.confusion_matrix(y, pred, labels=labels)
    assert (found.confusion == expected).all()
    assert (found.support == expected.sum(axis=1)).all()
    assert (found.predicted == expected.sum(axis=0)).all()


def test_intervals_lie_around_estimates(drawn):
    y, p = drawn(0)
    found = summarize(y, None, p)
    for name, interval in (found.scores | found.per_class).items():
        assert (interval.low < interval.estimate).all(), name
        assert (interval.estimate < interval.high).all(), name
        assert np.shape(interval.low) == ((5,) if name in CLASS_SCORES else ())
    assert found.caution == ""
    assert LESS_IS_BETTER.issubset(SCORES)


def test_the_most_probable_class_is_the_decision_unless_told(drawn):
    y, p = drawn(1)
    alike, other = summarize(y, p.argmax(axis=1), p, **SMALL), summarize(y, y, p, **SMALL)
    assert alike.scores == summarize(y, None, p, **SMALL).scores
    assert other.scores["accuracy"].estimate == 1
    for name in ("log_loss", "brier", "top_3_accuracy", "class_wise_ece"):
        assert other.scores[name] == alike.scores[name]
    assert other.scores["ece"].estimate == pytest.approx(  # promises too little, in every bin
        1 - p[np.arange(400), y].mean(), abs=1e-9)


def test_rows_scored_twice_count_once_in_the_interval(drawn):
    y, p = drawn(2)
    once, twice = summarize(y, None, p), summarize(
        np.tile(y, 2), None, np.tile(p, (2, 1)), units=np.tile(np.arange(400), 2))
    for name in set(SCORES) - {"ece_mass"}:  # quantiles of doubled rows are a little different
        for end in ("estimate", "low", "high"):
            assert getattr(twice.scores[name], end) == pytest.approx(
                getattr(once.scores[name], end), abs=1e-9), (name, end)
    assert (twice.support == 2 * once.support).all()
    careless = summarize(np.tile(y, 2), None, np.tile(p, (2, 1))).scores["accuracy"]
    whole = once.scores["accuracy"]
    assert careless.high - careless.low < 0.8 * (whole.high - whole.low)


def test_few_groups_are_said(drawn):
    y, p = drawn(3)
    assert summarize(y, None, p, units=np.arange(400) % 7, **SMALL).caution.startswith(
        "Only 7 groups")


def test_a_single_group_has_no_interval(drawn):
    y, p = drawn(3, 40)
    found = summarize(y, None, p, units=np.zeros(40), **SMALL)
    for name, interval in found.scores.items():
        assert np.isfinite(interval.estimate), name
        assert np.isnan([interval.low, interval.high]).all(), name


def test_without_some_classes(drawn):
    y, p = drawn(4)
    pred = p.argmax(axis=1)
    left_out = np.array([False, True, False, False, True])
    kept = ~left_out[y]
    found = living(y, None, p, left_out)
    assert found.support.sum() == kept.sum()
    assert not found.support[left_out].any()
    assert found.predicted[left_out].all()  # a taxon taken for detritus stays wrong
    assert found.scores["accuracy"].estimate == (pred == y)[kept].mean()
    same = summarize(y[kept], None, p[kept])
    for name in set(SCORES) - {"class_wise_ece"}:
        assert found.scores[name] == same.scores[name]
    each = [in_bins(p[kept, k], y[kept] == k, np.linspace(0, 1, 16)) for k in (0, 2, 3)]
    assert found.scores["class_wise_ece"].estimate == pytest.approx(np.mean(each), abs=1e-9)
    assert np.isnan(found.per_class["recall"].estimate[left_out]).all()
    assert found.scores["macro_f1"].estimate == pytest.approx(oracle.f1_score(
        y[kept], pred[kept], labels=[0, 2, 3], average="macro"), abs=1e-9)


def test_without_no_class_all_is_the_same(drawn):
    y, p = drawn(5)
    tow = np.arange(400) // 8
    alike = living(y, y, p, np.zeros(5, bool), units=tow, **SMALL)
    assert alike.scores == summarize(y, y, p, units=tow, **SMALL).scores


def test_few_rows_that_are_left_are_said():
    p = np.tile([0.6, 0.4], (6, 1))
    for units, kind in ((None, "5 rows"), (np.arange(6), "5 groups")):
        found = living([0] * 5 + [1], None, p, [False, True], units=units, n_replicates=2)
        assert found.caution.startswith(f"Only {kind}:")


def test_groups_without_kept_rows_are_not_drawn():
    y, p = np.repeat([0, 1, 2], 40), np.full((120, 3), 1 / 3)
    found = living(y, None, p, [False, False, True], units=np.arange(120) // 4)
    assert found.replicates.n_units == 20


def test_a_constant_answer_equals_the_majority_baseline():
    y = np.repeat(np.arange(5), [50, 20, 20, 8, 2])
    p = np.tile([0.5, 0.2, 0.2, 0.08, 0.02], (100, 1))
    found, expected = summarize(y, None, p, **SMALL), majority_baseline(np.bincount(y))
    assert set(expected) == set(SCORES)
    for name, value in expected.items():
        assert found.scores[name].estimate == pytest.approx(float(value), abs=1e-9), name


def test_121_classes_are_quick_and_small():
    rng = np.random.default_rng(0)
    y = rng.integers(121, size=15_159)
    p = rng.dirichlet(np.full(121, 0.05), 15_159)
    p[np.arange(15_159), y] += 0.5
    p /= p.sum(axis=1, keepdims=True)
    start = time.process_time()
    found = summarize(y, None, p)
    assert time.process_time() - start < 20
    assert (found.confusion == confusion_matrix(y, p.argmax(axis=1), 121)).all()
    tracemalloc.start()
    summarize(y, None, p)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6


@pytest.mark.parametrize(("call", "message"), [
    (lambda: summarize([0, 1], [0], [[1, 0], [0, 1]]), "y_pred 1, probabilities 2"),
    (lambda: summarize([0], [2], [[1.0, 0]]), "y_pred: expected class numbers"),
    (lambda: summarize([0], None, [[1.0, 1]]), "numbers in|sum to 1"),
    (lambda: summarize([0], None, [[1.0, 0]], units=[1, 2]), "one for each of 1 rows"),
    (lambda: living([0], None, [[1.0, 0]], [True, False]), "no row is left"),
    (lambda: living([0], None, [[1.0, 0]], [True]), "for each of 2 classes"),
    (lambda: living([0], None, [[1.0, 0]], [0, 1]), "true or false"),
    (lambda: living([0], [0, 1], [[1.0, 0]], [False, True]), "y_pred 2"),
    (lambda: living([0], None, [[1.0, 0]], [False, True], units=[1, 2]), "one for each of 1 rows"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
