"""Both phases of training, continued where an earlier run was broken off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.classifier_network import Network, assemble_network
from plankton_features.embedding.keras_setup import dtype_policy, import_keras
from plankton_features.embedding.layers import construct_backbone, layer_names
from plankton_features.embedding.network import load_backbone
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.weights import Weights
from plankton_features.errors import EngineError, InputError
from plankton_features.finetuning import checkpoint
from plankton_features.finetuning.blocks import (
    Cut,
    count_parameters,
    cut,
    describe_trained,
    first_trained,
)
from plankton_features.finetuning.checkpoint import Standing
from plankton_features.finetuning.feeding import Fetch, fetch_arrays, fetch_canvases
from plankton_features.finetuning.journal import better
from plankton_features.finetuning.losses import make_loss
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.phases import Parts, Phase, TuneCallback, ignore_training
from plankton_features.finetuning.precomputing import precompute
from plankton_features.finetuning.stepping import Stepper, arrays_of, assign, make_optimizer
from plankton_features.progress import StepCallback, ignore_steps

#: Of the first phase, in which a linear layer is fitted to vectors that do not change.
HEAD_RATE = 1e-3


@dataclass(frozen=True)
class Job:
    """What is trained, with what, and where it is kept meanwhile.

    Attributes
    ----------
    recipe : Recipe
    weights : Weights
        Of the backbone before training.
    canvases : ndarray of uint8, shape (n, side, side[, 3])
    parts : Parts
    options : TuneOptions
    folder : Path
        For checkpoints and what is computed once.
    key : dict
        What a run that was broken off must have in common with this one, JSON-able.
    lineages : ndarray of bool, shape (K, n_nodes), or None
        See `make_loss`.
    begin : tuple of ndarray, or None
        First weights of the last layer: (d, K) and (K,).
    """

    recipe: Recipe
    weights: Weights
    canvases: NDArray[np.uint8]
    parts: Parts
    options: TuneOptions
    folder: Path
    key: dict[str, Any]
    lineages: NDArray[np.bool_] | None = None
    begin: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came about.

    Attributes
    ----------
    network : Network
        With the weights of the best epoch.
    history : list of dict
        One entry for each epoch; ``best`` marks the one whose weights were kept.
    stopped : str
        Why training ended before its time, or empty.
    what : str
        What of the backbone was trained, for people.
    parameters, trained_parameters : int
    """

    network: Network
    history: list[dict[str, Any]]
    stopped: str
    what: str
    parameters: int
    trained_parameters: int


def train(job: Job, *, progress: TuneCallback = ignore_training,
          steps: StepCallback = ignore_steps,
          after_epoch: Callable[[list[dict[str, Any]]], object] = len) -> Trained:
    """Train, or go on where the folder's checkpoint stands.

    Parameters
    ----------
    job : Job
    progress : callable of TuneProgress, optional
    steps : callable of (done, total, what), optional
        Told of what is computed once.
    after_epoch : callable of list of dict, optional
        Told of the history after each epoch.

    Returns
    -------
    Trained

    Raises
    ------
    EngineError
        If there is not enough memory, or no epoch ended with a finite loss.
    MismatchError, StoreError
        See `checkpoint.load`.
    """
    return _Training(job, progress, steps, after_epoch).run()


