"""Folds: what must stay together does, and every fold is what it says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plankton_features.errors import InputError
from plankton_features.heads.fitting import check_training
from plankton_features.heads.validation.folds import (
    Folds,
    check_folds,
    make_folds,
    make_split,
    missing_classes,
    rows_together,
)

LONG_TAIL = np.repeat(np.arange(6), [80, 40, 20, 10, 2, 1])


def parted(numbers, column):
    """Values of a column that lie in more than one fold."""
    return [v for v in set(column) if v and len(set(numbers[np.asarray(column) == v])) > 1]


def test_stratified_folds_share_out_every_class():
    number = make_folds(LONG_TAIL, seed=1).numbers[0]
    for k, n in enumerate(np.bincount(LONG_TAIL)):
        counts = np.bincount(number[k == LONG_TAIL], minlength=5)
        assert counts.max() - counts.min() <= 1, (k, n)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6), st.booleans())
def test_groups_and_copies_are_never_parted(seed, n_folds, with_digests):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 120)
    groups = np.array([f"tow {g}" for g in rng.integers(0, 30, 120)], object)
    groups[:10] = ""
    digests = [bytes([d]) for d in rng.integers(0, 250, 120)] if with_digests else None
    folds = make_folds(y, groups=groups, digests=digests, n_folds=n_folds, seed=seed)
    for number in folds.numbers:
        assert not parted(number, groups)
        assert not with_digests or not parted(number, digests)
        assert set(number) == set(range(n_folds))


def test_copies_chain_groups_together():
    groups = ["a", "a", "b", "b", "c"]
    assert rows_together(5, groups, [1, 2, 2, 3, 4]).tolist() == [0, 0, 0, 0, 1]


def test_a_split_has_the_shares_asked_for():
    y = np.repeat(np.arange(4), 250)
    number = make_split(y, test_size=0.15, validation_size=0.1).numbers[0]
    assert np.bincount(number).tolist() == [150, 100, 750]
    for k in range(4):
        assert abs((number[y == k] == 0).mean() - 0.15) < 0.02


def test_a_grouped_split_parts_no_group():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 12, 600).astype(str)
    folds = make_split(rng.integers(0, 3, 600), groups=groups)
    assert not parted(folds.numbers[0], groups)
    assert folds.grouped
    assert "grouped" in folds.kind


def test_neighbours_are_a_ring_and_pairs_serve_both():
    folds = make_folds(LONG_TAIL)
    assert {i: sorted(folds.neighbours(i)) for i in range(5)} == {
        0: [1, 4], 1: [0, 2], 2: [1, 3], 3: [2, 4], 4: [0, 3]}
    assert make_split(LONG_TAIL).neighbours(0) == (1,)


def test_repeats_differ_and_seeds_repeat():
    first, again = (make_folds(LONG_TAIL, repeats=2, seed=3).numbers for _ in range(2))
    assert (first == again).all()
    assert (first[0] != first[1]).any()


def test_classes_that_only_the_left_out_fold_has():
    number = np.array([0, 0, 1, 1, 2])
    assert missing_classes(["a", "b", "a", "c", "c"], number, 0).tolist() == ["b"]
    assert missing_classes(["a", "b", "a", "c", "c"], number, 1).tolist() == []


def test_the_check_finds_a_parted_unit_and_an_empty_fold():
    ring = ((0, 1), (1, 2), (2, 0))
    units = np.array([0, 0, 1, 2])
    with pytest.raises(InputError, match="lies in two"):
        check_folds(Folds(np.array([[0, 1, 1, 2]]), ring, (0, 1, 2), units, True, ""))
    with pytest.raises(InputError, match="one is empty"):
        check_folds(Folds(np.array([[0, 0, 1, 1]]), ring, (0, 1, 2), units, True, ""))


@pytest.mark.parametrize(("y", "options", "said"), [
    (["a"] * 9, {}, r"at least two classes, got 1 \(a\)"),
    ([], {}, "at least two classes, got 0"),
    (["a", "b", "a"], {}, "5 folds need at least 5 different images, got 3"),
    (["a", "b"] * 3, {}, "images of one class, the largest has 3"),
    (["a", "b"] * 9, {"groups": ["x", "y"] * 9}, "at least 5 groups, got 2.*--ungrouped"),
    (["a", "b"] * 9, {"n_folds": 2}, "expected 3 or more, got 2"),
    (["a", "b"] * 9, {"groups": ["x"]}, "groups: expected 18"),
])
def test_what_cannot_be_divided_says_why(y, options, said):
    with pytest.raises(InputError, match=said):
        make_folds(y, **options)


@pytest.mark.parametrize(("test", "validation"), [(0.0, 0.2), (0.6, 0.4), (0.01, 0.2)])
def test_shares_that_leave_nothing_are_refused(test, validation):
    with pytest.raises(InputError, match="leave something to train on"):
        make_split(LONG_TAIL, test_size=test, validation_size=validation)


@pytest.mark.parametrize(("n", "share", "told"), [
    (1, 0.2, "split: three parts need at least 3 different images, got 2. Add images"),
    (2, 0.2, "split: three parts need at least 3 images of one class, the largest has 2. Add"),
    (4, 0.05, "split: 8 different images are too few for a test part of 5 % and a validation part"),
    (4, 0.45, "split: 8 different images are too few for a test part of 45 % and a validation"),
])
def test_a_split_of_few_images_is_refused_in_its_own_words(n, share, told):
    with pytest.raises(InputError, match=told) as refusal:
        make_split(["a", "b"] * n, test_size=share, validation_size=share)
    assert "group" not in str(refusal.value)


@pytest.mark.parametrize("seed", range(5))
def test_each_part_of_a_split_holds_images(seed):
    """Or it is refused: the validation part was empty for few images and small shares."""
    rng = np.random.default_rng(seed)
    for n in range(6, 60, 3):
        test, validation = rng.integers(1, 10, 2) / 20
        y = rng.integers(0, 3, n)
        try:
            folds = make_split(y, test_size=test, validation_size=validation, seed=seed)
        except InputError:
            continue
        assert np.unique(folds.numbers[0]).tolist() == [0, 1, 2]


def test_a_single_class_left_to_train_on_is_told_without_groups():
    y = np.array([0] * 10 + [1])
    folds = make_split(y, test_size=0.2, validation_size=0.2)
    alone = replace(folds, numbers=np.where(y == 1, 0, folds.numbers))
    with pytest.raises(InputError, match=r"too few images of the others.*choose smaller parts"):
        check_training(y, alone)
