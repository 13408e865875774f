"""No left-out row reaches anything that predicts it, and choices are what they say."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from plankton_features.errors import InputError
from plankton_features.heads.fitting import fit_head, prepare
from plankton_features.heads.origin import Origin
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.validation.folds import make_folds, make_split
from plankton_features.heads.validation.out_of_fold import cross_predict
from plankton_features.results.scores import confusion_table, measure_optimism

FAST = HeadOptions(pca=5)


def long_tail(seed=0, counts=(60, 30, 15, 8, 3), d=8, spread=1.2):
    """Vectors around a centre for each class, in random order."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return (rng.normal(size=(len(counts), d))[y] * spread
            + rng.normal(size=(len(y), d))).astype(np.float32), y


@pytest.mark.parametrize("options", [
    FAST, replace(FAST, sampler="smote", floor=30), replace(FAST, sampler="adasyn", floor=30),
    replace(FAST, sampler="random-under+random-over", cap=25, floor=20),
    replace(FAST, sampler="edited-neighbours"), replace(FAST, sampler="near-miss", cap=20),
    replace(FAST, sampler="class-weight", calibration="isotonic"),
    replace(FAST, calibration="sigmoid", min_precision=0.8),
    replace(FAST, classifier="knn", min_precision=0.9), replace(FAST, classifier="lda"),
], ids=lambda o: f"{o.sampler}-{o.classifier}-{o.calibration}")
@pytest.mark.parametrize("divide", [make_folds, make_split])
def test_sentinel_rows_of_a_fold_change_nothing_for_its_other_rows(options, divide):
    """If a left-out row reached a scaler, PCA, sampler, classifier, calibrator or threshold, wild
    values and other labels in it would change what is predicted for the rows left out with it."""
    X, y = long_tail()
    folds = divide(y, seed=1)
    left = np.flatnonzero(folds.numbers[0] == 0)
    spoilt, kept = left[::2], left[1::2]
    wild, relabelled = X.copy(), y.copy()
    wild[spoilt] = 1e3 * np.random.default_rng(1).normal(size=(len(spoilt), X.shape[1]))
    relabelled[spoilt] = (y[spoilt] + 1) % 5
    found = []
    for vectors, labels in ((X, y), (wild, relabelled)):
        _, task = prepare(vectors, [f"c{k}" for k in labels], folds, options)
        result = cross_predict(task)
        of_kept = np.flatnonzero(np.isin(result.row, kept))
        found.append((result.probabilities[of_kept], result.predicted[of_kept],
                      result.accepted[of_kept]))
    for clean, spoiled in zip(*found, strict=True):
        assert len(clean) == len(kept)
        assert np.array_equal(clean, spoiled)


def test_sentinels_are_seen_where_they_may_be():
    """The same sentinels do change other folds, so the test above can fail."""
    X, y = long_tail()
    folds = make_folds(y, seed=1)
    left = np.flatnonzero(folds.numbers[0] == 0)
    wild = X.copy()
    wild[left] = 1e3
    a, b = (cross_predict(prepare(v, y.astype(str), folds, FAST)[1]) for v in (X, wild))
    others = folds.numbers[0][a.row] != 0
    assert not np.array_equal(a.probabilities[others], b.probabilities[others])


def test_where_only_the_group_predicts_the_label_grouped_scores_are_at_chance():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 10)
    y = rng.integers(0, 2, 60)[group]
    X = (rng.normal(size=(60, 20))[group] * 3 + rng.normal(size=(600, 20)) * 0.3).astype(np.float32)
    grouped, ungrouped = (make_folds(y, groups=g, seed=0) for g in (group.astype(str), None))
    options = replace(FAST, classifier="knn", pca=None)
    result = fit_head(X, y.astype(str), grouped, options)
    found = result.out_of_fold
    honest = (found.predicted == result.y[found.row]).mean()
    other = cross_predict(prepare(X, y.astype(str), ungrouped, options)[1])
    pretended = (other.predicted == result.y[other.row]).mean()
    assert measure_optimism(result, other).ungrouped["accuracy"] == pretended
    assert abs(honest - 0.5) < 0.15
    assert pretended > 0.95


def test_every_row_is_predicted_once_in_each_repeat():
    X, y = long_tail()
    folds = make_folds(y, repeats=2)
    found = cross_predict(prepare(X, y.astype(str), folds, FAST)[1])
    assert np.bincount(found.row).tolist() == [2] * len(y)
    for block, scored in enumerate(found.blocks):
        rows = found.row[found.block == block]
        assert (folds.numbers[scored.repeat][rows] == scored.fold).all()
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_fold_equals_scikit_learn_by_hand():
    """Differential: scaler and logistic regression fitted by hand on the other folds."""
    X, y = long_tail()
    folds = make_folds(y, seed=2)
    options = replace(FAST, pca=None, calibration="none")
    found = cross_predict(prepare(X, y.astype(str), folds, options)[1])
    for block in found.blocks:
        left = folds.numbers[0] == block.fold
        scaler = StandardScaler().fit(X[~left])
        model = LogisticRegression(C=block.choice.parameters["C"], tol=1e-3, max_iter=1000).fit(
            scaler.transform(X[~left]), y[~left])
        expected = model.predict_proba(scaler.transform(X[left]))
        got = found.probabilities[np.isin(found.row, np.flatnonzero(left))]
        assert np.abs(got[:, model.classes_] - expected).max() < 1e-4


