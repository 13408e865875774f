import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler

from plankton_features.errors import InputError
from plankton_features.heads.sampling.limits import Cap, Floor

labels = st.one_of(st.lists(st.integers(-3, 9), min_size=1, max_size=80),
                   st.lists(st.sampled_from(["krill", "Кладоцера", "<b>", ""]), min_size=1))


def test_closed_forms():
    y = ["a"] * 5 + ["b"] * 3 + ["c"]
    assert Floor(3)(y) == {"c": 3}
    assert Floor(4)(y) == {"b": 4, "c": 4}
    assert Floor("balance")(y) == {"b": 5, "c": 5}
    assert Cap(3)(y) == {"a": 3}
    assert Cap(1)(y) == {"a": 1, "b": 1}
    assert Floor(1)(y) == Cap(5)(y) == {}


@given(labels, st.integers(1, 40))
def test_what_is_named_is_below_the_floor_or_above_the_cap(y, n):
    counts = Counter(y)
    assert Floor(n)(y) == {label: n for label, count in counts.items() if count < n}
    assert Cap(n)(np.array(y, dtype=object)) == {k: n for k, count in counts.items() if count > n}
    assert all({**counts, **Floor(n)(y)}[k] == max(count, n) for k, count in counts.items())
    assert set(Floor("balance")(y).values()) <= {max(counts.values())}


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(1, 20))
def test_they_drive_the_samplers_of_imbalanced_learn(sizes, n):
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = np.zeros((len(y), 1))
    over = RandomOverSampler(sampling_strategy=Floor(n)).fit_resample(X, y)[1]
    under = RandomUnderSampler(sampling_strategy=Cap(n)).fit_resample(X, y)[1]
    assert np.bincount(over).tolist() == [max(size, n) for size in sizes]
    assert np.bincount(under).tolist() == [min(size, n) for size in sizes]


@pytest.mark.parametrize("rule", [Floor(7), Floor("balance"), Cap(7)])
def test_they_can_be_pickled_compared_and_not_changed(rule):
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert hash(rule) == hash(type(rule)(rule.n))
    with pytest.raises(AttributeError):
        rule.n = 3


@pytest.mark.parametrize("n", [0, -1, 2.0, True, "7", "Balance", None])
def test_other_numbers_are_refused(n):
    with pytest.raises(InputError, match=r"floor: expected a whole number.*or 'balance', got"):
        Floor(n)
    with pytest.raises(InputError, match="cap: expected a whole number of rows, at least 1, got"):
        Cap(n)


def test_numpy_integers_are_whole_numbers():
    assert Floor(np.int64(2))(["a"]) == {"a": 2}
    assert type(Floor(np.int64(2))(["a"])["a"]) is type(Cap(np.int64(1))([1, 1])[1]) is int
