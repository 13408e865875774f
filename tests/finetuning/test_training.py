"""Both phases on a tiny network: what changes, what does not, and what a kill leaves."""

import numpy as np
import pytest

from plankton_features.embedding.network import load_backbone
from plankton_features.errors import EngineError, MismatchError, StoreError
from plankton_features.finetuning import checkpoint
from plankton_features.finetuning.stepping import Stepper
from plankton_features.finetuning.training import train

pytestmark = pytest.mark.tensorflow



def changed(bench, trained):
    """Names of the backbone's arrays that training changed."""
    first = load_backbone(bench.recipe, None)
    by_layer = {layer.name: layer for layer in trained.network.trunk.layers}
    return {f"{layer.name}/{old.name}"
            for layer in first.layers for old, new in zip(
                layer.weights, by_layer[layer.name].weights, strict=True)
            if not np.array_equal(old.numpy(), new.numpy())}


def is_statistic(name):
    return name.endswith(("moving_mean", "moving_variance"))


def test_the_first_phase_leaves_the_backbone_as_it_was(bench, tmp_path):
    trained = bench.train(tmp_path, epochs=0)
    assert changed(bench, trained) == set()
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]


def test_the_second_phase_changes_unfrozen_layers_only_and_no_statistics(bench, tmp_path):
    trained = bench.train(tmp_path, unfreeze="2", patience=9, metric="loss", head_epochs=0,
                          base_rate=0.05)
    found = changed(bench, trained)
    layers = {name.split("/")[0] for name in found}
    assert layers == {"block3_conv", "block3_bn", "top"}
    assert not any(map(is_statistic, found))
    assert trained.what == "block3 to top (the last 4 of 11 layers)"


def test_all_layers_but_no_statistics_change_where_all_is_unfrozen(bench, tmp_path):
    trained = bench.train(tmp_path, unfreeze="all", head_epochs=0, base_rate=0.01)
    found = changed(bench, trained)
    assert {"block1_conv/kernel", "block1_bn/gamma"} <= found
    assert not any(map(is_statistic, found))


@pytest.mark.parametrize("options", [
    {"unfreeze": "2", "augment": "full"}, {"unfreeze": "all", "augment": "turns", "hidden": 5},
    {"unfreeze": "2", "augment": "turns", "cache_frozen": True, "optimizer": "adam"},
    {"unfreeze": "2", "sampler": "square-root", "schedule": "step", "every": 1},
], ids=lambda o: "-".join(map(str, o.values())))
def test_a_broken_off_run_ends_as_an_undisturbed_one(bench, tmp_path, values, options):
    """Killed at a few steps of both phases; compared to the last bit."""
    whole = values(bench.train(tmp_path / "whole", **options).network)
    for at in (3, 14, 1, 6):  # in both phases, in the first epoch of the second, at once
        with pytest.raises(KeyboardInterrupt):
            train(bench.job(tmp_path / "broken", **options), progress=Killer(at))
    broken = train(bench.job(tmp_path / "broken", **options))
    assert len(broken.history) == 4
    assert all(np.array_equal(whole[name], array)
               for name, array in values(broken.network).items())


class Killer:
    """Interrupts at a step of its life."""

    def __init__(self, at):
        self.at, self.steps = at, 0

    def __call__(self, progress):
        if progress.record is None:
            self.steps += 1
        if self.steps >= self.at:
            raise KeyboardInterrupt


def test_another_seed_gives_other_weights(bench, tmp_path, values):
    """So the comparison above can fail."""
    a, b = (values(bench.train(tmp_path / str(seed), seed=seed, epochs=0).network)
            for seed in (0, 1))
    assert not all(np.array_equal(a[name], b[name]) for name in a)


def test_frozen_layers_computed_once_give_the_same_losses(bench, tmp_path):
    live, cached = (bench.train(tmp_path / str(once), cache_frozen=once, dropout=0.0)
                    for once in (False, True))
    for a, b in zip(live.history, cached.history, strict=True):
        assert a["validation_loss"] == pytest.approx(b["validation_loss"], rel=0.02)
        assert a["loss"] == pytest.approx(b["loss"], rel=0.02)


