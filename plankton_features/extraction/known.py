"""Vectors of an earlier file, taken over when it is updated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from plankton_features.embedding import Engine, Recipe
from plankton_features.errors import check_same
from plankton_features.store import FeatureFile, read_features


class KnownVectors:
    """Vectors by the content of their images. They stay on the disk until asked for.

    Parameters
    ----------
    file : FeatureFile or None
        None if nothing is known.
    """

    def __init__(self, file: FeatureFile | None = None):
        self._file = file
        self._rows = {d: row for row, d in enumerate(file.digests())} if file else {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._rows

    def take(self, digests: Sequence[bytes]) -> np.ndarray:
        """Vectors of known images, (n, n_values) float32."""
        if self._file is None:
            raise KeyError("nothing is known")
        return self._file.take([self._rows[d] for d in digests])


def known_vectors(output: Path, recipe: Recipe, engine: Engine) -> KnownVectors:
    """What the file to update holds; nothing if there is none.

    Raises
    ------
    MismatchError
        If it was made with another recipe, engine or precision.
    StoreError
        If it cannot be read.
    """
    if not output.exists():
        return KnownVectors()
    file = read_features(output)
    asked = {"recipe": recipe.to_json(), "engine": engine.name, "precision": engine.precision}
    check_same(file.attributes, asked, f"{output}: cannot be updated, it was made differently",
               "Use the same options as before, or --overwrite.")
    return KnownVectors(file)
