"""Rows in batches, made ready in threads beside the network."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.finetuning.augmentation import augment


def batches(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Split rows in order; the last batch may be smaller.

    Nothing is dropped, as the batch generators of imbalanced-learn do with what fills no batch.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    size : int
        At least 1.

    Returns
    -------
    iterator of ndarray of int64, shape (size,) or less

    Raises
    ------
    InputError
        If `size` is below 1.
    """
    if size < 1:
        raise InputError(f"size: expected at least 1 row in a batch, got {size}.")
    return (rows[start : start + size] for start in range(0, len(rows), size))


def padded_batches(
        rows: NDArray[np.int64], size: int) -> Iterator[tuple[NDArray[np.int64],
                                                              NDArray[np.float32]]]:
    """Split rows in order into batches of one size, which a network compiles once for.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    size : int
        At least 1.

    Returns
    -------
    iterator of (ndarray of int64, ndarray of float32), both of shape (size,)
        Rows and their weights in the loss: 1, and 0 for what fills the last batch, which are its
        own rows again.

    Raises
    ------
    InputError
        If `size` is below 1.

    Examples
    --------
    >>> [(r.tolist(), w.tolist()) for r, w in padded_batches(np.array([5, 6, 7]), 2)]
    [([5, 6], [1.0, 1.0]), ([7, 7], [1.0, 0.0])]
    """
    return ((np.resize(batch, size), (np.arange(size) < len(batch)).astype(np.float32))
            for batch in batches(rows, size))


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
