"""Run in the notebook's kernel, after its last cell."""
# ruff: noqa: F821

assert report.found == report.written + report.duplicates + report.failed == len(y) == 105
assert whole > 0.7
# fault 1: vectors depend on the batch; the library's do not
assert moved.mean() > 0.05
assert np.array_equal(again, X[test])
# fault 3: a lottery
assert scores.max() - scores.min() > 0.02
assert unsure > 2
# fault 4: 96 of 105; the library leaves none out
assert n_scored == 96
assert len(same) == len(y)
assert same.all()
# fault 5: each of 13 names with a space is two
assert list(counts.values()) == [[105, 105], [105, 105 + np.sum(y == "Tripos")], [1050, 7]]
# fault 6: shuffled labels can only be guessed
assert claims.loc["shuffled labels", "SMOTE, then split"] > 0.6
assert claims.loc["shuffled labels", "split, then SMOTE"] < 0.35
assert claims.loc["real labels", "split, then SMOTE"] > 0.7
# fault 7
assert gap["masked"] < 0 < gap["all images"]
assert calibration_reports(of_network)["after"].gap.low < 0
# fault 8: at the low rate patience pays
assert rows[0][2] > rows[0][1] + 0.05
# fault 9
assert accuracy["as it should be"] > accuracy["one folder more"] + 0.2
assert accuracy["as it should be"] > accuracy["one class missing"] + 0.2
assert set(classes) <= set(shares.index)
