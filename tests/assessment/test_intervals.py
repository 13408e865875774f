import tracemalloc

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

from plankton_features.assessment.intervals import bootstrap, bootstrap_means
from plankton_features.assessment.metrics import scores
from plankton_features.assessment.probability_metrics import row_scores
from plankton_features.assessment.replicates import paired_difference
from plankton_features.assessment.resampling import fingerprint, unit_codes
from plankton_features.errors import InputError

CHECKED = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "kappa", "score")


def covered(truth, drawn):
    """Which of the checked intervals hold the truth."""
    found = {name: drawn.interval(name) for name in CHECKED}
    return {name: i.low <= truth[name] <= i.high for name, i in found.items()}


def shares(results):
    return {name: float(np.mean([r[name] for r in results])) for name in CHECKED}


def test_intervals_of_rows_cover():
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    answers = 0.75 * np.eye(4) + 0.25 * prior  # each row: what a true class is called
    joint = prior[:, None] * answers
    truth = scores(joint) | {"score": 1.0}

    def one(seed):  # 3000 of these: 94.4 to 95.3 %; the standard error of 500 is 1 %
        rng = np.random.default_rng([3, seed])
        y, pred = np.divmod(rng.choice(16, 400, p=joint.ravel()), 4)
        return covered(truth, bootstrap(y, pred, 4, rows={"score": rng.exponential(size=400)},
                                        n_replicates=500, seed=seed))

    found = shares([one(seed) for seed in range(500)])
    print(found)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


def tows(seed, n_tows=100):
    """Tows of a few rows each; taxa, error rate and a score differ from tow to tow."""
    rng = np.random.default_rng([2, seed])
    tow = np.repeat(np.arange(n_tows), rng.integers(4, 13, n_tows))
    taxa = rng.dirichlet([1.6, 1.2, 1.2], n_tows)
    y = (rng.random(len(tow))[:, None] > taxa[tow].cumsum(axis=1)[:, :2]).sum(axis=1)
    right = rng.random(len(tow)) < rng.beta(2.8, 1.2, n_tows)[tow]
    pred = np.where(right, y, (y + rng.integers(1, 3, len(tow))) % 3)
    return y, pred, tow, rng.exponential(size=n_tows)[tow]


def test_intervals_of_groups_cover_where_those_of_rows_do_not():
    prior = np.array([0.4, 0.3, 0.3])
    truth = scores(prior[:, None] * (0.7 * np.eye(3) + 0.15 * (1 - np.eye(3)))) | {"score": 1.0}
    by_tow, by_row = [], []
    for seed in range(500):
        y, pred, tow, score = tows(seed)
        options = {"rows": {"score": score}, "seed": seed}
        by_tow.append(covered(truth, bootstrap(y, pred, 3, groups=tow, **options)))
        if seed < 100:
            by_row.append(covered(truth, bootstrap(y, pred, 3, **options)))
    found, naive = shares(by_tow), shares(by_row)
    print(found, naive)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found
    assert all(naive[name] < 0.9 for name in ("accuracy", "mcc", "score")), naive


@pytest.mark.parametrize("grouped", [True, False])
def test_a_draw_is_scored_as_copies_of_its_rows(drawn, grouped):
    y, p = drawn(0, 60, 4)
    pred, tow = p.argmax(axis=1), np.arange(60) // 5
    found = bootstrap(y, pred, 4, rows=row_scores(y, p), groups=tow if grouped else None,
                      n_replicates=30, seed=5)
    units = tow if grouped else np.arange(60)
    n_units = units.max() + 1
    for i, chosen in enumerate(np.random.default_rng(5).integers(n_units, size=(30, n_units))):
        copies = np.concatenate([np.flatnonzero(units == unit) for unit in chosen])
        t, q = y[copies], pred[copies]
        expected = {"mcc": matthews_corrcoef(t, q), "accuracy": (t == q).mean(),
                    "macro_f1": f1_score(t, q, labels=np.unique(t), average="macro"),
                    "log_loss": row_scores(t, p[copies])["log_loss"].mean()}
        for name, value in expected.items():
            assert found.replicates[name][i] == pytest.approx(value, abs=1e-9)
        np.testing.assert_allclose(
            found.replicates["f1"][i], f1_score(t, q, labels=range(4), average=None,
                                                zero_division=np.nan), rtol=0, atol=1e-9)


