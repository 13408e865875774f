"""Where the programs begin. Nothing else imports this module, because it changes signals."""

# ruff: noqa: E402 (an interrupt must be quiet from the first line on)
import signal

# While modules are imported, Ctrl-C ends the program without a word: there is nothing to keep.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys
from collections.abc import Callable
from types import FrameType

from plankton_features.cli import main as commands


class Terminated(KeyboardInterrupt):
    """The system asked the program to end."""

    code = commands.TERMINATED


def main() -> int:
    """Run ``plankton-features``."""
    return _run(commands.main)


def extract_features() -> int:
    """Run ``extract-features``."""
    return _run(commands.extract_features)


def fit_head() -> int:
    """Run ``fit-head``."""
    return _run(commands.fit_head)


def _run(command: Callable[[], int]) -> int:
    """Run a command, in which an interrupt is an exception that tidies up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return command()
    except KeyboardInterrupt as interrupt:
        return getattr(interrupt, "code", commands.INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    sys.exit(main())
