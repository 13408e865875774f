"""Run in the notebook's kernel, after its last cell."""
# ruff: noqa: F821

assert not set(groups[train]) & set(groups[choose])
assert not set(groups[old]) & set(groups[new])

assert (trained.argmax(axis=1) == y[train]).all()
assert before.verdict == "over-confident"
assert temperature > 2
assert after.verdict != "over-confident"
assert calibrated.verdict != "over-confident"
assert after.ece < before.ece / 2
assert found["after"]["log_loss"].estimate < found["before"]["log_loss"].estimate / 2
assert found["after"]["accuracy"].estimate == found["before"]["accuracy"].estimate

copying, undone, fell = errors["8 components"]
assert undone < copying / 2
assert fell == 10
assert ratio["after copying"][:4].min() > 1.5
assert ratio["corrected"].between(0.75, 1.25).all()
copying, undone, _ = errors["64 components"]
assert abs(undone - copying) < 0.02

for promise, one in kept.items():
    assert one.precision.high >= promise
coverages = [one.coverage.estimate for one in kept.values()]
assert coverages == sorted(coverages, reverse=True)
assert strange.accepted.mean() > 0.5
