"""Extract: catalog and recipe to feature file, resumable at any moment."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from plankton_features.embedding import Engine, Recipe
from plankton_features.embedding.recipe import SIZE_FEATURES
from plankton_features.errors import check_same
from plankton_features.extraction.embedding_loop import BatchEmbedder
from plankton_features.extraction.preparing import Prepared, Preparer
from plankton_features.images import Catalog
from plankton_features.progress import Progress, ProgressCallback, ignore
from plankton_features.store import (
    Block,
    FeatureFile,
    FeatureStore,
    Plan,
    partial_path,
    read_features,
)
from plankton_features.store.schema import encoded_length

_PACKAGES = ("plankton_features", "numpy", "pillow", "h5py", "tensorflow", "keras", "openvino")


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
    seconds: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    engine: str = ""
    precision: str = ""
    device: str = ""


def extract(catalog: Catalog, recipe: Recipe, engine: Engine, output: Path, *,
            weights_source: str = "", notes: dict[str, str] | None = None,
            overwrite: bool = False, update: bool = False, threads: int = 2,
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
    output : Path
    weights_source : str
        Where the weights came from, for people.
    notes : dict of str to str, optional
        Further root attributes.
    overwrite : bool, default=False
        Begin anew.
    update : bool, default=False
        Take over the vectors that `output` already has for files of the same content.
    threads : int, default=2
        Threads that read and frame.
    progress : callable of Progress

    Returns
    -------
    ExtractionReport

    Raises
    ------
    StoreError, MismatchError
        See `FeatureStore`.
    """
    known = _known_vectors(output, recipe, engine) if update else {}
    plan, header = _plan(catalog, recipe, engine), file_header(catalog, recipe, engine)
    all_notes = {**_notes(recipe, engine, weights_source), **(notes or {})}
    with FeatureStore(output, plan, header, notes=all_notes, overwrite=overwrite) as store:
        run = _Run(catalog, recipe, engine, store, known, threads, progress)
        run.until_done(plan.block_rows)
        store.finish({"n_found": len(catalog)})
    return run.report(read_features(output))


def file_header(catalog: Catalog, recipe: Recipe, engine: Engine) -> dict[str, object]:
    """Root attributes that must be the same for a file to be continued."""
    return {"recipe": recipe.to_json(), **_catalog_header(catalog), "engine": engine.name,
            "precision": engine.precision, "device": engine.device, "batch": engine.batch}


def _catalog_header(catalog: Catalog) -> dict[str, object]:
    return {f"catalog_{name}": value for name, value in catalog.fingerprint().items()}


