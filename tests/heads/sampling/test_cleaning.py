"""Cleaning; tests of traps show what imbalanced-learn does alone, then what happens here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import (
    EditedNearestNeighbours,
    NeighbourhoodCleaningRule,
    TomekLinks,
)

from plankton_features.heads.sampling import CleaningSampler, make_sampler
from plankton_features.heads.sampling.cleaning import CLEANING_KINDS
from plankton_features.heads.sampling.limits import Floor

THEIRS = {"tomek": TomekLinks, "edited-neighbours": EditedNearestNeighbours,
          "neighbourhood-cleaning": NeighbourhoodCleaningRule}
kinds = pytest.mark.parametrize("kind", CLEANING_KINDS)


@kinds
@given(sizes=st.lists(st.one_of(st.integers(1, 3), st.integers(1, 40)), min_size=2, max_size=6),
       seed=st.integers(0, 99), named=st.booleans(), spread=st.sampled_from([0.0, 0.5, 5.0]),
       strategy=st.sampled_from(["auto", "all"]))
@settings(max_examples=25, deadline=None)
def test_no_class_is_cleaned_below_ten_rows(rows_of, kind, sizes, seed, named, spread, strategy):
    X, y = rows_of(sizes, seed, spread)
    y = np.array([f"taxon {i:02}" for i in y]) if named else y * 7 - 3
    sampler = CleaningSampler(kind, strategy)
    X_new, y_new = sampler.fit_resample(X, y)
    after = list(sampler.after_.values())
    assert np.unique(y_new, return_counts=True)[1].tolist() == after
    assert X_new.dtype == np.float32
    for size, left, text in zip(sizes, after, sampler.done_.values(), strict=True):
        assert min(size, 10) <= left <= size
        assert (text == "cleaned") == (left < size)


@kinds
@pytest.mark.parametrize("strategy", ["auto", "all", [2, 0]])
def test_keeps_the_rows_that_imbalanced_learn_keeps_in_their_order(rows_of, kind, strategy):
    X, y = rows_of([150, 100, 80], spread=0.8)
    theirs = THEIRS[kind](sampling_strategy=strategy)
    theirs.fit_resample(X, y)
    sampler = CleaningSampler(kind, strategy)
    X_new, y_new = sampler.fit_resample(X, y)
    assert 0 < len(X_new) < len(X)
    np.testing.assert_array_equal(X_new, X[np.sort(theirs.sample_indices_)])
    np.testing.assert_array_equal(y_new, y[np.sort(theirs.sample_indices_)])


@pytest.mark.parametrize(("name", "theirs"), [("smote-tomek", SMOTETomek), ("smote-enn", SMOTEENN)])
def test_after_smote_it_is_what_imbalanced_learn_combines(rows_of, name, theirs):
    X, y = rows_of([150, 30, 80])
    X_new, y_new = X, y
    for _, sampler in make_sampler(name, floor=90, seed=2):
        X_new, y_new = sampler.fit_resample(X_new, y_new)
    smote = SMOTE(sampling_strategy=Floor(90), random_state=2)
    X_their, y_their = theirs(smote=smote, random_state=2).fit_resample(X, y)
    assert sorted(map(bytes, X_new)) == sorted(map(bytes, X_their))
    assert np.bincount(y_new).tolist() == np.bincount(y_their).tolist()


def test_trap_edited_neighbours_erases_classes(rows_of):
    X, y = rows_of([300, 60, 12], spread=5)
    theirs = np.bincount(EditedNearestNeighbours().fit_resample(X, y)[1], minlength=3)
    assert theirs[1] == 0
    sampler = CleaningSampler("edited-neighbours")
    sampler.fit_resample(X, y)
    assert sampler.after_ == {0: theirs[0], 1: 60, 2: 12}
    assert sampler.done_ == {0: "cleaned", 1: "left alone: cleaning would keep 0 of 60",
                             2: "left alone"}


def test_a_class_of_exactly_ten_kept_rows_is_cleaned():
    far = np.arange(10.0)[:, None] * 0.01
    X = np.concatenate([far, far + 100, [[100.001]] * 2 + far[:2] * 0.001])
    y = np.repeat([0, 1, 0], [10, 10, 2])
    before = np.bincount(y)
    theirs = np.bincount(EditedNearestNeighbours(sampling_strategy=[0]).fit_resample(X, y)[1])
    sampler = CleaningSampler("edited-neighbours", [0])
    sampler.fit_resample(X, y)
    assert before.tolist() == [12, 10]
    assert theirs.tolist() == list(sampler.after_.values()) == [10, 10]
    assert sampler.done_ == {0: "cleaned", 1: "left alone"}


def test_trap_neighbourhood_cleaning_fails_on_names(rows_of):
    X, y = rows_of([150, 100, 80])
    names = np.array(["a", "b", "c"])[y]
    with pytest.raises(TypeError):
        NeighbourhoodCleaningRule().fit_resample(X, names)
    expected = CleaningSampler("neighbourhood-cleaning").fit_resample(X, y)[0]
    found = CleaningSampler("neighbourhood-cleaning").fit_resample(X, names)[0]
    np.testing.assert_array_equal(found, expected)
    listed = CleaningSampler("neighbourhood-cleaning", ["a", "b"]).fit_resample(X, names)
    assert (listed[1] == "c").sum() == 80


@kinds
def test_trap_fewer_rows_than_neighbours(rows_of, kind):
    X, y = rows_of([1, 2])
    if kind != "tomek":
        with pytest.raises(ValueError, match="n_neighbors"):
            THEIRS[kind]().fit_resample(X, y)
    assert CleaningSampler(kind).fit_resample(X, y)[1].tolist() == y.tolist()


@kinds
def test_the_smallest_class_is_spared_unless_all_are_asked_for(rows_of, kind):
    X, y = rows_of([150, 100, 80], spread=2)
    spared, cleaned = CleaningSampler(kind), CleaningSampler(kind, "all")
    spared.fit_resample(X, y)
    cleaned.fit_resample(X, y)
    assert spared.done_[2] == "left alone"
    assert cleaned.done_[2] == "cleaned" or kind == "edited-neighbours"
    assert cleaned.after_[2] < 80 or cleaned.done_[2].startswith("left alone: cleaning would keep")


def test_a_class_that_is_not_there_is_refused(rows_of):
    with pytest.raises(ValueError, match="is/are not present"):
        CleaningSampler("tomek", [7]).fit_resample(*rows_of([30, 20]))