def test_estimates_are_the_scores_of_all_rows(drawn):
    y, p = drawn(1)
    rows = row_scores(y, p)
    found = bootstrap(y, p.argmax(axis=1), 5, rows=rows, n_replicates=2)
    assert found.estimates["mcc"] == pytest.approx(matthews_corrcoef(y, p.argmax(axis=1)))
    assert found.estimates["brier"] == pytest.approx(rows["brier"].mean(), abs=1e-12)
    alone = bootstrap_means(rows, n_replicates=2)
    for name in rows:
        assert alone.estimates[name] == pytest.approx(found.estimates[name], abs=1e-12)
        np.testing.assert_allclose(alone.replicates[name], found.replicates[name], atol=1e-12)


def test_the_same_seed_gives_the_same_interval(drawn):
    y, p = drawn(2)
    first, again, other = (bootstrap_means(row_scores(y, p), seed=s).interval("brier")
                           for s in (1, 1, 2))
    assert first == again != other


def test_order_of_rows_and_names_of_groups_do_not_matter(drawn):
    y, p = drawn(3)
    pred, tow = p.argmax(axis=1), np.arange(400) // 10
    names = np.char.add("tow ", np.char.zfill(tow.astype(str), 3))
    order = np.random.default_rng(0).permutation(400)
    first = bootstrap(y, pred, 5, groups=tow)
    second = bootstrap(y[order], pred[order], 5, groups=names[order])
    for name, values in first.replicates.items():
        np.testing.assert_allclose(second.replicates[name], values, rtol=0, atol=1e-12)


def test_paired_differences_are_sharper_than_unpaired_ones(drawn):
    y, p = drawn(4, 600)
    first, pred = (p.argmax(axis=1) for _ in range(2))
    pred = np.where(np.arange(600) % 40 == 0, (y + 1) % 5, pred)  # a little worse
    better, worse = (bootstrap(y, a, 5) for a in (first, pred))
    found = paired_difference(better, worse).interval("accuracy")
    assert found.estimate == pytest.approx((first == y).mean() - (pred == y).mean())
    assert found.low > 0
    assert better.interval("accuracy").low < worse.interval("accuracy").high
    nothing = paired_difference(better, better).interval("macro_f1")
    assert nothing.low == nothing.estimate == nothing.high == 0


