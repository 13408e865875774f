"""Where the programs begin: what it needs must be quick to import."""

from __future__ import annotations

import _signal  # importing `signal` takes longer than all else before the first line

from plankton_features.cli.heeded import heeded_signals


def main() -> int:
    """Run ``plankton-features``."""
    return _run("main")


def extract_features() -> int:
    """Run ``extract-features``."""
    return _run("extract_features")


def fit_head() -> int:
    """Run ``fit-head``."""
    return _run("fit_head")


def _run(command: str) -> int:
    """Run a command; before its work and after it, signals end the process without a word.

    There is nothing to put right then, and an exception would only show a traceback.
    """
    for number in heeded_signals():
        _signal.signal(number, _signal.SIG_DFL)
    from plankton_features.cli import main as commands

    code: int = getattr(commands, command)()
    return code
