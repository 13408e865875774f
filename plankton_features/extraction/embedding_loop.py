"""Feed an engine with fixed batches, keeping it busy while images are collected."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from plankton_features.embedding.engine_entry import Engine


class BatchEmbedder:
    """Collects canvases and embeds them batch by batch.

    Parameters
    ----------
    engine : Engine
    canvas : int
        Side of the canvases in pixels.

    Attributes
    ----------
    seconds : float
        Time spent handing over batches and waiting for their vectors.
    """

    def __init__(self, engine: Engine, canvas: int):
        self._engine = engine
        shape = (engine.batch, canvas, canvas, 3)
        self._buffers = [np.zeros(shape, np.uint8) for _ in range(engine.depth + 1)]
        self._running: deque[tuple[Callable[[], np.ndarray], int]] = deque()
        self._done: list[np.ndarray] = []
        self._filled = 0
        self.seconds = 0.0

    def add(self, canvas: np.ndarray) -> None:
        """Add one canvas, (side, side) or (side, side, 3) uint8."""
        target = self._buffers[0][self._filled]
        target[:] = canvas if canvas.ndim == 3 else canvas[:, :, None]
        self._filled += 1
        if self._filled == self._engine.batch:
            self._start()

    def take(self) -> np.ndarray:
        """Vectors of all canvases added since the last call, (n, n_values) float32.

        A batch that is not full is embedded with zeros in the free places.
        """
        if self._filled:
            self._buffers[0][self._filled :] = 0
            self._start()
        while self._running:
            self._wait()
        vectors, self._done = self._done, []
        if not vectors:
            return np.empty((0, sum(n for _, n in self._engine.blocks)), np.float32)
        return np.concatenate(vectors)

    def drain(self) -> None:
        """Wait for what is under way: engines must not outlive the buffers they read."""
        while self._running:
            self._running.popleft()[0]()

    def _start(self) -> None:
        if len(self._running) == self._engine.depth:
            self._wait()
        started = time.perf_counter()
        self._running.append((self._engine.submit(self._buffers[0]), self._filled))
        self.seconds += time.perf_counter() - started
        self._buffers.append(self._buffers.pop(0))
        self._filled = 0

    def _wait(self) -> None:
        started = time.perf_counter()
        result, n = self._running.popleft()
        self._done.append(np.asarray(result(), dtype=np.float32)[:n])
        self.seconds += time.perf_counter() - started