def test_the_least_loss_on_neighbours_chooses():
    """Differential: the losses of each candidate by scikit-learn, each fitted from nothing."""
    X, y = long_tail(counts=(60, 40, 20))
    folds = make_folds(y, seed=0)
    options = replace(FAST, pca=None, calibration="none")
    block = cross_predict(prepare(X, y.astype(str), folds, options)[1]).blocks[2]
    number = folds.numbers[0]
    for parameters, loss in block.choice.losses:
        expected = []
        for neighbour in (1, 3):
            training, left = ~np.isin(number, (2, neighbour)), number == neighbour
            scaler = StandardScaler().fit(X[training])
            model = LogisticRegression(C=parameters["C"], tol=1e-5, max_iter=5000).fit(
                scaler.transform(X[training]), y[training])
            expected.append((log_loss(y[left], model.predict_proba(scaler.transform(X[left]))),
                             left.sum()))
        values, sizes = zip(*expected, strict=True)
        assert abs(loss - np.average(values, weights=sizes)) < 0.01
    assert block.choice.parameters == min(block.choice.losses, key=lambda pair: pair[1])[0]


def test_resampling_is_undone_in_probabilities_not_in_decisions():
    X, y = long_tail(counts=(300, 15), spread=0.5)
    folds = make_folds(y)
    plain, floored = (fit_head(X, y.astype(str), folds, replace(
        FAST, calibration="none", **extra)).out_of_fold for extra in
        ({}, {"sampler": "random-over", "floor": "balance"}))
    assert (floored.predicted == 1).sum() > 2 * (plain.predicted == 1).sum()
    share = y.mean()
    assert abs(floored.scores[:, 1].mean() - share) > 0.15
    assert abs(floored.probabilities[:, 1].mean() - share) < 0.03


def test_the_head_predicts_what_its_parts_say():
    X, y = long_tail()
    names = np.array(["копепода", "b", "c", "d", "<e>"])[y]
    result = fit_head(X, names, make_folds(names), replace(FAST, sampler="smote", floor=20),
                      origin=Origin({"backbone": "x"}, "abc", [f"v{i}" for i in range(8)]))
    head = result.head
    assert head.classes.tolist() == sorted(set(names))
    found = head.classify(X)
    assert (head.classes[found.code] == names).mean() > 0.7
    assert head.info["training"] == {k: int((names == k).sum()) for k in head.classes}
    assert head.recipe_id == "abc"
    assert np.allclose(found.probabilities.sum(axis=1), 1)


def test_an_unlucky_class_is_predicted_wrong_and_stays():
    X, y = long_tail(counts=(30, 20, 1))
    result = fit_head(X, y.astype(str), make_folds(y), FAST)
    found = result.out_of_fold
    assert found.predicted[result.y[found.row] == 2].tolist() != [2]
    assert found.probabilities[result.y[found.row] == 2, 2].max() < 1e-9
    assert len(result.head.classes) == 3


def test_the_crosstab_counts_every_row_and_keeps_every_class():
    X, y = long_tail(counts=(30, 20, 1))
    names = np.array(["a", "b", "c"])[y]
    result = fit_head(X, names, make_folds(names), FAST)
    table, shares = (confusion_table(result, shares) for shares in (False, True))
    assert table.loc["All", "All"] == 51
    assert table.loc["c", "All"] == 1
    assert table["All"].tolist() == [30, 20, 1, 51]
    right = (names[result.out_of_fold.row] == result.classes[result.out_of_fold.predicted]).sum()
    assert list(table.columns) == ["a", "b", "c", "All"]
    assert np.trace(table.loc["a":"c", "a":"c"]) == right
    assert np.allclose(shares.loc[["a", "b", "c"]].sum(axis=1), 1)


def test_progress_tells_every_step():
    X, y = long_tail()
    told = []
    _, task = prepare(X, y.astype(str), make_folds(y), FAST)
    cross_predict(task, lambda *step: told.append(step))
    assert [step[0] for step in told] == list(range(11))
    assert {step[1] for step in told} == {10}


@pytest.mark.parametrize(("change", "said"), [
    ({"classifier": "svm"}, "classifier 'svm' is not known. Choose one of: logistic"),
    ({"sampler": "smite"}, "smite.*smote"), ({"calibration": "platt"}, "temperature, isotonic"),
    ({"min_precision": 1.5}, "up to 1, got 1.5"), ({"floor": 10}, "takes none"),
    ({"sampler": "class-weight", "classifier": "knn"}, "cannot weight classes"),
])
def test_options_that_are_wrong_say_what_is_right(change, said):
    with pytest.raises(InputError, match=said):
        HeadOptions(**change)


def test_values_that_are_not_finite_are_refused():
    X, y = long_tail()
    X[7, 2] = np.nan
    with pytest.raises(InputError, match="row 7 has values that are not finite"):
        fit_head(X, y.astype(str), make_folds(y), FAST)


def test_an_impossible_resampling_is_refused_before_it_starts(monkeypatch):
    from plankton_features.heads.sampling import memory

    X, y = long_tail()
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="would make 500,000 rows x 5 values"):
        prepare(X, y.astype(str), make_folds(y), replace(FAST, sampler="smote", floor=100_000))


def test_an_error_in_one_fold_ends_the_others(monkeypatch):
    from plankton_features.heads.validation import judging

    X, y = long_tail()
    _, task = prepare(X, y.astype(str), make_folds(y), FAST)

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(judging, "log_loss", fail)
    with pytest.raises(MemoryError):
        cross_predict(task)
    assert task.stopping.is_set()