@pytest.mark.parametrize("other", [{"seed": 1}, {"n_replicates": 99},
                                   {"groups": np.arange(400) // 4}])
def test_only_what_was_drawn_alike_is_paired(drawn, other):
    y, p = drawn(5)
    options = {"n_replicates": 50, "seed": 0}
    first = bootstrap(y, p.argmax(axis=1), 5, **options)
    second = bootstrap(y, p.argmax(axis=1), 5, **{**options, **other})
    with pytest.raises(InputError, match="not drawn alike"):
        paired_difference(first, second)
    means = [bootstrap_means(row_scores(y, p), **{**options, **more}) for more in ({}, {}, other)]
    assert not paired_difference(*means[:2]).replicates["brier"].any()
    with pytest.raises(InputError, match=r"not drawn alike\. Give both the same rows in the same "
                       r"order, groups, n_replicates and seed\.$"):
        paired_difference(*means[1:])


def test_only_scores_of_the_same_rows_are_paired(drawn):
    y, p = drawn(5)
    first, second = (bootstrap(one, p.argmax(axis=1), 5) for one in (y, y[::-1]))
    with pytest.raises(InputError, match="not drawn alike"):
        paired_difference(first, second)


def test_all_of_a_long_array_counts_for_what_was_drawn():
    first, second = np.zeros((2, 5000), np.int64)
    second[2500] = 1
    assert fingerprint(first, 0) == fingerprint(first.copy(), 0) != fingerprint(second, 0)
    assert fingerprint(first, 0) != fingerprint(first, 1)


def test_two_units_have_an_interval_and_one_has_none():
    two, one = (bootstrap_means({"x": [0.0, 1, 2, 5]}, groups=groups).interval("x")
                for groups in ([0, 0, 1, 1], [0] * 4))
    assert two.low <= two.estimate == one.estimate == 2 <= two.high
    assert two.low < two.high
    assert np.isnan([one.low, one.high]).all()


def test_a_lower_level_gives_a_narrower_interval(drawn):
    y, p = drawn(6)
    found = bootstrap_means(row_scores(y, p))
    half, most = (found.interval("brier", level) for level in (0.5, 0.99))
    assert (half.level, most.level) == (0.5, 0.99)
    assert most.low < half.low < half.estimate < half.high < most.high
    for level in (0, 1):
        with pytest.raises(InputError, match=r"^level: expected a number between 0 and 1, got "):
            found.interval("brier", level)


def test_one_draw_is_enough():
    found = bootstrap_means({"x": [1.0, 3.0]}, n_replicates=1)
    assert found.replicates["x"].tolist() in ([1.0], [2.0], [3.0])


def test_few_groups_are_said(drawn):
    y, p = drawn(6)
    few, enough = (bootstrap_means(row_scores(y, p), groups=np.arange(400) % n)
                   for n in (19, 20))
    assert few.caution.startswith("Only 19 groups")
    assert enough.caution == ""
    assert "9 rows" in bootstrap_means({"x": np.arange(9)}).caution


def test_intervals_widen_for_few_groups():
    x, widths = np.random.default_rng(0).normal(size=4000), []
    for n in (12, 1000):
        found = bootstrap_means({"x": x}, groups=np.arange(4000) % n, n_replicates=4000)
        plain = np.quantile(found.replicates["x"], [0.025, 0.975])
        interval = found.interval("x")
        widths.append((interval.high - interval.low) / np.ptp(plain))
    expected = stats.t.ppf(0.975, 11) * np.sqrt(12 / 11) / stats.norm.ppf(0.975)
    assert widths[0] == pytest.approx(expected, rel=0.1)
    assert widths[1] == pytest.approx(1, abs=0.02)


def test_one_group_gives_no_interval():
    found = bootstrap_means({"x": [1.0, 2.0]}, groups=["a", "a"]).interval("x")
    assert found.estimate == 1.5
    assert np.isnan([found.low, found.high]).all()


def test_a_class_that_is_absent_has_no_interval_a_rare_one_has():
    y = np.repeat([0, 1, 3], [50, 50, 1])
    found = bootstrap(y, y, 4).interval("recall")
    np.testing.assert_array_equal(found.low, [1, 1, np.nan, 1])


def test_memory_and_many_classes():
    rng = np.random.default_rng(0)
    y, pred = rng.integers(121, size=(2, 15_159))
    tracemalloc.start()
    drawn = bootstrap(y, pred, 121, n_replicates=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert drawn.replicates["f1"].shape == (1000, 121)
    assert peak < 150e6


@pytest.mark.parametrize(("call", "message"), [
    (lambda: bootstrap([0], [0], 1, groups=["a", "b"]), "one for each of 1 rows"),
    (lambda: bootstrap([0], [0], 1, rows={"x": [1, 2]}), "x: expected one finite number"),
    (lambda: bootstrap([0, 0], [0], 1), "y_true 2, y_pred 1"),
    (lambda: bootstrap_means({"x": [np.nan]}), "finite"),
    (lambda: bootstrap_means({}), "at least one score"),
    (lambda: bootstrap_means({"x": [1.0]}, n_replicates=0), "n_replicates"),
    (lambda: bootstrap_means({"x": [1.0, 2]}).interval("y"), "expected one of x, got y"),
    (lambda: bootstrap_means({"x": [1.0, 2]}).interval("x", 1), "level"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("empty", ["", None, np.nan])
def test_a_row_without_a_group_is_drawn_alone(empty):
    groups = np.array(["b", empty, "a", "b", empty], object)
    assert unit_codes(groups, 5).tolist() == [1, 2, 0, 1, 3]
    y = np.arange(5) % 2
    assert bootstrap(y, y, 2, groups=groups).n_units == 4


def test_numbers_are_groups_in_the_order_of_numbers():
    assert unit_codes([10, 9, 0, 10], 4).tolist() == [2, 1, 0, 2]
    assert unit_codes(["", ""], 2).tolist() == [0, 1]
