"""How far narrower numbers move vectors, measured on the user's own images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from plankton_features.embedding import Engine, EngineOptions, Recipe, Weights, open_engine
from plankton_features.extraction.embedding_loop import BatchEmbedder
from plankton_features.images import Catalog, Preparer

SAMPLE = 32


@dataclass(frozen=True)
class Drift:
    """Cosine similarity of vectors in narrower numbers to those in float32.

    Attributes
    ----------
    n : int
        Images in the sample.
    mean, least : float
        Over the sample, at most 1.
    """

    n: int
    mean: float
    least: float

    def __str__(self) -> str:
        return (f"cosine similarity to float32 on {self.n} of your images: mean {self.mean:.6f}, "
                f"least {self.least:.6f}")


def measure_drift(catalog: Catalog, recipe: Recipe, engine: Engine, weights: Weights | None,
                  options: EngineOptions) -> Drift | None:
    """Embed a sample in the engine's numbers and in float32.

    Parameters
    ----------
    catalog : Catalog
    recipe : Recipe
    engine : Engine
        In the recipe's precision.
    weights : Weights or None
    options : EngineOptions

    Returns
    -------
    Drift or None
        None if none of the sampled images could be read.
    """
    exact = open_engine(replace(recipe, precision="float32"), weights, options)
    positions = sample_positions(len(catalog))
    narrow, _ = embed_sample(catalog, recipe, engine, positions)
    wide, readable = embed_sample(catalog, recipe, exact, positions)
    if not readable.any():
        return None
    cosine = cosine_similarity(narrow, wide)
    return Drift(len(wide), float(cosine.mean()), float(cosine.min()))


def sample_positions(n: int, size: int = SAMPLE) -> np.ndarray:
    """Up to `size` positions, spread evenly over n."""
    return np.unique(np.linspace(0, n - 1, min(n, size)).astype(int))


def embed_sample(catalog: Catalog, recipe: Recipe, engine: Engine,
                 positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pooled vectors, without size features, of those images at `positions` that can be read.

    Returns
    -------
    vectors : ndarray of shape (n_readable, n_values), float32
    readable : ndarray of shape (n,), bool
    """
    embedder = BatchEmbedder(engine, recipe.canvas)
    readable = np.zeros(len(positions), bool)
    images = Preparer(catalog, recipe.framing_options, threads=1).iterate(positions.tolist())
    for i, image in enumerate(images):
        if image.canvas is not None:
            embedder.add(image.canvas)
            readable[i] = True
    return embedder.take(), readable


def cosine_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of the angle between rows, (n,) float64.

    1 where both rows are zero; -1 where one has values that are not finite.
    """
    finite = (np.isfinite(a) & np.isfinite(b)).all(axis=1)
    a, b = (np.where(finite[:, None], one, 0).astype(np.float64) for one in (a, b))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    same = (a == b).all(axis=1)
    cosine = np.where(same, 1.0, (a * b).sum(axis=1) / np.where(norms == 0, 1, norms))
    return np.where(finite, cosine, -1.0)