class _Run:
    """The state of one run over the catalog."""

    def __init__(self, catalog: Catalog, recipe: Recipe, engine: Engine, store: FeatureStore,
                 known: dict[str, np.ndarray], threads: int, progress: ProgressCallback):
        self.catalog, self.recipe, self.engine, self.store = catalog, recipe, engine, store
        self.known, self.progress = known, progress
        self.preparer = Preparer(catalog, recipe.framing_options, threads)
        self.embedder = BatchEmbedder(engine, recipe.canvas)
        self.rows = {digest: row for row, digest in enumerate(store.sha256())}
        self.resumed = store.n_done
        self.failed, self.duplicates = store.count("failures"), store.count("duplicates")
        self.reused = 0
        self.waited = self.wrote = 0.0
        self.started = time.perf_counter()

    def until_done(self, block_rows: int) -> None:
        """Write blocks until the catalog ends."""
        self.preparer.ahead = max(256, block_rows + block_rows // 2)
        images = self.preparer.iterate(range(self.resumed, len(self.catalog)))
        with closing(images):  # type: ignore[type-var]
            while self._one_block(images, block_rows):
                pass

    def _one_block(self, images: Iterator[Prepared], block_rows: int) -> bool:
        """Collect, embed and write up to `block_rows` rows; False at the end of the catalog."""
        rows: list[Prepared] = []
        failed: list[Prepared] = []
        again: list[Prepared] = []
        image = None
        while len(rows) < block_rows and (image := self._next(images)) is not None:
            self._sort_in(image, rows, failed, again)
            self._tell(image.position)
        vectors = self._vectors(rows)
        started = time.perf_counter()
        self.store.append(Block(vectors, self._image_columns(rows), self._failure_columns(failed),
                                self._duplicate_columns(again)))
        self.wrote += time.perf_counter() - started
        return image is not None

    def _next(self, images: Iterator[Prepared]) -> Prepared | None:
        started = time.perf_counter()
        image = next(images, None)
        self.waited += time.perf_counter() - started
        return image

    def _sort_in(self, image: Prepared, rows: list[Prepared], failed: list[Prepared],
                 again: list[Prepared]) -> None:
        if image.failure is not None:
            failed.append(image)
            self.failed += 1
        elif image.sha256 in self.rows:
            again.append(image)
            self.duplicates += 1
        else:
            self.rows[image.sha256] = self.store.n_valid + len(rows)
            rows.append(image)
            if image.sha256 not in self.known and image.canvas is not None:
                self.embedder.add(image.canvas)
        image.canvas = None

    def _tell(self, position: int) -> None:
        if position % 32 == 31 or position + 1 == len(self.catalog):
            self.progress(Progress(position + 1, len(self.catalog), self.failed, self.duplicates,
                                   self.resumed))

    def _vectors(self, rows: list[Prepared]) -> np.ndarray:
        computed = self.embedder.take()
        size = size_features(rows, self.recipe)
        fresh = [image.sha256 not in self.known for image in rows]
        vectors = np.empty((len(rows), computed.shape[1] + size.shape[1]), np.float32)
        vectors[fresh] = np.concatenate([computed, size[fresh]], axis=1)
        for row, image in enumerate(rows):
            if not fresh[row]:
                vectors[row] = self.known[image.sha256]
        self.reused += len(rows) - sum(fresh)
        return vectors

    def _image_columns(self, rows: list[Prepared]) -> dict[str, list]:
        return {**self._known_columns(rows, ("path", "label", "group", "id")),
                "sha256": [i.sha256 for i in rows], "width": [i.width for i in rows],
                "height": [i.height for i in rows], "position": [i.position for i in rows]}

    def _failure_columns(self, failed: list[Prepared]) -> dict[str, list]:
        reasons = [i.failure for i in failed if i.failure is not None]
        return {**self._known_columns(failed, ("path", "label")),
                "stage": [f.stage for f in reasons], "reason": [f.reason for f in reasons],
                "position": [i.position for i in failed]}

    def _duplicate_columns(self, again: list[Prepared]) -> dict[str, list]:
        return {**self._known_columns(again, ("path", "label", "group", "id")),
                "row": [self.rows[i.sha256] for i in again],
                "position": [i.position for i in again]}

    def _known_columns(self, images: list[Prepared], names: tuple[str, ...]) -> dict[str, list]:
        return {name: [getattr(self.catalog, name)[i.position] for i in images] for name in names}

    def report(self, file: FeatureFile) -> ExtractionReport:
        """Sum the finished run up."""
        seconds = time.perf_counter() - self.started
        return report_of(file, resumed=self.resumed, reused=self.reused, seconds=seconds,
                         shares=self._shares(seconds), device=self.engine.device)

    def _shares(self, seconds: float) -> dict[str, float]:
        spent = self.preparer.spent
        reading = spent.read / max(spent.read + spent.frame, 1e-9)
        parts = {"read": self.waited * reading, "frame": self.waited * (1 - reading),
                 "compute": self.embedder.seconds, "write": self.wrote}
        return {**{k: v / seconds for k, v in parts.items()},
                "other": max(0.0, 1 - sum(parts.values()) / seconds)}


def is_finished(output: Path, catalog: Catalog) -> bool:
    """Whether `output` is a finished file of exactly this catalog.

    Raises
    ------
    MismatchError
        If it is finished, but of another catalog; the message shows the differing columns.
    """
    if not output.exists() or partial_path(output).exists():
        return False
    check_same(read_features(output).attributes, _catalog_header(catalog),
               f"{output}: was made from other images, or they have changed since",
               "Use --update to take over the vectors of unchanged images, --overwrite, or another "
               "file name.")
    return True


def report_of(file: FeatureFile, **run: object) -> ExtractionReport:
    """The report of a finished file, with what is known of the run."""
    written, duplicates, failed = len(file), len(file.duplicates), len(file.failures)
    return ExtractionReport(
        found=int(str(file.attributes["n_found"])), written=written, duplicates=duplicates,
        failed=failed, conflicts=len(file.label_conflicts()),
        engine=str(file.attributes["engine"]), precision=str(file.attributes["precision"]),
        **run,  # type: ignore[arg-type]
    )


def _plan(catalog: Catalog, recipe: Recipe, engine: Engine) -> Plan:
    columns = ("path", "label", "group", "id")
    widths = {c: max(map(encoded_length, getattr(catalog, c)), default=1) for c in columns}
    n_values = sum(n for _, n in vector_parts(recipe, engine))
    return Plan(len(catalog), n_values, engine.batch, widths)


def vector_parts(recipe: Recipe, engine: Engine) -> list[tuple[str, int]]:
    """Name and length of the parts of a vector, size features included."""
    size = [(name, 1) for name in SIZE_FEATURES] if recipe.size_features else []
    return [*engine.blocks, *size]


def _notes(recipe: Recipe, engine: Engine, weights_source: str) -> dict[str, str]:

    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {"recipe_id": recipe.recipe_id, "weights_source": weights_source,
            "feature_blocks": json.dumps(vector_parts(recipe, engine)),
            "versions": json.dumps(versions)}


def size_features(rows: list[Prepared], recipe: Recipe) -> np.ndarray:
    """Logarithms of width, height and area, (n, 3) float32; (n, 0) if the recipe has none."""
    if not recipe.size_features:
        return np.empty((len(rows), 0), np.float32)
    width = np.array([i.width for i in rows], np.float64)
    height = np.array([i.height for i in rows], np.float64) - recipe.crop_bottom
    return np.log(np.stack([width, height, width * height], axis=1)).astype(np.float32)


def _known_vectors(output: Path, recipe: Recipe, engine: Engine) -> dict[str, np.ndarray]:
    """Vectors of the file to update, by content digest."""
    if not output.exists():
        return {}
    file = read_features(output)
    asked = {"recipe": recipe.to_json(), "engine": engine.name, "precision": engine.precision}
    check_same(file.attributes, asked, f"{output}: cannot be updated, it was made differently",
               "Use the same options as before, or --overwrite.")
    return dict(zip(file.images["sha256"], file.X, strict=True))
