"""One run over a catalog: sort images in, embed, write block by block."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plankton_features.embedding import Engine, Recipe
from plankton_features.errors import ImageFailure
from plankton_features.extraction.embedding_loop import BatchEmbedder
from plankton_features.extraction.known import KnownVectors
from plankton_features.extraction.layout import size_features
from plankton_features.extraction.measures import measured_columns, measurer
from plankton_features.images import Catalog, Census, Prepared, Preparer
from plankton_features.images.catalog import COLUMNS
from plankton_features.progress import Progress, ProgressCallback
from plankton_features.store import Block, FeatureStore
from plankton_features.store.checking import check_finite

MOST_OTHERS = 4096
_TELL_EVERY = 32
NOT_FINITE = "the network gives values that are not finite: try --precision float32"


@dataclass
class Sorted:
    """Images of one block: new pictures, unusable ones, and ones that were there before."""

    new: list[Prepared] = field(default_factory=list)
    failed: list[Prepared] = field(default_factory=list)
    again: list[Prepared] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.new or self.failed or self.again)


class Run:
    """The state of one run over the catalog.

    A block has whole batches of new pictures, whatever came between them, so that a resumed run
    computes each vector in the same batch as an undisturbed one.

    Parameters
    ----------
    catalog : Catalog
    recipe : Recipe
    engine : Engine
    store : FeatureStore
        New, or with the rows of an earlier run.
    known : KnownVectors
    threads : int
        Threads that read and frame.
    progress : callable of Progress
    morphometry : {"", "plain", "feret"}

    Attributes
    ----------
    resumed : int
        Images that an earlier run had dealt with.
    reused : int
        Vectors taken over from `known`.
    """

    def __init__(self, catalog: Catalog, recipe: Recipe, engine: Engine, store: FeatureStore,
                 known: KnownVectors, threads: int, progress: ProgressCallback,
                 morphometry: str = ""):
        self.catalog, self.recipe, self.store = catalog, recipe, store
        self.known, self.progress = known, progress
        self.measured = list(measured_columns(catalog, morphometry)[0])
        self.preparer = Preparer(
            catalog, recipe.framing_options, threads,
            measure=measurer(catalog, recipe.framing_options, morphometry))
        self.embedder = BatchEmbedder(engine, recipe.canvas)
        self.resumed = store.n_done
        self.census = Census(catalog.label, store.sha256(), store.positions("images"),
                             store.count("failures"), store.count("duplicates"))
        self.reused = 0
        self.waited = self.wrote = 0.0
        self.started = time.perf_counter()

    def until_done(self, block_rows: int) -> None:
        """Write blocks of up to `block_rows` rows until the catalog ends."""
        images = self.preparer.iterate(range(self.resumed, len(self.catalog)))
        try:
            with closing(images):  # type: ignore[type-var]
                while self._one_block(images, block_rows):
                    pass
        finally:
            self.embedder.drain()

    def shares(self) -> dict[str, float]:
        """Where the time since the start went, see `ExtractionReport`."""
        seconds = time.perf_counter() - self.started
        spent = self.preparer.spent
        reading = spent.read / max(spent.read + spent.frame, 1e-9)
        parts = {"read": self.waited * reading, "frame": self.waited * (1 - reading),
                 "compute": self.embedder.seconds, "write": self.wrote}
        return {**{k: v / seconds for k, v in parts.items()},
                "other": max(0.0, 1 - sum(parts.values()) / seconds)}

    def _one_block(self, images: Iterator[Prepared], block_rows: int) -> bool:
        """Collect, embed and write one block; False at the end of the catalog."""
        block = Sorted()
        image = None
        while (len(block.new) < block_rows and len(block.failed) + len(block.again) < MOST_OTHERS
               and (image := self._next(images)) is not None):
            self._sort_in(image, block)
            self._tell(image.position)
        if block.empty:
            return False
        vectors = self._without_failures(block, self._vectors(block.new))
        started = time.perf_counter()
        self.store.append(Block(vectors, self._image_columns(block.new),
                                self._failure_columns(block.failed),
                                self._duplicate_columns(block.again)))
        self.wrote += time.perf_counter() - started
        return image is not None

    def _next(self, images: Iterator[Prepared]) -> Prepared | None:
        started = time.perf_counter()
        image = next(images, None)
        self.waited += time.perf_counter() - started
        return image

    def _sort_in(self, image: Prepared, block: Sorted) -> None:
        sort = self.census.sort(image)
        getattr(block, sort).append(image)
        if sort == "new" and image.canvas is not None and image.sha256 not in self.known:
            self.embedder.add(image.canvas)
        image.canvas = None

    def _tell(self, position: int) -> None:
        done = position + 1
        if done % _TELL_EVERY == 0 or done == len(self.catalog):
            self.progress(Progress(done, len(self.catalog), self.census.failed,
                                   self.census.duplicates, self.resumed))

    def _vectors(self, rows: list[Prepared]) -> np.ndarray:
        computed = self.embedder.take()
        size = size_features(rows, self.recipe)
        known = np.array([image.sha256 in self.known for image in rows], bool)
        vectors = np.empty((len(rows), computed.shape[1] + size.shape[1]), np.float32)
        vectors[~known] = np.concatenate([computed, size[~known]], axis=1)
        if known.any():
            vectors[known] = self.known.take([i.sha256 for i in rows if i.sha256 in self.known])
        self.reused += int(known.sum())
        return vectors

    def _without_failures(self, block: Sorted, vectors: np.ndarray) -> np.ndarray:
        """Vectors of finite numbers; images of which others came are failures, as are copies."""
        finite = check_finite(vectors)
        if finite.all():
            return vectors
        bad = {image.sha256 for image, good in zip(block.new, finite, strict=True) if not good}
        failed = [image for image in (*block.new, *block.again) if image.sha256 in bad]
        for image in failed:
            image.failure = ImageFailure("embed", NOT_FINITE)
        self.census.withdraw(bad, len(failed))
        block.failed = sorted([*block.failed, *failed], key=lambda image: image.position)
        block.new = [image for image in block.new if image.sha256 not in bad]
        block.again = [image for image in block.again if image.sha256 not in bad]
        kept: np.ndarray = vectors[finite]
        return kept

    def _image_columns(self, rows: list[Prepared]) -> dict[str, Any]:
        return {**self._catalog_columns(rows, COLUMNS),
                **{name: [i.measures[name] for i in rows] for name in self.measured},
                "sha256": [i.sha256.hex() for i in rows], "width": [i.width for i in rows],
                "height": [i.height for i in rows], "position": [i.position for i in rows],
                "full_scale": [i.full_scale for i in rows], "contrast": [i.contrast for i in rows],
                "several_pages": [i.several for i in rows]}

    def _failure_columns(self, failed: list[Prepared]) -> dict[str, Any]:
        reasons = [i.failure for i in failed if i.failure is not None]
        return {**self._catalog_columns(failed, ("path", "label")),
                "stage": [f.stage for f in reasons], "reason": [f.reason for f in reasons],
                "position": [i.position for i in failed]}

    def _duplicate_columns(self, again: list[Prepared]) -> dict[str, Any]:
        return {**self._catalog_columns(again, COLUMNS),
                "row": [self.census.rows[i.sha256] for i in again],
                "position": [i.position for i in again]}

    def _catalog_columns(self, images: list[Prepared],
                         names: Sequence[str]) -> dict[str, Any]:
        places = [image.position for image in images]
        known = {name: [getattr(self.catalog, name)[i] for i in places] for name in names}
        return {**known, **dict(self.catalog.columns.iloc[places].items())}
