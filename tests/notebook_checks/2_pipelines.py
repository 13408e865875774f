"""Run in the notebook's kernel, after its last cell."""
# ruff: noqa: F821

assert X.shape[0] == len(y) == len(groups) == 1000
assert counts.max() >= 30 * counts.min()
# whole tows, each image is scored once
for train, test in folds.split(X, y, groups):
    assert not set(groups[train]) & set(groups[test])
assert all(pd.Series(one).groupby(groups).nunique().max() == 1 for one in same.numbers)
assert sorted(scored.row) == list(range(len(y)))

samplers = [one.options.sampler for one in compared.ways]
assert samplers == ["none", "class-weight", "random-over", "smote", "random-under"]
# easy common taxa, hard rare ones; but far better than chance
assert scores["test_accuracy"].mean() > scores["test_f1_macro"].mean() + 0.05 > 0.5
assert found["usual only"].mean() < found["as it was"].mean()
assert table.shape == (4, 3)
assert search.best_score_ > 0.6
assert abs(table.max(axis=None) - search.best_score_) < 1e-9
assert all(one.label != one.taxon for one in worst)
