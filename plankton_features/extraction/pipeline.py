"""Extract: catalog and recipe to feature file, resumable at any moment."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from plankton_features.embedding import Engine, Recipe
from plankton_features.extraction.before import (
    dropped_rows,
    file_to_keep,
    refuse_losses,
    refuse_nothing,
    settle_begun,
)
from plankton_features.extraction.known import KnownVectors, known_vectors
from plankton_features.extraction.layout import catalog_notes, file_header, file_notes, file_plan
from plankton_features.extraction.run import Run
from plankton_features.files.targets import check_target
from plankton_features.images import Catalog
from plankton_features.images.catalog import check_catalog
from plankton_features.progress import ProgressCallback, ignore
from plankton_features.store import FeatureFile, FeatureStore, read_features
from plankton_features.store.aside import forget_aside


@dataclass(frozen=True)
class ExtractionReport:
    """What a run did.

    Attributes
    ----------
    found, written, duplicates, failed : int
        Images; found = written + duplicates + failed.
    conflicts : int
        Duplicates under another label than the first path of the same picture.
    resumed : int
        Images that an earlier run had dealt with.
    dropped : int
        Vectors of the file that was updated whose pictures are no longer there.
    reused : int
        Vectors taken over from the file that was updated.
    seconds : float
        Wall time of the run.
    shares : dict of str to float
        Where it went: read, frame, compute, write, other; fractions that sum to 1. Reading and
        framing count only while the network waits for them.
    engine, precision, device : str
        As really used.
    """

    found: int
    written: int
    duplicates: int
    failed: int
    conflicts: int
    resumed: int = 0
    reused: int = 0
    dropped: int = 0
    seconds: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    engine: str = ""
    precision: str = ""
    device: str = ""


def extract(catalog: Catalog, recipe: Recipe, engine: Engine, output: str | os.PathLike[str], *,
            weights_source: str = "", notes: dict[str, str] | None = None,
            morphometry: str = "", overwrite: bool = False, update: bool = False,
            drop: bool = False, threads: int = 2,
            progress: ProgressCallback = ignore) -> ExtractionReport:
    """Embed the images of a catalog into a feature file.

    Each picture is embedded once: further files with exactly the same content (SHA-256) become
    rows of ``duplicates``. Files that cannot be used become rows of ``failures``. An unfinished
    file of the same recipe, catalog, engine and batch is continued.

    Parameters
    ----------
    catalog : Catalog
    recipe : Recipe
    engine : Engine
        See `open_engine`.
    output : path-like
    weights_source : str
        Where the weights came from, for people.
    notes : dict of str to str, optional
        Further root attributes.
    morphometry : {"", "plain", "feret"}, default=""
        Measure each picture's object too, with Feret diameters or without: columns of `images`,
        see `morphometry.measure`. In µm too if the catalog has a column ``pixel_size``.
    overwrite : bool, default=False
        Begin anew.
    update : bool, default=False
        Take over the vectors that `output` already has for files of the same content, and those
        of an unfinished file of other images.
    drop : bool, default=False
        Let any number of the vectors that `output` has leave it.
    threads : int, default=2
        Threads that read and frame.
    progress : callable of Progress

    Returns
    -------
    ExtractionReport

    Raises
    ------
    InputError
        If `catalog` is not a Catalog; or if, without `drop` and `overwrite`, more than a tenth of
        the vectors that `output` has would leave it, or any because images cannot be used.
    StoreError, MismatchError
        See `FeatureStore`.
    OtherPicturesError
        If an unfinished file was begun with other pictures of the same names.
    """
    check_catalog(catalog)
    started, output = time.perf_counter(), Path(output)
    check_target(output)
    now = catalog_notes(catalog)
    if not overwrite:
        settle_begun(output, catalog, update, threads)
    known = known_vectors(output, recipe, engine) if update else KnownVectors()
    before = None if overwrite else file_to_keep(output, recipe)
    plan = file_plan(catalog, recipe, engine, morphometry)
    header = file_header(catalog, recipe, engine, morphometry)
    all_notes = {**file_notes(recipe, engine, weights_source), **now, **(notes or {})}
    with FeatureStore(output, plan, header, notes=all_notes, overwrite=overwrite) as store:
        run = Run(catalog, recipe, engine, store, known, threads, progress, morphometry)
        run.until_done(plan.block_rows)
        dropped = dropped_rows(before, store) if before else 0
        if not drop:
            refuse_losses(before, store, catalog) if before else refuse_nothing(output, store)
        store.finish({"n_found": len(catalog), **now})
    forget_aside(output)
    return report_of(read_features(output), resumed=run.resumed, reused=run.reused,
                     dropped=dropped, shares=run.shares(),
                     seconds=time.perf_counter() - started)


def report_of(file: FeatureFile, **run: object) -> ExtractionReport:
    """The report of a finished file, with what is known of the run.

    Parameters
    ----------
    file : FeatureFile
    **run
        Fields of `ExtractionReport` that the file does not know.

    Returns
    -------
    ExtractionReport
    """
    return ExtractionReport(
        found=int(str(file.attributes["n_found"])), written=file.count("images"),
        duplicates=file.count("duplicates"), failed=file.count("failures"),
        conflicts=file.count_conflicts(), engine=str(file.attributes["engine"]),
        precision=str(file.attributes["precision"]),
        device=str(file.attributes.get("device", "")),
        **run,  # type: ignore[arg-type]
    )
