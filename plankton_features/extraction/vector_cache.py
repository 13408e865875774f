"""Vectors of paths, kept in a feature file between runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock

from plankton_features.embedding import Engine
from plankton_features.errors import ImageFailure, InputError
from plankton_features.extraction.pipeline import extract
from plankton_features.extraction.session import Session
from plankton_features.images import Catalog, read_bytes
from plankton_features.store import read_features


class VectorCache:
    """A feature file that grows by the images asked for.

    Pictures are recognised by their content: what is in it is never computed again. Processes
    that share it take turns.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process uses the file, and keep them waiting."""
        with FileLock(f"{self.path}.turn"):
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
                self._extend(catalog, session, engine)
                rows = self._rows()
            self._refuse_missing(catalog, digests, rows)
            return read_features(self.path).take([rows[d] for d in digests])

    def _rows(self) -> dict[bytes, int]:
        if not self.path.exists():
            return {}
        return {digest: row for row, digest in enumerate(read_features(self.path).digests())}

    def _extend(self, catalog: Catalog, session: Session, engine: Engine) -> None:
        asked = set(catalog.path)
        self._refuse_other_files()
        old = read_features(self.path).paths.tolist() if self.path.exists() else []
        kept = [path for path in old if path not in asked and Path(path).exists()]
        both = Catalog.from_paths([*kept, *_once(catalog)], root="/")
        extract(both, session.recipe, engine, self.path, update=True, overwrite=True,
                weights_source=session.weights_source, notes={_MARK: "yes"})

    def _refuse_other_files(self) -> None:
        if self.path.exists() and _MARK not in read_features(self.path).attributes:
            raise InputError(f"{self.path}: a feature file that is not a cache; its labels and "
                             "groups would be lost. Give the cache a name of its own.")

    def _refuse_missing(self, catalog: Catalog, digests: list[bytes],
                        rows: dict[bytes, int]) -> None:
        missing = [p for p, d in zip(catalog.path, digests, strict=True) if d not in rows]
        if missing:
            raise InputError(f"{len(missing)} images cannot be used, the first is {missing[0]}. "
                             f"Leave them out; their reasons are in {self.path}, table failures.")


_MARK = "image_embedder_cache"


def _once(catalog: Catalog) -> list[str]:
    """The catalog's paths, each once, in order."""
    return list(dict.fromkeys(catalog.path))


def _digest(catalog: Catalog, position: int) -> bytes:
    try:
        return hashlib.sha256(read_bytes(catalog.file(position))).digest()
    except ImageFailure as failure:
        raise InputError(f"{catalog.path[position]}: {failure}. Leave it out.") from failure
