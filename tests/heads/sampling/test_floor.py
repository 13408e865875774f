"""Over-sampling; tests of traps show what imbalanced-learn does alone, then what happens here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SVMSMOTE,
    BorderlineSMOTE,
    KMeansSMOTE,
    RandomOverSampler,
)
from sklearn.cluster import MiniBatchKMeans
from sklearn.svm import SVC

from plankton_features.heads.sampling import FloorSampler
from plankton_features.heads.sampling.floor import FLOOR_KINDS
from plankton_features.heads.sampling.growing import short_reason
from plankton_features.heads.sampling.limits import Floor

kinds = pytest.mark.parametrize("kind", FLOOR_KINDS)


@kinds
@given(sizes=st.lists(st.one_of(st.integers(1, 3), st.integers(1, 40)), min_size=2, max_size=6),
       floor=st.integers(1, 50), k=st.integers(1, 7), seed=st.integers(0, 99), named=st.booleans(),
       spread=st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=25, deadline=None)
def test_every_class_ends_with_exactly_the_floor(rows_of, kind, sizes, floor, k, seed, named,
                                                 spread):
    X, y = rows_of(sizes, seed, spread)
    y = np.array([f"taxon {i:02}" for i in y]) if named else y * 7 - 3
    sampler = FloorSampler(kind, floor, k, seed)
    X_new, y_new = sampler.fit_resample(X, y)
    assert list(sampler.before_.values()) == sizes
    assert list(sampler.after_.values()) == [max(n, floor) for n in sizes]
    labels, counts = np.unique(y_new, return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == sampler.after_
    assert X_new.dtype == np.float32
    np.testing.assert_array_equal(X_new[:len(X)], X)
    np.testing.assert_array_equal(y_new[:len(y)], y)
    assert [text == "left alone" for text in sampler.done_.values()] == [n >= floor for n in sizes]


@kinds
def test_balance_brings_every_class_to_the_largest(rows_of, kind):
    X, y = rows_of([50, 20, 1])
    assert FloorSampler(kind, "balance", random_state=0).fit(X, y).sampling_strategy_ \
        == {1: 30, 2: 49}
    _, y_new = FloorSampler(kind, "balance", random_state=0).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [50, 50, 50]


@kinds
def test_a_single_row_is_copied(rows_of, kind):
    X, y = rows_of([30, 1])
    sampler = FloorSampler(kind, 8, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_new[y_new == 1], np.repeat(X[y == 1], 8, axis=0))
    assert sampler.done_[1] == ("copies" if kind == "random-over" else "copies (1 row)")


def on_a_segment(row, rows, k):
    """Whether `row` lies between one of `rows` and one of its `k` next ones."""
    for a in rows:
        nearest = np.argsort(((rows - a) ** 2).sum(axis=1), kind="stable")[1:k + 1]
        for way in rows[nearest] - a:
            t = (row - a) @ way / (way @ way)
            if -1e-5 <= t <= 1 + 1e-5 and np.abs(a + t * way - row).max() < 1e-5:
                return True
    return False


@pytest.mark.parametrize("kind", ["smote", "borderline-smote", "adasyn", "kmeans-smote"])
@given(sizes=st.lists(st.integers(2, 12), min_size=2, max_size=4), seed=st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_new_rows_lie_between_a_row_and_a_neighbour_of_its_class(rows_of, kind, sizes, seed):
    X, y = rows_of(sizes, seed, dtype=np.float64)
    X_new, y_new = FloorSampler(kind, 14, 5, seed).fit_resample(X, y)
    k = 5 if kind != "kmeans-smote" else 12  # neighbours within a cluster
    for row, code in zip(X_new[len(X):], y_new[len(X):], strict=True):
        assert on_a_segment(row, X[y == code], k)
    assert len(X_new) > len(X)


def test_random_over_only_copies(rows_of):
    X, y = rows_of([30, 4, 9])
    X_new, y_new = FloorSampler("random-over", 25, random_state=0).fit_resample(X, y)
    for code in (1, 2):
        assert {r.tobytes() for r in X_new[y_new == code]} <= {r.tobytes() for r in X[y == code]}


def made(sampler, X, y):
    """The rows that a sampler adds, by class."""
    X_new, y_new = sampler.fit_resample(X, y)
    return {int(code): X_new[len(X):][y_new[len(X):] == code] for code in np.unique(y_new[len(X):])}


@pytest.mark.parametrize(("kind", "theirs"), [
    ("random-over", RandomOverSampler), ("smote", SMOTE), ("borderline-smote", BorderlineSMOTE)])
def test_equals_imbalanced_learn_where_classes_are_large(rows_of, kind, theirs):
    X, y = rows_of([300, 20, 200, 40, 12], seed=1)
    ours = made(FloorSampler(kind, 90, random_state=4), X, y)
    plain = made(theirs(sampling_strategy=Floor(90), random_state=4), X, y)
    assert set(ours) == set(plain) == {1, 3, 4}
    for code in ours:
        np.testing.assert_array_equal(ours[code], plain[code])


@pytest.mark.parametrize(("kind", "theirs", "options", "spread"), [
    ("svm-smote", SVMSMOTE, {}, 0.5), ("adasyn", ADASYN, {}, 1.0),
    ("kmeans-smote", KMeansSMOTE, {"k_neighbors": 5}, 0.3)])
def test_equals_imbalanced_learn_for_one_class(rows_of, kind, theirs, options, spread):
    """Where theirs makes too many rows, ours are among them."""
    X, y = rows_of([300, 40, 200], seed=1, spread=spread)
    ours = made(FloorSampler(kind, 160, random_state=4), X, y)[1]
    plain = made(theirs(sampling_strategy={1: 160}, random_state=4, **options), X, y)[1]
    assert len(ours) == 120 <= len(plain)
    assert {row.tobytes() for row in ours} <= {row.tobytes() for row in plain}


def test_kmeans_smote_grows_classes_together_as_imbalanced_learn_does(rows_of):
    """Which clusters count depends on how much all classes lack."""
    X, y = rows_of([300, 40, 200, 35, 30, 45], seed=2, spread=0.7)
    ours = made(FloorSampler("kmeans-smote", 90, random_state=4), X, y)
    options = {"random_state": 4, "k_neighbors": 5}
    plain = made(KMeansSMOTE(sampling_strategy=Floor(90), **options), X, y)
    with pytest.raises(RuntimeError, match="No clusters"):
        KMeansSMOTE(sampling_strategy={4: 90}, **options).fit_resample(X, y)
    for code in (1, 3, 4, 5):
        n = 90 - (y == code).sum()
        assert len(ours[code]) == n <= len(plain[code])
        assert {r.tobytes() for r in ours[code]} <= {r.tobytes() for r in plain[code]}


@pytest.mark.parametrize(("n", "text"), [
    (1, "copies (1 row)"), (2, "SMOTE with k = 1 (2 rows)"), (5, "SMOTE with k = 4 (5 rows)"),
    (6, "SMOTE with k = 5")])
def test_trap_smote_raises_for_classes_with_at_most_k_rows(rows_of, n, text):
    X, y = rows_of([30, n])
    if n <= 5:
        with pytest.raises(ValueError, match="n_neighbors"):
            SMOTE(sampling_strategy=Floor(20)).fit_resample(X, y)
    sampler = FloorSampler("smote", 20, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_ == {0: "left alone", 1: text}


def test_trap_kmeans_smote_finds_no_cluster(rows_of):
    X, y = rows_of([200, 12], spread=5)
    with pytest.raises(RuntimeError, match="No clusters found"):
        KMeansSMOTE(sampling_strategy=Floor(40), k_neighbors=5, random_state=0).fit_resample(X, y)
    sampler = FloorSampler("kmeans-smote", 40, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_[1] == "SMOTE instead of KMeans-SMOTE: no cluster holds enough of its rows"
    assert sampler.after_[1] == 40


def test_trap_adasyn_raises_for_a_class_that_stands_apart(rows_of):
    X, y = rows_of([50, 12], spread=0.01)
    with pytest.raises(RuntimeError, match="Not any neigbours"):
        ADASYN(sampling_strategy=Floor(40)).fit_resample(X, y)
    sampler = FloorSampler("adasyn", 40, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_[1] == "SMOTE instead of ADASYN: no row has a neighbour of another class"


def test_trap_adasyn_makes_about_as_many_as_asked(rows_of):
    X, y = rows_of([200, 30, 40])
    theirs = made(ADASYN(sampling_strategy=Floor(90), random_state=0), X, y)
    assert [len(theirs[1]), len(theirs[2])] != [60, 50]
    sampler = FloorSampler("adasyn", 90, random_state=0)
    sampler.fit_resample(X, y)
    assert [sampler.after_[1], sampler.after_[2]] == [90, 90]


def test_trap_borderline_smote_says_nothing_of_a_class_it_did_not_grow(rows_of):
    X, y = rows_of([50, 12], spread=0.01)
    assert made(BorderlineSMOTE(sampling_strategy=Floor(40)), X, y) == {}
    sampler = FloorSampler("borderline-smote", 40, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_[1] == ("SMOTE instead of Borderline-SMOTE: none of its rows is on the "
                                "border")
    assert sampler.after_[1] == 40


def test_trap_svm_smote_makes_half_of_the_rows(rows_of):
    X, y = rows_of([300, 40, 200], seed=1)
    assert len(made(SVMSMOTE(sampling_strategy={1: 160}, random_state=4), X, y)[1]) == 56
    sampler = FloorSampler("svm-smote", 160, random_state=4)
    sampler.fit_resample(X, y)
    assert sampler.after_[1] == 160
    assert sampler.done_[1] == "SVM-SMOTE with k = 5"


def test_trap_svm_smote_raises_where_all_support_vectors_are_noise():
    lonely = np.arange(8.0)[:, None] * [10, 0]
    around = np.random.default_rng(0).normal(size=(12, 1, 2)) + lonely
    X, y = np.concatenate([around.reshape(-1, 2), lonely]), np.repeat([0, 1], [96, 8])
    with pytest.raises(ValueError, match="All support vectors are considered as noise"):
        SVMSMOTE(sampling_strategy=Floor(40), random_state=0).fit_resample(X, y)
    sampler = FloorSampler("svm-smote", 40, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_[1] == ("SMOTE instead of SVM-SMOTE: all its support vectors are "
                                "surrounded by other classes")


@pytest.mark.parametrize(("kind", "theirs", "engine", "method"), [
    ("svm-smote", SVMSMOTE, SVC, "fit"), ("kmeans-smote", KMeansSMOTE, MiniBatchKMeans, "fit")])
def test_trap_variants_fit_the_same_again_for_every_class(rows_of, kind, theirs, engine, method,
                                                         monkeypatch):
    X, y = rows_of([200, 40, 40, 40])
    calls = []
    plain = getattr(engine, method)
    monkeypatch.setattr(engine, method,
                        lambda *args, **options: (calls.append(1), plain(*args, **options))[1])
    theirs(sampling_strategy=Floor(90), random_state=0, k_neighbors=2).fit_resample(X, y)
    assert len(calls) == 3
    calls.clear()
    FloorSampler(kind, 90, random_state=0).fit_resample(X, y)
    assert len(calls) == 1


def test_trap_whole_numbers_are_cut_off_between_rows():
    X, y = np.array([[0], [1], [0], [1], [0], [10]]), np.array([0, 0, 0, 0, 1, 1])
    assert SMOTE(sampling_strategy={1: 20}, k_neighbors=1).fit_resample(X, y)[0].dtype.kind == "i"
    found = FloorSampler("smote", 20, random_state=0).fit_resample(X, y)[0]
    assert found.dtype == np.float64
    assert (found % 1 != 0).any()


@pytest.mark.parametrize(("kind", "theirs"), [
    ("borderline-smote", BorderlineSMOTE), ("svm-smote", SVMSMOTE)])
def test_trap_variants_look_at_eleven_rows_where_there_may_be_fewer(kind, theirs):
    X, y = np.array([[0.0], [1], [2], [3], [0.5], [1.5], [2.5]]), np.array([0, 0, 0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="n_neighbors"):
        theirs(sampling_strategy={1: 9}, k_neighbors=2).fit_resample(X, y)
    sampler = FloorSampler(kind, 9, 2, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.done_[1] == {"borderline-smote": "Borderline", "svm-smote": "SVM"}[kind] \
        + "-SMOTE with k = 2"


def test_what_a_variant_cannot_make_smote_adds(rows_of):
    X, y = rows_of([300, 40, 200], seed=1, spread=1.5)
    assert len(made(ADASYN(sampling_strategy={1: 160}, random_state=4), X, y)[1]) == 117
    sampler = FloorSampler("adasyn", 160, random_state=4)
    sampler.fit_resample(X, y)
    assert sampler.after_[1] == 160
    assert sampler.done_[1] == "ADASYN with k = 5, 3 of 120 new rows by SMOTE"


def test_rows_that_are_all_equal():
    X, y = np.zeros((40, 3), np.float32), np.repeat([0, 1], [30, 10])
    for kind in FLOOR_KINDS:
        X_new, y_new = FloorSampler(kind, 20, random_state=0).fit_resample(X, y)
        assert np.bincount(y_new).tolist() == [30, 20]
        assert not X_new.any()


def test_rows_too_far_apart_for_their_sparsity():
    y = np.repeat([0, 1], [80, 60])
    X = 1e100 * (np.random.default_rng(0).normal(size=(140, 3)) + 9 * y[:, None])
    sampler = FloorSampler("kmeans-smote", 100, random_state=0)
    X_new = sampler.fit_resample(X, y)[0]
    assert np.isfinite(X_new).all()
    assert sampler.done_[1] == ("SMOTE instead of KMeans-SMOTE: its rows are equal, or their "
                                "sparsity is beyond numbers")


@pytest.mark.parametrize(("text", "reason"), [
    ("Found array with 0 sample(s) (shape=(0, 4))", "none of its rows is a support vector"),
    ("No samples will be generated with the provided ratio.", "rounding left no new row"),
    ("Something else.", "Something else"), ("One thing\nand advice", "One thing"),
    ("Of 1.5 rows. Then advice. And more.", "Of 1.5 rows")])
def test_an_error_is_told_in_one_line(text, reason):
    assert short_reason(ValueError(text)) == reason


@kinds
def test_rows_that_are_not_finite_are_refused(rows_of, kind):
    X, y = rows_of([30, 8])
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        FloorSampler(kind, 20).fit_resample(X, y)
