import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.assessment.thresholds import apply_thresholds, fit_thresholds
from plankton_features.errors import InputError

#: true, predicted, confidence
TABLE = np.array([
    (0, 0, 0.9), (0, 0, 0.8), (1, 0, 0.7), (0, 0, 0.6), (0, 0, 0.5), (2, 0, 0.4),
    (0, 1, 0.9), (1, 1, 0.5), (1, 1, 0.5), (2, 1, 0.5),
    (0, 2, 0.9), (1, 2, 0.8)])
Y, PRED, P = TABLE[:, 0].astype(int), TABLE[:, 1].astype(int), TABLE[:, 2]

rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(
    [0.0, 0.1, 0.25, 0.5, 0.7, 1.0])), min_size=1, max_size=40)


@pytest.mark.parametrize(("promise", "expected"), [
    (1.0, [0.8, np.inf, np.inf, np.inf]),
    (0.8, [0.5, np.inf, np.inf, np.inf]),  # 4 of 5: below 0.75 on the way, kept again at 0.5
    (0.75, [0.5, np.inf, np.inf, np.inf]),
    (0.5, [0.4, 0.5, np.inf, np.inf]),  # the three equal rows of class 1 stay together
])
def test_a_table_made_by_hand(promise, expected):
    assert fit_thresholds(Y, PRED, P, 4, promise).tolist() == expected


def test_few_rows_do_not_set_a_threshold():
    assert fit_thresholds(Y, PRED, P, 3, 1.0, min_accepted=3).tolist() == [np.inf] * 3
    assert fit_thresholds(Y, PRED, P, 3, 0.8, min_accepted=5)[0] == 0.5


def test_what_thresholds_keep():
    found = apply_thresholds(Y, PRED, P, [0.6, 0.5, np.inf, 0.1])
    assert found.accepted.tolist() == [True] * 4 + [False] * 2 + [True] * 4 + [False] * 2
    assert found.coverage == 8 / 12
    assert found.precision == 5 / 8
    assert found.class_accepted.tolist() == [4, 4, 0, 0]
    np.testing.assert_array_equal(found.class_coverage, [4 / 6, 1, 0, np.nan])
    np.testing.assert_array_equal(found.class_precision, [0.75, 0.5, np.nan, np.nan])


def test_nothing_kept():
    found = apply_thresholds(Y, PRED, P, [np.inf] * 3)
    assert found.coverage == 0
    assert np.isnan(found.precision)


@given(rows, st.sampled_from([0.3, 0.5, 2 / 3, 0.95, 1.0]), st.integers(1, 4))
def test_thresholds_equal_a_search_through_all(rows, promise, least):
    y, pred, p = (np.array(column) for column in zip(*rows, strict=True))
    for k, found in enumerate(fit_thresholds(y, pred, p, 3, promise, least)):
        kept = [t for t in np.unique(p[pred == k])
                if ((pred == k) & (p >= t)).sum() >= least
                and (y == k)[(pred == k) & (p >= t)].mean() >= promise]
        assert found == min(kept, default=np.inf)


@given(rows, st.sampled_from([0.5, 0.95]), st.randoms())
def test_the_promise_is_kept_where_it_was_made(rows, promise, random):
    y, pred, p = (np.array(column) for column in zip(*rows, strict=True))
    limits = fit_thresholds(y, pred, p, 3, promise)
    kept = apply_thresholds(y, pred, p, limits)
    precision = kept.class_precision[np.isfinite(limits)]
    assert (precision >= promise).all()
    order = random.sample(range(len(y)), len(y))
    assert (fit_thresholds(y[order], pred[order], p[order], 3, promise) == limits).all()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: fit_thresholds([0], [0], [0.5], 1, 0), "min_precision"),
    (lambda: fit_thresholds([0], [0], [0.5], 1, 1.1), "min_precision"),
    (lambda: fit_thresholds([0], [0], [0.5], 1, 0.9, 0), "min_accepted"),
    (lambda: fit_thresholds([0], [0], [0.5, 0.5], 1, 0.9), "confidences 2"),
    (lambda: fit_thresholds([0], [1], [0.5], 1, 0.9), "y_pred: expected class numbers"),
    (lambda: apply_thresholds([0], [0], [0.5], [np.nan]), "one number per class"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
