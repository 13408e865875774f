"""How long work reports where it is; what to show of it is the caller's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run over images is.

    Attributes
    ----------
    done, total : int
        Images dealt with, of all in the catalog.
    failed, duplicates : int
        Of those done.
    resumed : int
        Of those done, by an earlier run.
    """

    done: int
    total: int
    failed: int = 0
    duplicates: int = 0
    resumed: int = 0


ProgressCallback = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """Show nothing."""


#: Of (steps done, steps in all, what is being done now).
StepCallback = Callable[[int, int, str], None]


def ignore_steps(_done: int, _total: int, _what: str) -> None:
    """Show nothing."""
