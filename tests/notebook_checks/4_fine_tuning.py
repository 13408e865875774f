"""Run in the notebook's kernel, after its last cell."""
# ruff: noqa: F821

assert history.index.tolist() == list(range(1, len(history) + 1))
assert history["phase"].is_monotonic_increasing
assert set(history["phase"]) == {1, 2}
for _, phase in history.groupby("phase"):
    assert phase["loss"].iloc[-1] < phase["loss"].iloc[0]

# the same test images, none of which trained
assert set(frozen.out_of_fold.row) == set(test)
assert 0.2 * len(own.y) < len(test) < 0.4 * len(own.y)
difference = f1.loc["difference"]
assert difference["low"] < difference["macro_f1"] < difference["high"]
apart = f1.loc["fine-tuned", "macro_f1"] - f1.loc["frozen", "macro_f1"]
assert abs(difference["macro_f1"] - apart) < 1e-6
assert f1.loc[["frozen", "fine-tuned"], "macro_f1"].min() > 0.5

assert abs(right.mean() - float(told["fine-tuned"].scores["accuracy"].estimate)) < 1e-6
assert exported.largest_difference < 1e-4
assert blocks["trained"].sum() == layers.loc[layers["trained"], "block"].nunique() > 1