class _Training:
    def __init__(self, job: Job, progress: TuneCallback, steps: StepCallback,
                 after_epoch: Callable[[list[dict[str, Any]]], object]):
        self.job, self.progress, self.steps, self.after = job, progress, steps, after_epoch
        self.keras, self.started = import_keras(), time.perf_counter()
        _make_deterministic(self.keras, job.options)
        self.network = _network(self.keras, job)
        self.names = layer_names(self.network.trunk)
        self.first = first_trained(self.network.trunk, self.names, job.options.unfreeze)

    def run(self) -> Trained:
        standing = checkpoint.load(self.job.folder, self.job.key) or Standing(self.job.key)
        if standing.phase == 1:
            self._first_phase(standing)
        parted = cut(self.network.trunk, self.first)
        trained = self._variables(parted)
        if standing.phase == 1:
            self._next_phase(standing, 3 if standing.stopped else 2, trained)
        assign(trained, standing.kept)
        if standing.phase == 2:
            self._second_phase(standing, parted, trained)
            self._next_phase(standing, 3, trained)
        if standing.stopped and not standing.history:
            raise EngineError(standing.stopped)
        return self._trained(standing, parted)

    def _first_phase(self, standing: Standing) -> None:
        """Classification layers alone, on vectors that are computed once."""
        if not self.job.options.head_epochs:
            return
        parted = cut(self.network.trunk, len(self.names))
        vectors = self._vectors(parted)
        phase = self._phase(1, fetch_arrays(vectors), lambda inputs: inputs[0],
                            self.network.top.trainable_variables,
                            self.keras.optimizers.Adam(HEAD_RATE), lambda *_: HEAD_RATE)
        standing.n_epochs = self.job.options.head_epochs
        phase.run(standing)

    def _second_phase(self, standing: Standing, parted: Cut, trained: list[Any]) -> None:
        """The backbone from the cut on, with the classification layers."""
        options = self.job.options
        if parted.upper is None or not options.epochs:
            return
        fetch, before = self._fetch(parted)
        optimizer = make_optimizer(self.keras, options)
        phase = self._phase(2, fetch, before, trained, optimizer, options.rates.rate)
        if not standing.n_epochs:
            standing.n_epochs = self._planned(phase)
            self._save(standing)  # so that a run that goes on has the same plan
        phase.run(standing)

    def _phase(self, number: int, fetch: Fetch, before: Callable[[Any], Any],
               variables: list[Any], optimizer: Any,
               rate: Callable[[int, int, int], float]) -> Phase:
        job, top = self.job, self.network.top
        loss = make_loss(job.options, job.parts.epoch_counts, job.lineages)
        stepper = Stepper(lambda inputs, training: top(before(inputs), training=training),
                          variables, optimizer, loss)
        return Phase(number, stepper, fetch, job.parts, job.options, rate,
                     lambda epoch: _seed_dropout(top, job.options.seed, number, epoch),
                     self._save, self.progress)

    def _fetch(self, parted: Cut) -> tuple[Fetch, Callable[[Any], Any]]:
        """Where batches come from, and what of the network they have still to go through."""
        network = self.network

        def below(canvases: Any) -> list[Any]:
            return parted.below(network.normalized(canvases))

        if not self.job.options.cache_frozen or parted.lower is None:
            fetch = fetch_canvases(self.job.canvases, self.job.options.augment)
            return fetch, lambda inputs: network.pooled(parted.above(below(inputs[0])))
        views = 8 if self.job.options.augment == "turns" else 1
        arrays = self._precomputed("frozen", below, {"first": self.first}, views, np.float16)
        ops = self.keras.ops
        return fetch_arrays(arrays), lambda inputs: network.pooled(
            parted.above([ops.cast(one, "float32") for one in inputs]))

    def _vectors(self, parted: Cut) -> tuple[np.ndarray, ...]:
        network = self.network
        return self._precomputed(
            "vectors", lambda x: [network.pooled(parted.below(network.normalized(x)))], {}, 1,
            np.float32)

    def _precomputed(self, name: str, function: Callable[[Any], list[Any]], more: dict[str, Any],
                     views: int, dtype: type) -> tuple[np.ndarray, ...]:
        job = self.job
        rows = np.sort(np.concatenate([job.parts.train, job.parts.validation]))
        key = {**job.key, **more, "views": views}
        return precompute(function, job.canvases, rows, job.folder, name,
                          key, n_views=views, batch=job.options.batch, dtype=dtype,
                          progress=self.steps)

    def _planned(self, phase: Phase) -> int:
        options = self.job.options
        if options.minutes is None:
            return options.epochs
        left = options.minutes * 60 - (time.perf_counter() - self.started)
        return max(1, int(left / phase.seconds_per_epoch()))

    def _variables(self, parted: Cut) -> list[Any]:
        return [*(v for layer in parted.trained for v in layer.trainable_variables),
                *self.network.top.trainable_variables]

    def _next_phase(self, standing: Standing, phase: int, trained: list[Any]) -> None:
        """Begin a phase with the best weights so far, which may stay the best."""
        standing.phase, standing.epoch, standing.n_epochs, standing.state = phase, 0, 0, []
        standing.kept = arrays_of(trained)
        self._save(standing)

    def _save(self, standing: Standing) -> None:
        checkpoint.save(standing, self.job.folder)
        self.after(standing.history)

    def _trained(self, standing: Standing, parted: Cut) -> Trained:
        values = [better(record, self.job.options.metric) for record in standing.history]
        best = int(np.argmax(values)) if values else -1
        history = [{**record, "best": i == best} for i, record in enumerate(standing.history)]
        top = self.network.top
        return Trained(self.network, history, standing.stopped,
                       describe_trained(self.names, self.first),
                       self.network.trunk.count_params() + top.count_params(),
                       count_parameters(parted.trained) + count_parameters([top]))


def _network(keras: Any, job: Job) -> Network:
    options = job.options
    with dtype_policy(keras, options.precision):
        backbone = load_backbone(job.recipe, job.weights.file)
    network = assemble_network(job.recipe, backbone, job.parts.n_classes, hidden=options.hidden,
                               dropout=options.dropout, seed=options.seed)
    if job.begin is not None:
        assign(network.top.get_layer("classes").weights, job.begin)
    return network


def check_network(recipe: Recipe, options: TuneOptions) -> None:
    """Refuse layers that are not there, before images are read.

    Raises
    ------
    InputError
        See `first_trained`, `assemble_network`; or if nothing is frozen that could be cached.
    """
    backbone = construct_backbone(get_backbone(recipe.backbone), recipe.canvas)
    trunk = assemble_network(recipe, backbone, 2).trunk
    if first_trained(trunk, layer_names(trunk), options.unfreeze) <= 1 and options.cache_frozen:
        raise InputError(f"--cache-frozen: with --unfreeze {options.unfreeze} no layer is frozen. "
                         "Leave it out, or unfreeze fewer blocks.")


def _seed_dropout(top: Any, seed: int, phase: int, epoch: int) -> None:
    """Dropout's own generator begins each epoch at a number of its own, so it can be resumed."""
    dropout = top.get_layer("dropout")
    if dropout.rate:
        dropout.seed_generator.state.assign([seed % 2**31, phase * 10**6 + epoch])


def _make_deterministic(keras: Any, options: TuneOptions) -> None:
    if options.deterministic:
        import tensorflow as tf

        keras.utils.set_random_seed(options.seed)
        tf.config.experimental.enable_op_determinism()
