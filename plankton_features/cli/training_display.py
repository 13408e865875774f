"""What training looks like, on a terminal and in a log file."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from plankton_features.cli.display import SECONDS_BETWEEN_LINES, Console, clock

if TYPE_CHECKING:
    from plankton_features.finetuning.phases import TuneProgress

_PHASES = {1: "head", 2: "network"}


class Quiet:
    """Shows nothing."""

    def __call__(self, progress: TuneProgress) -> None:
        """Show nothing of training."""

    def steps(self, done: int, total: int, what: str) -> None:
        """Show nothing of what is computed once."""


class TrainingDisplay:
    """Shows epoch, images per second, loss, validation MCC and time left, once it is entered.

    A bar and a line for each epoch on a terminal, otherwise lines every ten seconds.
    """

    def __init__(self, quiet: bool = False):
        self.quiet, self.bar = quiet, None if quiet or not sys.stderr.isatty() else _bar()
        self.shown: Quiet = Quiet()

    def __enter__(self) -> TrainingDisplay:
        if self.bar is not None:
            self.bar.start()
        if not self.quiet:
            self.shown = _OnTerminal(self.bar) if self.bar is not None else _InLog()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, progress: TuneProgress) -> None:
        """Show a step or the end of an epoch."""
        self.shown(progress)

    def steps(self, done: int, total: int, what: str) -> None:
        """Show what is computed once."""
        self.shown.steps(done, total, what)


def _bar() -> Bar:
    return Bar(TextColumn("{task.description}"), BarColumn(bar_width=None),
               TextColumn("{task.fields[told]}"), console=Console(stderr=True),
               transient=True, expand=True)


class _Shown(Quiet):
    def __init__(self) -> None:
        self.mcc = ""

    def told(self, progress: TuneProgress) -> str:
        """Loss, score, speed and time left."""
        return (f"loss {progress.loss:.3f}{self.mcc}, {progress.images_per_second:,.0f} images/s, "
                f"{clock(progress.seconds_left)} left")

    def note(self, record: dict[str, Any] | None) -> None:
        """Remember the last validation score."""
        if record is not None:
            self.mcc = f", validation MCC {record['mcc']:.3f}"


class _OnTerminal(_Shown):
    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self.bar, self.task = bar, bar.add_task("starting", total=None, told="", visible=False)

    def __call__(self, progress: TuneProgress) -> None:
        self.note(progress.record)
        self.bar.update(self.task, completed=progress.step, total=progress.n_steps, visible=True,
                        description=_where(progress), told=self.told(progress))
        if progress.record is not None:
            self.bar.console.print(_line(progress, progress.record), soft_wrap=True)

    def steps(self, done: int, total: int, what: str) -> None:
        self.bar.update(self.task, completed=done, total=total, visible=done < total,
                        description=what, told=f"{done:,} of {total:,} images")


class _InLog(_Shown):
    def __init__(self) -> None:
        super().__init__()
        self.last = time.monotonic()

    def __call__(self, progress: TuneProgress) -> None:
        self.note(progress.record)
        if progress.record is not None:
            print(_line(progress, progress.record), file=sys.stderr, flush=True)
            self.last = time.monotonic()
        elif self._is_time():
            print(f"{_where(progress)}, step {progress.step:,} of {progress.n_steps:,}: "
                  f"{self.told(progress)}", file=sys.stderr, flush=True)

    def steps(self, done: int, total: int, what: str) -> None:
        if self._is_time() and done < total:
            print(f"{what}: {done:,} of {total:,} images", file=sys.stderr, flush=True)

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self.last < SECONDS_BETWEEN_LINES:
            return False
        self.last = now
        return True


def _where(progress: TuneProgress) -> str:
    return f"{_PHASES[progress.phase]}, epoch {progress.epoch} of {progress.n_epochs}"


def _line(progress: TuneProgress, record: dict[str, Any]) -> str:
    return (f"{_where(progress)}: loss {record['loss']:.3f}, validation "
            f"{record['validation_loss']:.3f}, MCC {record['mcc']:.3f}, macro-F1 "
            f"{record['macro_f1']:.3f}; {record['images_per_second']:,.0f} images/s, "
            f"{100 * record['waiting']:.0f} % waiting")
