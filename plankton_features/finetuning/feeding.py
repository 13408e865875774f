"""Batches made ready in threads beside the network."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plankton_features.finetuning.augmentation import augment
from plankton_features.finetuning.batching import padded_batches

Ints = NDArray[np.int64]
#: Batches that are ready, or being made, before they are asked for.
AHEAD = 4


@dataclass(frozen=True)
class Batch:
    """What a training step takes.

    Attributes
    ----------
    inputs : tuple of ndarray, each of shape (size, ...)
    rows : ndarray of int64, shape (size,)
    weights : ndarray of float32, shape (size,)
        0 for rows that only fill up the last batch.
    """

    inputs: tuple[np.ndarray, ...]
    rows: Ints
    weights: NDArray[np.float32]


#: From rows, and the random generator of this batch or None for pictures as they are, to inputs.
Fetch = Callable[[Ints, np.random.Generator | None], tuple[np.ndarray, ...]]


def fetch_canvases(canvases: NDArray[np.uint8], kind: str) -> Fetch:
    """Pixels, augmented in training.

    Parameters
    ----------
    canvases : ndarray of uint8, shape (n, side, side) or (n, side, side, 3)
    kind : str
        See `augment`.

    Returns
    -------
    callable
        Its one input has shape (size, side, side, 1 or 3).
    """
    def make(rows: Ints, rng: np.random.Generator | None) -> tuple[np.ndarray, ...]:
        pixels = np.asarray(canvases[rows])
        pixels = augment(pixels, kind, rng) if rng is not None else pixels
        return (pixels if pixels.ndim == 4 else pixels[..., None],)

    return make


def fetch_arrays(arrays: tuple[np.ndarray, ...]) -> Fetch:
    """What was computed once of each row, one of its views in training.

    Parameters
    ----------
    arrays : tuple of ndarray, each of shape (n, n_views, ...)

    Returns
    -------
    callable
    """
    def make(rows: Ints, rng: np.random.Generator | None) -> tuple[np.ndarray, ...]:
        views = np.zeros(len(rows), np.int64)
        if rng is not None:
            views = rng.integers(arrays[0].shape[1], size=len(rows))
        return tuple(np.stack([array[i, view] for i, view in zip(rows, views, strict=True)])
                     for array in arrays)

    return make


@dataclass
class Feeder:
    """Makes batches in threads, and counts how long the network waits for them.

    Parameters
    ----------
    fetch : callable
    size : int
        Rows of a batch.
    threads : int, default=2

    Attributes
    ----------
    waited : float
        Seconds.
    """

    fetch: Fetch
    size: int
    threads: int = 2
    waited: float = field(default=0.0, init=False)

    def iterate(self, rows: Ints, seed: tuple[int, ...] | None) -> Iterator[Batch]:
        """Yield batches of rows in order; the same for the same arguments, in every process.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
        seed : tuple of int, or None
            Of the augmentation, each batch with its own number behind it; None for none.
        """
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self.threads, thread_name_prefix="feed") as pool:
            try:
                for i, (part, weights) in enumerate(padded_batches(rows, self.size)):
                    waiting.append(pool.submit(self._make, part, weights, seed, i))
                    if len(waiting) > AHEAD:
                        yield self._next(waiting)
                while waiting:
                    yield self._next(waiting)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, rows: Ints, weights: NDArray[np.float32], seed: tuple[int, ...] | None,
              number: int) -> Batch:
        rng = None if seed is None else np.random.default_rng([*seed, number])
        return Batch(self.fetch(rows, rng), rows, weights)

    def _next(self, waiting: deque[Future[Batch]]) -> Batch:
        started = time.perf_counter()
        batch = waiting.popleft().result()
        self.waited += time.perf_counter() - started
        return batch
