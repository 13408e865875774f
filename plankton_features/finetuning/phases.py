"""A phase of training: epoch after epoch, until it gets no better."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import PlanktonFeaturesError
from plankton_features.finetuning.checkpoint import Standing
from plankton_features.finetuning.draws import epoch_rows
from plankton_features.finetuning.feeding import Feeder, Fetch
from plankton_features.finetuning.journal import better, validation_scores
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.stepping import Stepper, arrays_of, assign

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Labels, and which rows train and validate.

    Attributes
    ----------
    y : ndarray of int64, shape (n,)
    n_classes : int
    train, validation, test : ndarray of int64
        Row numbers.
    source, target : ndarray of float64, shape (K,)
        Class frequencies that the trained network answers for, and those of the training rows.
    epoch_counts : ndarray of int64, shape (K,)
        Images of each class in an epoch.
    """

    y: Ints
    n_classes: int
    train: Ints
    validation: Ints
    test: Ints
    source: NDArray[np.float64]
    target: NDArray[np.float64]
    epoch_counts: Ints


@dataclass(frozen=True)
class TuneProgress:
    """Where training is.

    Attributes
    ----------
    phase, epoch, n_epochs : int
        The epoch under way, from 1, of those planned in this phase.
    step, n_steps : int
        Of this epoch.
    loss : float
        Mean of the epoch so far.
    images_per_second : float
    seconds_left : float
        To the end of the phase, if it is not stopped early.
    record : dict or None
        At the end of an epoch: its entry in the history.
    """

    phase: int
    epoch: int
    n_epochs: int
    step: int
    n_steps: int
    loss: float
    images_per_second: float
    seconds_left: float
    record: dict[str, Any] | None = None


TuneCallback = Callable[[TuneProgress], None]


def ignore_training(_: TuneProgress) -> None:
    """Show nothing."""


class NotFiniteError(PlanktonFeaturesError):
    """The loss of a step is no number."""


@dataclass
class Phase:
    """What is trained in a phase, and how.

    Attributes
    ----------
    number : int
        1 or 2.
    stepper : Stepper
    fetch : callable
        See `feeding.Fetch`.
    parts : Parts
    options : TuneOptions
    rate : callable of (step, n_steps, steps_per_epoch)
        Learning rate.
    before_epoch : callable of int
        Called with the number of the epoch, to give dropout its seed.
    save : callable of Standing
        Called after each epoch.
    progress : callable of TuneProgress
    """

    number: int
    stepper: Stepper
    fetch: Fetch
    parts: Parts
    options: TuneOptions
    rate: Callable[[int, int, int], float]
    before_epoch: Callable[[int], None]
    save: Callable[[Standing], None]
    progress: TuneCallback = ignore_training
    started: float = field(default=0.0, init=False)

    def run(self, standing: Standing) -> None:
        """Train from where `standing` is to the end of the phase, with the best weights in place.

        A loss that is no number ends the phase; `standing` then says why.
        """
        if standing.state:
            self.stepper.restore(standing.state)
        self.started = time.perf_counter()
        first = standing.epoch
        while standing.epoch < standing.n_epochs and not self._is_over(standing):
            try:
                record = self._epoch(standing, first)
            except NotFiniteError as error:
                standing.stopped = str(error)
                break
            self._note(standing, record)
        if standing.kept:
            assign(self.stepper.variables, standing.kept)

    def seconds_per_epoch(self) -> float:
        """Estimate from a few steps, after which all is as before."""
        before = self.stepper.state()
        rows = self._rows(0)
        steps: list[float] = []
        feeder = Feeder(self.fetch, self.options.batch)
        started = time.perf_counter()
        for batch in feeder.iterate(rows[: 16 * self.options.batch], (0,)):
            self.stepper.train(batch, self.parts.y, 0.0)
            steps.append(time.perf_counter() - started)
            started = time.perf_counter()
        self.stepper.restore(before)
        train, validation = (math.ceil(len(part) / self.options.batch)
                             for part in (rows, self.parts.validation))
        return float(np.median(steps[1:] or steps)) * (train + validation / 3)

    def _is_over(self, standing: Standing) -> bool:
        done = [r for r in standing.history if r["phase"] == self.number]
        values = [better(record, self.options.metric) for record in done]
        return bool(values) and len(values) - 1 - int(np.argmax(values)) >= self.options.patience

    def _note(self, standing: Standing, record: dict[str, Any]) -> None:
        standing.history.append(record)
        standing.epoch += 1
        value = better(record, self.options.metric)
        if standing.best is None or value > standing.best:
            standing.best, standing.kept = value, arrays_of(self.stepper.variables)
        standing.state = self.stepper.state()
        self.save(standing)

    def _rows(self, epoch: int) -> Ints:
        parts = self.parts
        drawn = epoch_rows(parts.y[parts.train], parts.n_classes, **self.options.draws,
                           seed=self.options.seed, epoch=10**6 * self.number + epoch)
        return parts.train[drawn]

    def _epoch(self, standing: Standing, first: int) -> dict[str, Any]:
        epoch, options = standing.epoch, self.options
        rows, feeder = self._rows(epoch), Feeder(self.fetch, options.batch)
        n_steps = math.ceil(len(rows) / options.batch)
        self.before_epoch(epoch)
        started, total, rate = time.perf_counter(), 0.0, 0.0
        seed = (options.seed, self.number, epoch)
        for i, batch in enumerate(feeder.iterate(rows, seed)):
            rate = self.rate(epoch * n_steps + i, standing.n_epochs * n_steps, n_steps)
            loss = self.stepper.train(batch, self.parts.y, rate)
            if not math.isfinite(loss):
                raise NotFiniteError(_not_finite("at", self.number, epoch, i + 1, rate))
            total += loss
            self.progress(self._where(standing, first, i + 1, n_steps, total / (i + 1), started))
        trained = time.perf_counter() - started
        answers = self._answers()
        if not np.isfinite(answers).all():
            raise NotFiniteError(_not_finite("after the last", self.number, epoch, n_steps, rate))
        found = validation_scores(self.parts.y[self.parts.validation], answers,
                                  self.parts.source, self.parts.target)
        record = {"phase": self.number, "epoch": len(standing.history) + 1, "rate": rate,
                  "loss": total / n_steps, **found,
                  "seconds": round(time.perf_counter() - started, 2),
                  "images_per_second": round(len(rows) / trained, 1),
                  "waiting": round(feeder.waited / trained, 4)}
        self.progress(self._where(standing, first, n_steps, n_steps, total / n_steps, started,
                                  record))
        return record

    def _answers(self) -> NDArray[np.float32]:
        return self.stepper.logits(self._batches(self.parts.validation))

    def _batches(self, rows: Ints) -> Iterator[Any]:
        return Feeder(self.fetch, self.options.batch).iterate(rows, None)

    def _where(self, standing: Standing, first: int, step: int, n_steps: int, loss: float,
               epoch_started: float, record: dict[str, Any] | None = None) -> TuneProgress:
        now = time.perf_counter()
        done = standing.epoch - first + step / n_steps
        left = (now - self.started) / done * (standing.n_epochs - first - done)
        return TuneProgress(self.number, standing.epoch + 1, standing.n_epochs, step, n_steps,
                            loss, step * self.options.batch / max(now - epoch_started, 1e-9),
                            max(left, 0.0), record)


def _not_finite(when: str, phase: int, epoch: int, step: int, rate: float) -> str:
    return (f"the loss is no finite number {when} step ({step} of epoch {epoch + 1}, phase "
            f"{phase}, learning rate {rate:g}). Lower --base-lr, or use --precision float32.")
