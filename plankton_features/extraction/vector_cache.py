"""Vectors of paths, kept in a feature file between runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from plankton_features.embedding import Engine, Recipe
from plankton_features.errors import ImageFailure, InputError, counted
from plankton_features.extraction.known import KnownVectors, check_updatable
from plankton_features.extraction.layout import file_header, file_notes, file_plan
from plankton_features.extraction.run import Run
from plankton_features.extraction.session import Session
from plankton_features.files.locking import WriteLock
from plankton_features.images import Catalog
from plankton_features.progress import ignore
from plankton_features.store import Block, FeatureFile, FeatureStore, read_features


class VectorCache:
    """A feature file that grows by the images asked for.

    Pictures are recognised by their content: what is in it is never computed again, and stays
    when its file is gone. Processes that share it take turns.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process uses the file, and keep them waiting."""
        with WriteLock(self.path.with_name(f"{self.path.name}.turn"), wait=True):
            yield

    def vectors(self, catalog: Catalog, session: Session, engine: Engine) -> np.ndarray:
        """Vectors of all images of the catalog, in its order.

        Parameters
        ----------
        catalog : Catalog
            Of absolute paths.
        session : Session
        engine : Engine

        Returns
        -------
        ndarray of shape (n, n_values), float32

        Raises
        ------
        InputError
            If an image cannot be used.
        StoreError, MismatchError
            See `extract`.
        """
        digests = [_digest(catalog, i) for i in range(len(catalog))]
        with self.alone():
            rows = self._rows()
            if not rows.keys() >= set(digests):
                self._extend(_once(catalog, digests, rows), session, engine)
                rows = self._rows()
            self._refuse_missing(catalog, digests, rows)
            return read_features(self.path).take([rows[d] for d in digests])

    def _rows(self) -> dict[bytes, int]:
        if not self.path.exists():
            return {}
        return {digest: row for row, digest in enumerate(read_features(self.path).digests())}

    def _extend(self, new: list[str], session: Session, engine: Engine) -> None:
        """Write the file anew, with its rows and those of new paths."""
        old = self._own_file(session.recipe, engine)
        both = Catalog.from_paths([*(old.paths if old else ()), *new], root="/")
        recipe, plan = session.recipe, file_plan(both, session.recipe, engine)
        notes = {**file_notes(recipe, engine, session.weights_source), _MARK: "yes"}
        with FeatureStore(self.path, plan, file_header(both, recipe, engine), notes=notes,
                          overwrite=True) as store:
            if old:
                _copy(old, store)
            run = Run(both, recipe, engine, store, KnownVectors(), 2, ignore)
            run.until_done(plan.block_rows)  # goes on after the rows that are there
            store.finish({"n_found": len(both)})

    def _own_file(self, recipe: Recipe, engine: Engine) -> FeatureFile | None:
        if not self.path.exists():
            return None
        file = read_features(self.path)
        if _MARK not in file.attributes:
            raise InputError(f"{self.path}: a feature file that is not a cache; its labels and "
                             "groups would be lost. Give the cache a name of its own.")
        check_updatable(file, recipe, engine)
        return file

    def _refuse_missing(self, catalog: Catalog, digests: list[bytes],
                        rows: dict[bytes, int]) -> None:
        missing = [p for p, d in zip(catalog.path, digests, strict=True) if d not in rows]
        if missing:
            raise InputError(f"{counted(len(missing), 'image')} cannot be used, the first is "
                             f"{missing[0]}. Leave them out; their reasons are in {self.path}, "
                             "table failures.")


_MARK = "image_embedder_cache"


def _once(catalog: Catalog, digests: list[bytes], rows: dict[bytes, int]) -> list[str]:
    """Paths of pictures without a row, each once, in order."""
    return list(dict.fromkeys(path for path, digest in zip(catalog.path, digests, strict=True)
                              if digest not in rows))


def _copy(old: FeatureFile, store: FeatureStore) -> None:
    images = old.images.assign(position=np.arange(len(old)))
    start = 0
    for vectors in old.iter_blocks():
        stop = start + len(vectors)
        store.append(Block(vectors, images.iloc[start:stop].to_dict("list")))
        start = stop


def _digest(catalog: Catalog, position: int) -> bytes:
    try:
        return catalog.digest(position)
    except ImageFailure as failure:
        raise InputError(f"{catalog.where(position)}: {failure}. Leave it out.") from failure
