"""What Ctrl-C and the other requests to stop do: an orderly end, without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from plankton_features.cli.heeded import heeded_signals

_SECONDS_BETWEEN_LOOKS = 0.02


class Stopping:
    """Raises `KeyboardInterrupt` in the main thread when the process is asked to stop in `run`.

    Not within an import, whose half-loaded modules fail in ways of their own: after it, unless
    asked again.

    Attributes
    ----------
    number : int or None
        Signal that asked, None so far.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.working = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if not self.working:
            os._exit(128 + number)
        first, self.number = self.number is None, number
        if first and _within_import(frame):
            self.ask_again()
        else:
            raise KeyboardInterrupt

    @property
    def code(self) -> int:
        """Exit code that tells of the signal."""
        return 128 + (self.number or signal.SIGINT)

    def run(self, work: Callable[[], int]) -> int:
        """Do work that can be stopped; before and after it, a signal ends the process at once."""
        try:
            self.working = True
            return work()
        finally:
            self.working = False

    def ask_again(self) -> None:
        """Repeat the signal once nothing is being imported."""
        threading.Thread(target=self._repeat, daemon=True).start()

    def _repeat(self) -> None:
        main = threading.main_thread().ident or 0
        # Only a signal to the main thread ends what it waits for; Windows knows none to a thread.
        kill = getattr(signal, "pthread_kill", lambda _, number: signal.raise_signal(number))
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        while self.working and _within_import(sys._current_frames().get(main)):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        if self.working and self.number is not None:
            kill(main, self.number)

    def unraisable(self, told: Any) -> None:
        """Where Python drops an exception, as in a destructor, the request is repeated."""
        if isinstance(told.exc_value, KeyboardInterrupt) and self.number is not None:
            self.ask_again()
        else:
            sys.__unraisablehook__(told)


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Handle signals within, but for those that are ignored, such as by ``nohup``."""
    stopping = Stopping()
    # Python lets only the main thread handle signals.
    heeded = threading.current_thread() is threading.main_thread()
    before = {n: signal.getsignal(n) for n in heeded_signals()} if heeded else {}
    hook = sys.unraisablehook
    try:
        sys.unraisablehook = stopping.unraisable
        for number in before:
            signal.signal(number, stopping)
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook


def _within_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
