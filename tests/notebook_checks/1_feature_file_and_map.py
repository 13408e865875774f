"""Run in the notebook's kernel, after its last cell."""
# ruff: noqa: F821

# 105 vignettes, a file that was cut off, a copy
assert (report.found, report.duplicates, report.failed) == (107, 1, 1)
assert report.found == report.written + report.duplicates + report.failed
assert len(features.failures) == len(features.label_conflicts()) == 1
assert "cut_off" in str(features.failures)
assert features.X.shape[0] == len(features.y) == report.written

chance = pd.Series(features.y).value_counts(normalize=True).max()
assert agree.mean() > chance + 0.3
assert agree.groupby(features.y).mean().min() > chance
# the map keeps neighbours
_, near = NearestNeighbors(n_neighbors=7).fit(places).kneighbors(places)
assert (features.y[near[:, 1:]] == features.y[:, None]).mean() > chance + 0.3
# the nearest picture of each is itself, and doubtful ones disagree with their neighbours
assert rows[:, 0].tolist() == list(range(len(rows)))
assert 0 < len(doubtful) <= 7
assert (theirs[doubtful] != features.y[doubtful]).all()
