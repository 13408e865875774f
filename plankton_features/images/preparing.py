"""Read and frame images in threads, in the catalog's order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from plankton_features.errors import ImageFailure
from plankton_features.images.catalog import Catalog
from plankton_features.images.content import content_digest, picture_of
from plankton_features.images.decoding import MAX_PIXELS
from plankton_features.images.framing import Framing, frame

CHUNK = 32
_AHEAD_BYTES = 32 * 2**20


@dataclass(slots=True)
class Prepared:
    """One image of the catalog, ready for the network, or why it is not.

    Attributes
    ----------
    position : int
        In the catalog.
    sha256 : bytes
        Digest of its content, 32 bytes, see `content_digest`; none if it could not be read.
    width, height : int
        Of the whole picture, upright, in pixels.
    canvas : ndarray of shape (canvas, canvas) or (canvas, canvas, 3), uint8, or None
    failure : ImageFailure or None
    full_scale, contrast, several
        See `decoding.Picture`; -1 where contrast is not known.
    measures : mapping of str to float or int
        What `Preparer.measure` found, by name.
    """

    position: int
    sha256: bytes = b""
    width: int = 0
    height: int = 0
    canvas: np.ndarray | None = None
    failure: ImageFailure | None = None
    full_scale: float = 0.0
    contrast: int = -1
    several: bool = False
    measures: Mapping[str, float | int] = field(default_factory=dict)


@dataclass
class Spent:
    """Seconds that threads spent on images."""

    read: float = 0.0
    frame: float = 0.0


@dataclass
class Preparer:
    """Prepares images in a few threads beside the network.

    Parameters
    ----------
    catalog : Catalog
    framing : Framing
    threads : int, default=2
    ahead : int, optional
        Images to be ready before they are asked for; by default as many as fit in 32 MiB, at
        most 1024.
    max_pixels : int
        See `decoding.decode_image`.
    measure : callable of (position, pixels), optional
        Measures each picture that can be framed.

    Attributes
    ----------
    spent : Spent
        Seconds of all threads together.
    """

    catalog: Catalog
    framing: Framing
    threads: int = 2
    ahead: int | None = None
    max_pixels: int = MAX_PIXELS
    measure: Callable[[int, np.ndarray], Mapping[str, float | int]] | None = None
    spent: Spent = field(default_factory=Spent)

    def iterate(self, positions: Iterable[int]) -> Iterator[Prepared]:
        """Yield the images at `positions`, in that order."""
        limit = max(self.threads, self._ahead() // CHUNK)
        waiting: deque[Future[tuple[list[Prepared], Spent]]] = deque()
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="prepare")
        try:
            for chunk in chunks(positions):
                waiting.append(pool.submit(self._prepare, chunk))
                if len(waiting) > limit:
                    yield from self._finished(waiting.popleft())
            while waiting:
                yield from self._finished(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _ahead(self) -> int:
        if self.ahead is not None:
            return self.ahead
        return min(1024, _AHEAD_BYTES // (3 * self.framing.canvas**2))

    def _finished(self, future: Future[tuple[list[Prepared], Spent]]) -> list[Prepared]:
        images, spent = future.result()
        self.spent.read += spent.read
        self.spent.frame += spent.frame
        return images

    def _prepare(self, positions: Sequence[int]) -> tuple[list[Prepared], Spent]:
        spent = Spent()
        return [self._prepare_one(position, spent) for position in positions], spent

    def _prepare_one(self, position: int, spent: Spent) -> Prepared:
        started = decoded = time.perf_counter()
        image = Prepared(position)
        try:
            content = self.catalog.content(position)
            image.sha256 = content_digest(content)
            picture = picture_of(content, max_pixels=self.max_pixels, depth=self.framing.depth)
            del content  # of a large picture it is much
            decoded = time.perf_counter()
            image.height, image.width = picture.pixels.shape[:2]
            image.full_scale, image.several = picture.full_scale, picture.several
            image.contrast = picture.contrast
            image.canvas = frame(picture.pixels, self.framing)
            if self.measure:
                image.measures = self.measure(position, picture.pixels)
        except ImageFailure as failure:
            image.failure = failure
        ended = time.perf_counter()
        if image.canvas is None and decoded == started:
            decoded = ended
        spent.read += decoded - started
        spent.frame += ended - decoded
        return image


def chunks(positions: Iterable[int]) -> Iterator[list[int]]:
    """Positions in lists of `CHUNK`, the last one shorter."""
    chunk: list[int] = []
    for position in positions:
        chunk.append(position)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
