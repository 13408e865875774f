"""Which signals are meant for us; apart, because it is imported before anything else."""

from __future__ import annotations

import _signal


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