def test_a_loss_that_is_no_number_stops_with_the_last_good_weights(bench, tmp_path, values):
    good = values(bench.train(tmp_path / "good", epochs=0).network)
    bad = bench.train(tmp_path / "bad", base_rate=1e30, unfreeze="all", schedule="constant")
    assert "step (2 of epoch 1, phase 2" in bad.stopped
    assert "--base-lr" in bad.stopped
    assert all(np.array_equal(good[name], array) for name, array in values(bad.network).items())


def test_no_epoch_at_all_is_an_error(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(Stepper, "train", lambda *_: float("nan"))
    with pytest.raises(EngineError, match=r"\(1 of epoch 1, phase 1.*Lower --base-lr"):
        bench.train(tmp_path, epochs=0)


def test_a_lack_of_memory_suggests_a_batch(bench, tmp_path, monkeypatch):
    import tensorflow as tf

    from plankton_features.finetuning.stepping import memory_advice

    with pytest.raises(EngineError, match=r"batches of 8 images\. Use --batch 4"), \
            memory_advice(8):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")


def test_a_first_phase_that_breaks_is_not_followed_by_a_second(bench, tmp_path, monkeypatch):
    true, calls = Stepper.train, []

    def third_is_nan(self, *args):
        calls.append(1)
        return float("nan") if len(calls) == 8 else true(self, *args)

    monkeypatch.setattr(Stepper, "train", third_is_nan)
    trained = bench.train(tmp_path)
    assert [record["phase"] for record in trained.history] == [1]
    assert "of epoch 2, phase 1" in trained.stopped


def test_the_best_epoch_is_kept_and_patience_ends_a_phase(bench, tmp_path):
    trained = bench.train(tmp_path, head_epochs=30, patience=2, epochs=0, metric="mcc")
    values = [record["mcc"] for record in trained.history]
    kept = [record["best"] for record in trained.history]
    assert sum(kept) == 1
    assert kept.index(True) == int(np.argmax(values))
    assert len(values) == 30 or len(values) - 1 - int(np.argmax(values)) == 2


def test_the_second_phase_can_be_killed_before_its_first_epoch_ends(bench, tmp_path, values):
    whole = values(bench.train(tmp_path / "whole").network)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(bench.job(tmp_path / "broken"), progress=KillerInPhase2())
    broken = values(train(bench.job(tmp_path / "broken")).network)
    assert all(np.array_equal(whole[name], broken[name]) for name in whole)


class KillerInPhase2:
    """Interrupts at the first step of the second phase."""

    def __call__(self, progress):
        if progress.phase == 2:
            raise KeyboardInterrupt


def test_other_options_do_not_go_on_with_a_checkpoint(bench, tmp_path):
    train(bench.job(tmp_path, key={"epochs": 2}, epochs=0))
    with pytest.raises(MismatchError, match="epochs: found 2, asked for 3"):
        train(bench.job(tmp_path, key={"epochs": 3}, epochs=0))


def test_a_damaged_checkpoint_is_named(bench, tmp_path):
    (tmp_path / checkpoint.NAME).write_bytes(b"PK\3\4 cut short")
    with pytest.raises(StoreError, match=r"checkpoint.npz: damaged.*Move .* elsewhere"):
        bench.train(tmp_path)


def test_minutes_plan_the_epochs_and_leave_no_trace(bench, tmp_path, values):
    """Measuring the speed must not train: the same epochs planned give the same weights."""
    timed = bench.train(tmp_path / "timed", minutes=0.0001, epochs=9)
    planned = bench.train(tmp_path / "planned", epochs=1)
    assert [r["phase"] for r in timed.history] == [1, 1, 2]
    a, b = values(timed.network), values(planned.network)
    assert all(np.array_equal(a[name], b[name]) for name in a)
