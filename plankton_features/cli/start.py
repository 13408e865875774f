"""Where the programs begin. Nothing but `cli.stopping` imports it: what it needs must be quick."""

from __future__ import annotations

import _signal  # importing `signal` takes longer than all else before the first line
import sys


def main() -> int:
    """Run ``plankton-features``."""
    return _run("main")


def extract_features() -> int:
    """Run ``extract-features``."""
    return _run("extract_features")


def fit_head() -> int:
    """Run ``fit-head``."""
    return _run("fit_head")


def heeded_signals() -> list[int]:
    """Ctrl-C, what ``kill`` and schedulers send, and a terminal that is closed.

    Returns
    -------
    list of int
        Numbers, but for those that are ignored, as by ``nohup``.
    """
    found = [getattr(_signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    return [number for number in found if number is not None
            and _signal.getsignal(number) not in (_signal.SIG_IGN, None)]


def _run(command: str) -> int:
    """Run a command; before its work and after it, signals end the process without a word.

    There is nothing to put right then, and an exception would only show a traceback.
    """
    for number in heeded_signals():
        _signal.signal(number, _signal.SIG_DFL)
    from plankton_features.cli import main as commands

    code: int = getattr(commands, command)()
    return code


if __name__ == "__main__":
    sys.exit(main())
