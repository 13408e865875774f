"""What long work looks like, on a terminal and in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import console as rich_console
from rich import markup
from rich.console import ConsoleOptions, RenderableType
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.segment import Segment

from plankton_features.cli.streams import visible
from plankton_features.progress import (
    Progress,
    ProgressCallback,
    StepCallback,
    ignore,
    ignore_steps,
)

SECONDS_BETWEEN_LINES = 10.0


class Console(rich_console.Console):
    """A console that obeys nothing in texts, even where `escape` was forgotten."""

    def __init__(self, **options: Any):
        super().__init__(highlight=False, emoji=False, **options)

    def render(self, renderable: RenderableType,
               options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Segments to write; only Rich's own move the cursor."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text, keep="\n"), style, control)


#: Where results go. A log file has no width of its own.
console = Console(width=None if sys.stdout.isatty() else 120)


def escape(text: object) -> str:
    """Text of others for `console`: neither markup nor anything that a terminal would obey."""
    return markup.escape(visible(text))


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say on a terminal what takes a moment."""
    with Console(stderr=True).status(text):
        yield


@contextmanager
def shown_progress(quiet: bool = False) -> Iterator[ProgressCallback]:
    """A progress callback that shows images done, speed, time left and failures.

    A bar on a terminal, otherwise a line every ten seconds.
    """
    if quiet:
        yield ignore
    elif sys.stderr.isatty():
        with _bar() as bar:
            yield _OnTerminal(bar)
    else:
        yield _InLog()


def _bar() -> Bar:
    return Bar(
        TextColumn("{task.fields[counts]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[speed]}"),
        TextColumn("{task.fields[failures]}"),
        console=Console(stderr=True), transient=False, expand=True,
    )


@contextmanager
def shown_steps(quiet: bool = False) -> Iterator[StepCallback]:
    """A callback that shows which step of long work has begun, as `shown_progress` does."""
    if quiet:
        yield ignore_steps
    elif sys.stderr.isatty():
        with Bar(TextColumn("{task.description}"), BarColumn(bar_width=None),
                 TextColumn("{task.fields[left]}"), console=Console(stderr=True),
                 transient=True, expand=True) as bar:
            yield _StepsOnTerminal(bar)
    else:
        yield _StepsInLog()


class _StepsOnTerminal:
    def __init__(self, bar: Bar) -> None:
        self.bar, self.started = bar, time.monotonic()
        self.task = bar.add_task("starting", total=None, left="")

    def __call__(self, done: int, total: int, what: str) -> None:
        if done == 0:
            self.started = time.monotonic()
        left = (time.monotonic() - self.started) / done * (total - done) if done else 0.0
        self.bar.update(self.task, completed=done, total=total, description=escape(what),
                        left=f"{clock(left)} left" if left else "")


class _StepsInLog:
    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self.last >= SECONDS_BETWEEN_LINES:
            self.last = now
            step = min(done + 1, total)
            print(f"step {step:,} of {total:,}: {visible(what)}", file=sys.stderr, flush=True)


class _Speed:
    """Images per second of this run, and what that means for the rest."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def text(self, progress: Progress) -> str:
        seconds = max(time.monotonic() - self.started, 1e-6)
        speed = (progress.done - progress.resumed) / seconds
        left = (progress.total - progress.done) / speed if speed else 0.0
        return f"{speed:,.0f} images/s, {clock(left)} left,"


class _OnTerminal(_Speed):
    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self.bar = bar
        self.task = bar.add_task("", total=None, counts="starting", speed="", failures="")

    def __call__(self, progress: Progress) -> None:
        self.bar.update(
            self.task, completed=progress.done, total=progress.total,
            counts=f"{progress.done:,} of {progress.total:,} images", speed=self.text(progress),
            failures=failures_text(progress.failed),
        )


class _InLog(_Speed):
    def __init__(self) -> None:
        super().__init__()
        self.last = self.started

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        print(f"{progress.done:,} of {progress.total:,} images, {self.text(progress)} "
              f"{progress.failed:,} failed", file=sys.stderr, flush=True)


class DownloadShown:
    """Says how far the download of weights is: at once, every ten seconds and at the end."""

    def __init__(self) -> None:
        self.last = float("-inf")

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last >= SECONDS_BETWEEN_LINES or done == total:
            self.last = now
            of = f" of {total / 1e6:,.0f}" if total else ""
            print(f"downloading weights: {done / 1e6:,.0f}{of} MB", file=sys.stderr, flush=True)


def failures_text(n: int) -> str:
    """Failures so far, in red if there are any."""
    return f"[red]{n:,} failed[/red]" if n else "0 failed"


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss.

    Examples
    --------
    >>> clock(75), clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
