import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle

from plankton_features.assessment.confusion import confusion_by_group, confusion_matrix, margins
from plankton_features.assessment.metrics import class_scores, scores
from plankton_features.errors import InputError

RNG = np.random.default_rng(0)
CASES = {
    "random": (RNG.integers(6, size=300), RNG.integers(6, size=300), 6),
    "good": ((y := RNG.integers(6, size=300)), np.where(RNG.random(300) < 0.8, y, 0), 6),
    "many classes": (RNG.integers(121, size=400), RNG.integers(121, size=400), 121),
    "absent class": ([0, 0, 2, 2], [0, 2, 2, 2], 4),
    "absent class predicted": ([0, 0, 2, 2], [0, 1, 2, 1], 3),
    "never predicted": ([0, 1, 2, 2], [0, 0, 2, 0], 3),
    "one predicted": ([0, 1, 2, 2], [2, 2, 2, 2], 3),
    "one true": ([1, 1, 1], [0, 1, 2], 3),
    "all wrong": ([0, 1, 2, 2], [1, 2, 0, 0], 3),
    "all right": ([0, 1, 2, 2], [0, 1, 2, 2], 3),
    "one class": ([0, 0], [0, 0], 1),
    "one of three classes": ([1, 1], [1, 1], 3),
    "one row, wrong": ([1], [0], 2),
}
# scikit-learn warns of a single class, which is what those cases are about
quiet = pytest.mark.filterwarnings("ignore:A single label was found")
pairs = pytest.mark.parametrize(("y", "pred", "k"), CASES.values(), ids=CASES)
stacks = hnp.arrays(np.int64, st.tuples(st.integers(1, 3), st.just(4), st.just(4)),
                    elements=st.integers(0, 30))


def averages(y, pred):
    """The averages as scikit-learn has them, over classes with support."""
    present = np.unique(y)
    for kind in ("macro", "weighted"):
        values = oracle.precision_recall_fscore_support(
            y, pred, labels=present, average=kind, zero_division=0)
        yield from zip([f"{kind}_{n}" for n in ("precision", "recall", "f1")], values, strict=False)


@quiet
@pairs
def test_scores_equal_scikit_learn(y, pred, k):
    found = scores(confusion_matrix(y, pred, k))
    expected = {**dict(averages(y, pred)), "accuracy": oracle.accuracy_score(y, pred),
                "mcc": oracle.matthews_corrcoef(y, pred)}
    expected["balanced_accuracy"] = expected["macro_recall"]
    if len({*np.unique(y), *np.unique(pred)}) > 1:
        expected["kappa"] = oracle.cohen_kappa_score(y, pred)
    else:
        expected["kappa"] = np.nan
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-9, err_msg=name)


@pairs
def test_class_scores_equal_scikit_learn(y, pred, k):
    found = class_scores(confusion_matrix(y, pred, k))
    values = np.array(oracle.precision_recall_fscore_support(
        y, pred, labels=np.arange(k), zero_division=np.nan))
    supported = values[3] > 0
    values[0] = np.where(supported & np.isnan(values[0]), 0, values[0])
    for name, column in zip(("precision", "recall", "f1", "support"), values, strict=True):
        np.testing.assert_allclose(getattr(found, name), column, rtol=0, atol=1e-9, err_msg=name)


@quiet
@pairs
def test_confusion_equals_scikit_learn(y, pred, k):
    weights = np.random.default_rng(1).random(len(y))
    for w in (None, weights):
        expected = oracle.confusion_matrix(y, pred, labels=np.arange(k), sample_weight=w)
        np.testing.assert_allclose(confusion_matrix(y, pred, k, w), expected, rtol=0, atol=1e-9)


def test_two_classes_have_the_textbook_mcc():
    tp, fn, fp, tn = 17, 5, 3, 40
    expected = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert scores([[tp, fn], [fp, tn]])["mcc"] == pytest.approx(expected, abs=1e-12)


def test_weights_count_as_copies():
    y, pred, weights = [0, 1, 1, 2], [0, 1, 2, 2], [3, 1, 2, 4]
    copies = confusion_matrix(np.repeat(y, weights), np.repeat(pred, weights), 3)
    assert (confusion_matrix(y, pred, 3, weights) == copies).all()


def test_groups_add_up_to_all_rows():
    y, pred, k = CASES["random"]
    groups = np.array(["tow b", "tow a", "tow c"])[np.arange(len(y)) % 3]
    stack = confusion_by_group(y, pred, k, groups)
    assert stack.shape == (3, k, k)
    assert (stack.sum(axis=0) == confusion_matrix(y, pred, k)).all()
    for name, matrix in zip(("tow a", "tow b", "tow c"), stack, strict=True):
        assert (matrix == confusion_matrix(y[groups == name], pred[groups == name], k)).all()


@given(stacks)
def test_a_stack_gives_what_its_matrices_give(stack):
    whole, each = scores(stack), [scores(matrix) for matrix in stack]
    for name, values in whole.items():
        np.testing.assert_array_equal(values, [one[name] for one in each])


@given(stacks)
def test_scores_stay_in_their_ranges(stack):
    for name, values in scores(stack).items():
        low = -1 if name in ("mcc", "kappa") else 0
        seen = values[~np.isnan(values)]
        assert ((seen >= low - 1e-12) & (seen <= 1 + 1e-12)).all()


@given(stacks, st.permutations(range(4)))
def test_names_of_classes_do_not_matter(stack, order):
    other = stack[:, order][:, :, order]
    for name, values in scores(stack).items():
        np.testing.assert_allclose(scores(other)[name], values, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(class_scores(other).f1, class_scores(stack).f1[:, order])


@given(stacks)
def test_an_absent_class_changes_nothing(stack):
    wider = np.pad(stack, ((0, 0), (0, 1), (0, 1)))
    for name, values in scores(stack).items():
        np.testing.assert_allclose(scores(wider)[name], values, rtol=0, atol=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1), st.randoms())
def test_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = (confusion_matrix(*np.array(r).T, n_classes=4) for r in (rows, shuffled))
    assert (first == second).all()


def test_no_rows_no_scores():
    found = scores(np.zeros((3, 3)))
    assert found.pop("mcc") == 0
    assert np.isnan(list(found.values())).all()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: confusion_matrix([0, 3], [0, 0], 3),
     r"y_true: expected class numbers 0\.\.2, got 0\.\.3"),
    (lambda: confusion_matrix([0, 1], [0, -1], 3), "y_pred: expected class numbers"),
    (lambda: confusion_matrix(["a"], [0], 3), "Encode class names"),
    (lambda: confusion_matrix([0.0], [0], 3), "whole class number"),
    (lambda: confusion_matrix([], [], 3), "at least one"),
    (lambda: confusion_matrix([0], [0, 1], 3), "y_true 1, y_pred 2"),
    (lambda: confusion_matrix([0], [0], 3, [1, 2]), "weights 2"),
    (lambda: confusion_by_group([0], [0], 3, ["a", "b"]), "groups 2"),
    (lambda: margins(np.ones((2, 3))), r"shape \(\.\.\., K, K\)"),
    (lambda: scores([[1, -1], [0, 0]]), "counts of at least 0"),
    (lambda: scores([[1, np.nan], [0, 0]]), "counts of at least 0"),
])
def test_wrong_arrays_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
