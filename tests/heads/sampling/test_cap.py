"""Under-sampling; tests of traps show what imbalanced-learn does alone, then what happens here."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.under_sampling import (
    ClusterCentroids,
    InstanceHardnessThreshold,
    NearMiss,
    RandomUnderSampler,
)
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB

from plankton_features.heads.sampling import CapSampler, cap
from plankton_features.heads.sampling.cap import CAP_KINDS
from plankton_features.heads.sampling.limits import Cap

kinds = pytest.mark.parametrize("kind", CAP_KINDS)
selecting = pytest.mark.parametrize("kind", [k for k in CAP_KINDS if k != "cluster-centroids"])


@kinds
@given(sizes=st.lists(st.one_of(st.integers(1, 3), st.integers(1, 40)), min_size=2, max_size=6),
       n=st.integers(1, 30), seed=st.integers(0, 99), named=st.booleans(),
       spread=st.sampled_from([0.0, 0.01, 1.0]))
@settings(max_examples=20, deadline=None)
def test_every_class_ends_with_at_most_the_cap(rows_of, kind, sizes, n, seed, named, spread):
    X, y = rows_of(sizes, seed, spread)
    y = np.array([f"taxon {i:02}" for i in y]) if named else y * 7 - 3
    sampler = CapSampler(kind, n, seed)
    X_new, y_new = sampler.fit_resample(X, y)
    assert list(sampler.before_.values()) == sizes
    assert list(sampler.after_.values()) == [min(size, n) for size in sizes]
    assert np.unique(y_new, return_counts=True)[1].tolist() == list(sampler.after_.values())
    assert X_new.dtype == np.float32
    assert [text == "left alone" for text in sampler.done_.values()] == [s <= n for s in sizes]


@selecting
def test_rows_keep_their_order(rows_of, kind):
    X, y = rows_of([60, 30, 5])
    X[:, 0] = np.arange(len(X)) / 50
    X_new, y_new = CapSampler(kind, 20, random_state=0).fit_resample(X, y)
    positions = np.rint(X_new[:, 0] * 50).astype(int)
    assert (np.diff(positions) > 0).all()
    np.testing.assert_array_equal(X_new, X[positions])
    np.testing.assert_array_equal(y_new, y[positions])


def test_centroids_follow_the_rows_that_stay(rows_of):
    X, y = rows_of([60, 10, 5])
    X_new, y_new = CapSampler("cluster-centroids", 20, random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(X_new[:15], X[y > 0])
    np.testing.assert_array_equal(y_new, [*y[y > 0], *[0] * 20])
    theirs = ClusterCentroids(sampling_strategy=Cap(20), random_state=0).fit_resample(X, y)[0][:20]
    np.testing.assert_array_equal(X_new[15:], theirs)


@pytest.mark.parametrize(("kind", "theirs"), [
    ("random-under", RandomUnderSampler(sampling_strategy=Cap(20), random_state=3)),
    ("near-miss", NearMiss(sampling_strategy=Cap(20))),
    ("instance-hardness", InstanceHardnessThreshold(
        estimator=LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        sampling_strategy=Cap(20), random_state=3))])
def test_keeps_the_rows_that_imbalanced_learn_keeps(rows_of, kind, theirs):
    X, y = rows_of([60, 30, 12])
    ours, _ = CapSampler(kind, 20, random_state=3).fit_resample(X, y)
    theirs.fit_resample(X, y)
    np.testing.assert_array_equal(ours, X[np.sort(theirs.sample_indices_)])


def test_instance_hardness_drops_the_rows_among_another_class(rows_of):
    X, y = rows_of([60, 60], spread=0.1)
    y[[i for i in range(len(y)) if y[i] == 0][:5]] = 1
    lost = X[y == 1][((X[y == 1] - X[y == 0].mean(axis=0)) ** 2).sum(axis=1) < 0.5]
    assert len(lost) == 5
    X_new, y_new = CapSampler("instance-hardness", 60, random_state=0).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [55, 60]
    assert not {row.tobytes() for row in lost} & {row.tobytes() for row in X_new}


def test_trap_near_miss_wants_more_neighbours_than_the_rarest_class_has(rows_of):
    X, y = rows_of([60, 30, 2])
    with pytest.raises(ValueError, match="n_neighbors"):
        NearMiss(sampling_strategy=Cap(20)).fit_resample(X, y)
    sampler = CapSampler("near-miss", 20)
    sampler.fit_resample(X, y)
    assert sampler.after_ == {0: 20, 1: 20, 2: 2}
    assert sampler.done_[0] == "cut to the rows nearest the rarest class"


@pytest.mark.parametrize("labels", [["a", "b", "c"], [1, 2, 3], [-1, 0, 1]])
def test_trap_instance_hardness_takes_labels_for_columns(rows_of, labels):
    X, y = rows_of([60, 30, 12])
    codes = CapSampler("instance-hardness", 20, random_state=3).fit_resample(X, y)[0]
    ours = CapSampler("instance-hardness", 20, random_state=3).fit_resample(
        X, np.array(labels)[y])[0]
    np.testing.assert_array_equal(ours, codes)
    theirs = InstanceHardnessThreshold(
        estimator=LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        sampling_strategy=Cap(20), random_state=3)
    try:
        theirs.fit_resample(X, np.array(labels)[y])
    except IndexError:
        assert labels[0] != -1
    else:
        assert not np.array_equal(X[np.sort(theirs.sample_indices_)], codes)


def test_trap_instance_hardness_keeps_all_ties(rows_of):
    X, y = rows_of([60, 30, 12], spread=0.001)  # every probability is 1
    theirs = InstanceHardnessThreshold(
        estimator=GaussianNB(), sampling_strategy=Cap(20), random_state=3)
    assert np.bincount(theirs.fit_resample(X, y)[1]).tolist() == [60, 30, 12]
    sampler = CapSampler("instance-hardness", 20, random_state=3)
    first = sampler.fit_resample(X, y)[0]
    assert sampler.after_ == {0: 20, 1: 20, 2: 12}
    np.testing.assert_array_equal(sampler.fit_resample(X, y)[0], first)
    other = CapSampler("instance-hardness", 20, random_state=4).fit_resample(X, y)[0]
    assert not np.array_equal(other, first)


def test_trap_instance_hardness_warns_of_tiny_classes(rows_of):
    X, y = rows_of([60, 30, 2, 1])
    theirs = InstanceHardnessThreshold(
        estimator=LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        sampling_strategy=Cap(20), random_state=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        theirs.fit_resample(X, y)
    seen = [str(warning.message) for warning in caught]
    assert all(any(text.startswith(begin) for text in seen) for begin in cap.TINY_CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CapSampler("instance-hardness", 20, random_state=3).fit_resample(X, y)


def test_other_warnings_still_come_through(rows_of, monkeypatch):
    def fit_resample(self, X, y):
        warnings.warn("something else", stacklevel=1)
        self.sample_indices_ = np.arange(len(X))

    monkeypatch.setattr(cap.InstanceHardnessThreshold, "fit_resample", fit_resample)
    with pytest.warns(UserWarning, match="something else"):
        CapSampler("instance-hardness", 20).fit_resample(*rows_of([60, 30]))


def test_trap_instance_hardness_wants_as_many_rows_as_folds(rows_of):
    X, y = rows_of([4, 3])
    with pytest.raises(ValueError, match="n_splits=5"):
        InstanceHardnessThreshold(estimator=GaussianNB(), sampling_strategy=Cap(2)).fit_resample(
            X, y)
    sampler = CapSampler("instance-hardness", 2, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_ == dict.fromkeys([0, 1], "cut to the rows easiest to classify")


def test_hardness_that_cannot_be_had_is_replaced_and_said_so(rows_of):
    X, y = rows_of([2, 2])
    sampler = CapSampler("instance-hardness", 1, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.after_ == {0: 1, 1: 1}
    assert sampler.done_[0].startswith("cut at random instead of by hardness: ")
    assert "\n" not in sampler.done_[0]


def test_centroids_of_equal_rows():
    X, y = np.zeros((40, 3), np.float32), np.repeat([0, 1], [30, 10])
    sampler = CapSampler("cluster-centroids", 20, random_state=0)
    assert not sampler.fit_resample(X, y)[0].any()
    assert sampler.after_ == {0: 20, 1: 10}
