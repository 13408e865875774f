"""Look at a folder before extracting: what is there, and how long will it take?"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from plankton_features.embedding import Engine, Recipe
from plankton_features.extraction.drift import sample_positions
from plankton_features.extraction.remarks import Remarks, remarks_of
from plankton_features.images import Catalog, Census, Prepared, Preparer
from plankton_features.progress import Progress, ProgressCallback, ignore

LARGEST_SAMPLE = 20_000
_DARK, _BRIGHT = 64, 192


@dataclass(frozen=True)
class Survey:
    """What a dry run found.

    Attributes
    ----------
    n_images : int
        In the catalog.
    n_read : int
        Of these, how many were read: all, or an even sample of the largest catalogs.
    classes : Series of int
        Images in each class, largest first; the empty name stands for unlabelled.
    width, height : ndarray of shape (5,)
        Least, 25 %, median, 75 %, most, in pixels.
    grounds : dict of str to int
        Pictures on white, grey and black ground, by the median of their border.
    duplicates : int
        Files read whose content is that of a file before.
    conflicts : int
        Of these, how many have another label.
    failures : DataFrame
        With columns path, stage, reason.
    remarks : Remarks
        What is odd about pictures that can be used.
    seconds : float
        Estimated time for the whole catalog, in seconds.
    """

    n_images: int
    n_read: int
    classes: pd.Series
    width: np.ndarray
    height: np.ndarray
    grounds: dict[str, int]
    duplicates: int
    conflicts: int
    failures: pd.DataFrame
    remarks: Remarks
    seconds: float


def survey(catalog: Catalog, recipe: Recipe, engine: Engine, *, threads: int = 2,
           progress: ProgressCallback = ignore) -> Survey:
    """Read the images, without embedding or writing anything.

    Parameters
    ----------
    catalog : Catalog
    recipe : Recipe
    engine : Engine
        Timed on two batches, for the estimate.
    threads : int, default=2
    progress : callable of Progress

    Returns
    -------
    Survey
    """
    started = time.perf_counter()
    positions = sample_positions(len(catalog), LARGEST_SAMPLE)
    seen = _Seen(catalog)
    preparer = Preparer(catalog, recipe.framing_options, threads)
    for n, image in enumerate(preparer.iterate(positions.tolist()), start=1):
        seen.add(image)
        progress(Progress(n, len(positions), seen.census.failed, seen.census.duplicates))
    preparing = time.perf_counter() - started
    embedding = time_per_batch(engine, recipe.canvas) * len(seen.sizes) / engine.batch
    return Survey(
        n_images=len(catalog), n_read=len(positions),
        classes=pd.Series(catalog.label, dtype=object).value_counts(),
        width=_five(seen.sizes, 0), height=_five(seen.sizes, 1), grounds=dict(seen.grounds),
        duplicates=seen.census.duplicates, conflicts=len(seen.census.conflicts),
        failures=_failure_table(catalog, seen.failed), remarks=seen.remarks(),
        seconds=max(preparing, embedding) * len(catalog) / max(1, len(positions)),
    )


class _Seen:
    """What has been found so far."""

    def __init__(self, catalog: Catalog):
        self.census = Census(catalog.label)
        self.sizes: list[tuple[int, int]] = []
        self.grounds: Counter[str] = Counter()
        self.failed: list[Prepared] = []
        self.pictures: list[tuple[float, int, bool]] = []

    def add(self, image: Prepared) -> None:
        sort = self.census.sort(image)
        if sort == "failed":
            self.failed.append(image)
        elif sort == "new" and image.canvas is not None:
            self.sizes.append((image.width, image.height))
            self.pictures.append((image.full_scale, image.contrast, image.several))
            self.grounds[ground_of(image.canvas)] += 1

    def remarks(self) -> Remarks:
        columns = ["full_scale", "contrast", "several_pages"]
        return remarks_of(pd.DataFrame(self.pictures, columns=columns))


def ground_of(canvas: np.ndarray) -> str:
    """Whether a framed vignette lies on a white, grey or black ground."""
    edge = np.median([canvas[0], canvas[-1], canvas[:, 0], canvas[:, -1]])
    return "black" if edge < _DARK else "white" if edge >= _BRIGHT else "grey"


def time_per_batch(engine: Engine, canvas: int) -> float:
    """Seconds for one batch, the faster of two."""
    batch = np.zeros((engine.batch, canvas, canvas, 3), np.uint8)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        engine.submit(batch)()
        times.append(time.perf_counter() - started)
    return min(times)


def _five(sizes: list[tuple[int, int]], side: int) -> np.ndarray:
    if not sizes:
        return np.zeros(5)
    return np.percentile([s[side] for s in sizes], [0, 25, 50, 75, 100])


def _failure_table(catalog: Catalog, failed: list[Prepared]) -> pd.DataFrame:
    rows = [(catalog.path[i.position], i.failure.stage, i.failure.reason)
            for i in failed if i.failure is not None]
    return pd.DataFrame(rows, columns=["path", "stage", "reason"])
