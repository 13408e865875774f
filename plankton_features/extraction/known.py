"""Vectors of earlier files, taken over when one is updated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from plankton_features.embedding import Engine, Recipe
from plankton_features.errors import check_same
from plankton_features.store import FeatureFile, read_features
from plankton_features.store.aside import files_aside


class KnownVectors:
    """Vectors by the content of their images. They stay on the disk until asked for.

    Parameters
    ----------
    files : sequence of FeatureFile
        Of one recipe, engine and precision.
    """

    def __init__(self, files: Sequence[FeatureFile] = ()):
        self._files = files
        self._rows = {digest: (number, row) for number, file in enumerate(files)
                      for row, digest in enumerate(file.digests())}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._rows

    def take(self, digests: Sequence[bytes]) -> np.ndarray:
        """Vectors of known images, (n, n_values) float32; n is 1 or more."""
        places = np.array([self._rows[digest] for digest in digests])
        taken = np.empty((len(places), self._files[0].shape[1]), np.float32)
        for number, file in enumerate(self._files):
            here = places[:, 0] == number
            if here.any():
                taken[here] = file.take(places[here, 1])
        return taken


def known_vectors(output: Path, recipe: Recipe, engine: Engine) -> KnownVectors:
    """What the file to update holds, and what was begun of it; nothing if there is none.

    Raises
    ------
    MismatchError
        If it was made with another recipe, engine or precision.
    StoreError
        If it cannot be read.
    """
    paths = [path for path in (output, *files_aside(output)) if path.exists()]
    files = [read_features(path) for path in paths]
    for file in files:
        check_updatable(file, recipe, engine)
    return KnownVectors(files)


def check_updatable(file: FeatureFile, recipe: Recipe, engine: Engine) -> None:
    """Refuse to take over vectors that were made otherwise.

    Raises
    ------
    MismatchError
    """
    asked = {"recipe": recipe.to_json(), "engine": engine.name, "precision": engine.precision}
    check_same(file.attributes, asked, f"{file.path}: cannot be updated, it was made differently",
               "Use the same options as before, or --overwrite.")
