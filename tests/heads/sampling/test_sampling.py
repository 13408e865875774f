import pickle
from itertools import product

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB

from plankton_features.errors import InputError, PlanktonFeaturesError
from plankton_features.heads.sampling import (
    DEFAULT_CAP,
    DEFAULT_FLOOR,
    SAMPLERS,
    CapSampler,
    CleaningSampler,
    FloorSampler,
    make_sampler,
)
from plankton_features.heads.sampling.base import Outcome
from plankton_features.heads.sampling.cap import CAP_KINDS
from plankton_features.heads.sampling.cleaning import CLEANING_KINDS
from plankton_features.heads.sampling.floor import FLOOR_KINDS

LONG_TAIL = [400, 150, 60, 25, 12, 6, 5, 3, 2, 2, 1, 1]
PAIRS = [f"{a}+{b}" for a, b in product([*CAP_KINDS, *CLEANING_KINDS], ["smote", "adasyn"])]


def long_tail(seed=0, labels=None):
    """Overlapping classes in shuffled order, float32."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(LONG_TAIL)), LONG_TAIL))
    X = rng.normal(size=(len(LONG_TAIL), 6))[y] + rng.normal(size=(len(y), 6))
    return X.astype(np.float32), y if labels is None else np.array(labels)[y]


def run(steps, X, y):
    for _, sampler in steps:
        X, y = sampler.fit_resample(X, y)
    return X, y


@pytest.mark.parametrize("name", [*SAMPLERS, *PAIRS, "random-over+tomek"])
def test_every_sampler_on_a_long_tail_with_classes_of_one_and_two_rows(name):
    taxa = [f"taxon {i}" for i in range(len(LONG_TAIL))]
    X, y = long_tail(labels=taxa)
    steps = make_sampler(name)
    X_new, y_new = run(steps, X, y)
    assert X_new.dtype == np.float32
    assert len(X_new) == len(y_new)
    assert np.isfinite(X_new).all()
    assert set(y_new) == set(taxa)
    for _, sampler in steps:
        assert set(sampler.done_) == set(sampler.before_) == set(sampler.after_) == set(taxa)
        for taxon, text in sampler.done_.items():
            assert (sampler.before_[taxon] == sampler.after_[taxon]) == ("left alone" in text)
        assert pickle.loads(pickle.dumps(sampler)).done_ == sampler.done_


@pytest.mark.parametrize("name", [*SAMPLERS, "random-under+kmeans-smote"])
def test_seeds_reproduce(name):
    X, y = long_tail()
    first, again = (run(make_sampler(name, seed=3), X, y) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("name", [*FLOOR_KINDS, "random-under", "cluster-centroids"])
def test_other_seeds_draw_other_rows(name):
    X, y = long_tail()
    assert not np.array_equal(*(np.sort(run(make_sampler(name, seed=seed), X, y)[0], axis=0)
                                for seed in (0, 1)))


NAMES = np.array(["é"] + ["x" * i for i in range(11)], dtype=object)


@pytest.mark.parametrize(("name", "labels"), [
    *((name, NAMES) for name in SAMPLERS), *((name, NAMES.astype(str)) for name in CLEANING_KINDS),
    *((name, np.arange(12) * 3 - 5) for name in CAP_KINDS), ("smote", np.arange(12.0))])
def test_labels_change_nothing_but_their_names(name, labels):
    labels = np.sort(labels)  # as draws go through classes in the order of their names
    X, y = long_tail()
    plain, plain_y = run(make_sampler(name), X, y)
    named, named_y = run(make_sampler(name), X, labels[y])
    np.testing.assert_array_equal(named, plain)
    np.testing.assert_array_equal(named_y, labels[plain_y])
    assert named_y.dtype == labels.dtype


def test_names_make_the_steps_they_say():
    kinds = {name: [(step, type(s), s.kind) for step, s in make_sampler(name)] for name in SAMPLERS}
    assert kinds.pop("none") == kinds.pop("class-weight") == []
    assert kinds.pop("smote-tomek") == [("smote", FloorSampler, "smote"),
                                        ("tomek", CleaningSampler, "tomek")]
    assert kinds.pop("smote-enn") == [
        ("smote", FloorSampler, "smote"),
        ("edited-neighbours", CleaningSampler, "edited-neighbours")]
    family = dict.fromkeys(FLOOR_KINDS, FloorSampler) | dict.fromkeys(CAP_KINDS, CapSampler) \
        | dict.fromkeys(CLEANING_KINDS, CleaningSampler)
    assert kinds == {name: [(name, family[name], name)] for name in family}


def test_pairs_keep_their_order():
    assert [step for step, _ in make_sampler("tomek+smote")] == ["tomek", "smote"]
    assert [step for step, _ in make_sampler("smote + tomek")] == ["smote", "tomek"]


def test_cleaning_made_rows_spares_no_class_cleaning_alone_spares_the_smallest():
    def strategy(name, step=-1):
        return make_sampler(name)[step][1].sampling_strategy
    assert strategy("smote-tomek") == strategy("smote-enn") == strategy("smote+tomek") == "all"
    assert strategy("tomek") == strategy("tomek+smote", 0) == "auto"


@pytest.mark.parametrize(("options", "floor", "cap"), [
    ({}, DEFAULT_FLOOR, DEFAULT_CAP), ({"floor": 20, "cap": 50}, 20, 50), ({"cap": 50}, 50, 50),
    ({"floor": 500}, 500, 500), ({"floor": "balance"}, "balance", DEFAULT_CAP),
    ({"floor": "balance", "cap": 20}, "balance", 20), ({"floor": 50, "cap": 50}, 50, 50)])
def test_floor_and_cap_and_their_defaults(options, floor, cap):
    (_, under), (_, over) = make_sampler("random-under+random-over", seed=5, **options)
    assert (over.floor, under.cap) == (floor, cap)
    assert over.random_state == under.random_state == 5


def test_the_notebooks_way_brings_every_class_between_floor_and_cap():
    X, y = long_tail()
    _, y_new = run(make_sampler("random-under+random-over", floor=20, cap=90), X, y)
    assert np.bincount(y_new).tolist() == [min(max(n, 20), 90) for n in LONG_TAIL]


@pytest.mark.parametrize(("name", "options", "message"), [
    ("smoot", {}, "^sampler 'smoot': expected one of none, class-weight, random-over, smote, .*, "
     r"smote-enn; or two joined by \+, one that over-samples and one that cuts or cleans\.$"),
    ("", {}, "sampler '': expected one of none"),
    ("smoot+tomek", {}, "sampler 'smoot': expected one of none"),
    ("smote+adasyn", {}, r"^sampler 'smote\+adasyn': expected one that over-samples \(random-over, "
     r"smote, .*\) and one that cuts or cleans \(random-under, .*tomek, .*\)\.$"),
    ("tomek+random-under", {}, "expected one that over-samples"),
    ("random-under+smote+tomek", {}, "expected one that over-samples"),
    ("none+smote", {}, "'none\\+smote': expected one that over-samples"),
    ("smote-tomek+random-under", {}, "expected one that over-samples"),
    ("tomek", {"floor": 10}, r"^floor: sampler 'tomek' takes none\. Leave it out, or choose or add "
     r"\(\+\) one of random-over, smote, [a-z, -]+\.$"),
    ("random-under", {"floor": 10}, "floor: sampler 'random-under' takes none"),
    ("smote", {"cap": 10}, "cap: sampler 'smote' takes none.*random-under, near-miss"),
    ("smote-enn", {"cap": 10}, "cap: sampler 'smote-enn' takes none"),
    ("none", {"floor": 10}, "floor: sampler 'none' takes none"),
    ("class-weight", {"cap": 10}, "cap: sampler 'class-weight' takes none"),
    ("random-under+smote", {"floor": 20, "cap": 10}, r"^floor 20 is above cap 10: no class could "
     r"have both\. Lower the floor or raise the cap\.$"),
    ("smote", {"floor": 0}, "floor: expected a whole number"),
    ("smote", {"floor": "all"}, "floor: expected a whole number.*or 'balance'"),
    ("random-under", {"cap": "balance"}, "cap: expected a whole number")])
def test_what_does_not_go_together_is_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        make_sampler(name, **options)


def test_samplers_see_the_training_fold_only():
    X, y = long_tail()
    X, y = X[y < 5], y[y < 5]
    folds = list(StratifiedKFold(3).split(X, y))
    head = make_pipeline(*(s for _, s in make_sampler("random-under+smote", 40, 90)), GaussianNB())
    result = cross_validate(clone(head), X, y, cv=folds, return_estimator=True)
    for (train, _), fitted in zip(folds, result["estimator"], strict=True):
        counts = np.bincount(y[train])
        assert list(fitted[0].before_.values()) == counts.tolist()
        assert list(fitted[1].after_.values()) == np.clip(counts, 40, 90).tolist()


@pytest.mark.parametrize("sampler", [
    *(FloorSampler(kind, 1) for kind in FLOOR_KINDS),
    *(CapSampler(kind, 400) for kind in CAP_KINDS),
    CleaningSampler("tomek", [])], ids=lambda sampler: sampler.kind)
def test_where_nothing_is_to_do_the_rows_are_not_copied(sampler):
    X, y = long_tail()
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new.shape == X.shape
    assert np.shares_memory(X_new, X)
    assert y_new.tolist() == y.tolist()
    assert set(sampler.done_.values()) == {"left alone"}


@pytest.mark.parametrize(("sampler", "same"), [
    (FloorSampler(), FloorSampler("smote", 100, 5)),
    (CapSampler(), CapSampler("random-under", 300)),
    (CleaningSampler(), CleaningSampler("tomek", "auto"))], ids=str)
def test_defaults(sampler, same):
    assert sampler.get_params() == same.get_params()
    assert sampler.fit_resample(*long_tail())[0].shape == same.fit_resample(*long_tail())[0].shape


def test_a_data_frame_stays_one():
    pandas = pytest.importorskip("pandas")
    X, y = long_tail()
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    found, found_y = FloorSampler(floor=30).fit_resample(frame, pandas.Series(y, name="taxon"))
    assert found.columns.tolist() == list("abcdef")
    assert found_y.name == "taxon"
    assert (found_y.value_counts() >= 30).all()


def test_a_sampler_that_lost_a_class_is_an_error(monkeypatch):
    X, y = long_tail(labels=[f"taxon {i}" for i in range(12)])
    monkeypatch.setattr(CleaningSampler, "_resample",
                        lambda self, X, codes, classes: Outcome(np.flatnonzero(codes != 11), {}))
    with pytest.raises(PlanktonFeaturesError, match=r"^CleaningSampler took every row of taxon 9\. "
                       r"This is a fault of the program; use another sampler\.$"):
        CleaningSampler().fit_resample(X, y)
