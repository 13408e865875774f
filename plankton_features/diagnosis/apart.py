"""Try an engine in a process of its own.

Importing an engine can end the process: on a processor that lacks an instruction, or with libraries
that do not fit together. The doctor is to survive that, and to tell of it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from plankton_features.diagnosis.trial import EngineTrial
from plankton_features.embedding import get_engine

_CHILD = "plankton_features.diagnosis.trying"
_LONGEST_SECONDS = 600.0  # a first use of a GPU may compile for minutes


def installed(engine: str) -> EngineTrial:
    """Whether an engine is installed, without importing it."""
    entry = get_engine(engine)
    if not entry.is_installed():
        return EngineTrial(engine, failure="missing", problem="it is not installed")
    return EngineTrial(engine, version=entry.version())


def try_apart(engine: str) -> EngineTrial:
    """Try an engine in a process of its own.

    Parameters
    ----------
    engine : str
        Known to other processes too: not one that was registered by a call.

    Returns
    -------
    EngineTrial
        Never raises because of the engine: what went wrong is in it.

    Notes
    -----
    The network that OpenVINO converts on first use stays in the cache, as after an extraction.
    """
    if (found := installed(engine)).failure:
        return found
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "trial.json"
        command = [sys.executable, "-m", _CHILD, engine, str(answer)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                                  timeout=_LONGEST_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return EngineTrial(engine, failure="time",
                               problem=f"no result after {_LONGEST_SECONDS:.0f} s")
        if not answer.is_file():
            return EngineTrial(engine, failure="crash", problem=_last_words(done))
        return EngineTrial.from_json(answer.read_text(encoding="utf-8"))


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    """How a process ended that left no answer."""
    lines = done.stderr.split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    if done.returncode < 0:
        return f"the process was ended by {signal.Signals(-done.returncode).name} ({last[:200]})"
    return f"the process ended with code {done.returncode} ({last[:200]})"
