"""Fits side by side, one thread each.

Fits of this size spend most of their time waiting if the threads of the linear algebra library
share one of them: two fits with one thread each were four times as fast as one after the other with
two. And sums in one thread have one order, so results do not depend on the number of cores.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import joblib
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits


def n_workers() -> int:
    """How many fits run at once: one for each core this process may use."""
    return int(joblib.cpu_count())


@contextmanager
def workers(stopping: Event | None = None) -> Iterator[Callable[[Iterable[Any]], list[Any]]]:
    """Run ``joblib.delayed`` calls in threads; results come in the order of the calls.

    After an error or an interrupt, calls that have not begun are dropped and `stopping` is set, so
    that those under way can end early. Threads share the filters of warnings, so what is expected
    of tiny classes and of fits that stop early is silenced here, once, for all of them.

    Parameters
    ----------
    stopping : threading.Event, optional

    Examples
    --------
    >>> from joblib import delayed
    >>> with workers() as run:
    ...     run(delayed(abs)(i) for i in (-1, 2))
    [1, 2]
    """
    with warnings.catch_warnings(), threadpool_limits(1), ThreadPoolExecutor(n_workers()) as pool:
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Only one sample available")  # linear discriminant

        def run(calls: Iterable[Any]) -> list[Any]:
            futures = [pool.submit(work, *given, **named) for work, given, named in calls]
            try:
                return [future.result() for future in futures]
            except BaseException:
                if stopping is not None:
                    stopping.set()
                for future in futures:
                    future.cancel()
                raise

        yield run
