"""A scikit-learn transformer from images to vectors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from plankton_features.embedding import EngineOptions
from plankton_features.embedding.presets import DEFAULT_PRESET
from plankton_features.errors import ImageFailure, InputError
from plankton_features.extraction.embedding_loop import BatchEmbedder
from plankton_features.extraction.pipeline import extract, size_features, vector_parts
from plankton_features.extraction.preparing import Prepared, Preparer
from plankton_features.extraction.session import open_session
from plankton_features.images import Catalog, frame, read_bytes
from plankton_features.store import read_features
from plankton_features.store.reader import expand_names


class ImageEmbedder(TransformerMixin, BaseEstimator):
    """Embed images with a frozen network, in a scikit-learn pipeline.

    Nothing is loaded before `fit`, which only resolves the recipe and opens the engine; there
    is nothing to learn from the images.

    Parameters
    ----------
    preset : {"notebook", "fast", "balanced", "best"}, default="balanced"
    weights : str, default="imagenet"
        ``imagenet``, ``random``, ``random:SEED`` or a file.
    engine : {"auto", "tensorflow", "openvino"}, default="auto"
    batch, threads : int, optional
        See `EngineOptions`.
    cache : path-like, optional
        Feature file in which vectors of paths are kept. Pictures are recognised by their
        content, so what is in it is never computed again.
    backbone, layers, pooling, spp_levels, gem_power, views, framing, canvas, background, \
crop_bottom, interpolation, precision, size_features : optional
        Fields of `Recipe` that override the preset.

    Attributes
    ----------
    recipe_ : Recipe
    recipe_id_ : str
    n_values_ : int
        Length of a vector.

    Examples
    --------
    >>> import numpy as np
    >>> embedder = ImageEmbedder(backbone="pixels", canvas=32)
    >>> embedder.fit_transform(np.zeros((2, 40, 60), np.uint8)).shape
    (2, 64)
    """

    def __init__(self, preset: str = DEFAULT_PRESET, *, weights: str = "imagenet",
                 engine: str = "auto", batch: int | None = None, threads: int | None = None,
                 cache: str | os.PathLike[str] | None = None, backbone: str | None = None,
                 layers: Sequence[str] | None = None, pooling: Sequence[str] | None = None,
                 spp_levels: Sequence[int] | None = None, gem_power: float | None = None,
                 views: str | None = None, framing: str | None = None,
                 canvas: int | None = None, background: str | int | None = None,
                 crop_bottom: int | None = None, interpolation: str | None = None,
                 precision: str | None = None, size_features: bool | None = None):
        self.preset = preset
        self.weights = weights
        self.engine = engine
        self.batch = batch
        self.threads = threads
        self.cache = cache
        self.backbone = backbone
        self.layers = layers
        self.pooling = pooling
        self.spp_levels = spp_levels
        self.gem_power = gem_power
        self.views = views
        self.framing = framing
        self.canvas = canvas
        self.background = background
        self.crop_bottom = crop_bottom
        self.interpolation = interpolation
        self.precision = precision
        self.size_features = size_features

    def fit(self, X: Any = None, y: Any = None) -> ImageEmbedder:
        """Resolve the recipe and open the engine.

        Parameters
        ----------
        X, y : ignored

        Returns
        -------
        self

        Raises
        ------
        InputError, WeightsError, EngineError
            See `make_recipe` and `open_engine`.
        """
        chosen = {name: _tuple(getattr(self, name)) for name in _RECIPE_OPTIONS}
        options = EngineOptions(self.engine, self.batch, self.threads)
        cache = Path(self.cache) if self.cache is not None else None
        self._session = open_session(cache, preset=self.preset, weights=self.weights,
                                     options=options, **chosen)
        self._engine = self._session.open_engine()
        self.recipe_ = self._session.recipe
        self.recipe_id_ = self.recipe_.recipe_id
        self._parts = vector_parts(self.recipe_, self._engine)
        self.n_values_ = sum(n for _, n in self._parts)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Embed images.

        Parameters
        ----------
        X : sequence of path-like, or array of shape (n, height, width[, 3 or 4]) uint8, or \
sequence of such pictures of different sizes

        Returns
        -------
        ndarray of shape (n, n_values), float32
            Row i is image i, always.

        Raises
        ------
        InputError
            If an image cannot be used; the message names the first ones. Leave them out, or use
            `extract`, which lists them and goes on.
        """
        check_is_fitted(self, "recipe_")
        items = _items(X)
        if items and isinstance(items[0], np.ndarray):
            return self._embed([_prepare(i, a, self.recipe_) for i, a in enumerate(items)])
        catalog = Catalog.from_paths([os.path.abspath(p) for p in items], root="/")  # noqa: PTH100
        if self.cache is not None:
            return self._from_cache(catalog)
        preparer = Preparer(catalog, self.recipe_.framing_options)
        return self._embed(preparer.iterate(range(len(catalog))), catalog)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the values, such as ``mixed10_avg_0``.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (n_values,), object
        """
        check_is_fitted(self, "recipe_")
        return np.array(expand_names(self._parts), dtype=object)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the engine out: it is opened again where the estimator is unpickled."""
        state = dict(super().__getstate__())
        return {k: v for k, v in state.items() if k != "_engine"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_session" in state:
            self._engine = self._session.open_engine()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.requires_fit = True
        tags.no_validation = True
        return tags

    def _embed(self, images: Any, catalog: Catalog | None = None) -> np.ndarray:
        embedder = BatchEmbedder(self._engine, self.recipe_.canvas)
        done: list[Prepared] = []
        for image in images:
            if image.canvas is not None:
                embedder.add(image.canvas)
                image.canvas = None
            done.append(image)
        _refuse_failures(done, catalog)
        return np.concatenate([embedder.take(), size_features(done, self.recipe_)], axis=1)

    def _from_cache(self, catalog: Catalog) -> np.ndarray:
        digests = [_digest(catalog, i) for i in range(len(catalog))]
        cache = Path(self.cache)  # type: ignore[arg-type]
        rows = _rows_by_digest(cache)
        if not set(digests) <= set(rows):
            self._extend_cache(cache, catalog)
            rows = _rows_by_digest(cache)
        if missing := [p for p, d in zip(catalog.path, digests, strict=True) if d not in rows]:
            raise InputError(f"{len(missing)} images cannot be used, the first is {missing[0]}. "
                             f"Leave them out; their reasons are in {cache}, table failures.")
        return read_features(cache).X[[rows[d] for d in digests]]

    def _extend_cache(self, cache: Path, catalog: Catalog) -> None:
        old = read_features(cache).paths.tolist() if cache.exists() else []
        kept = [p for p in old if Path(p).exists() and p not in set(catalog.path)]
        both = Catalog.from_paths([*kept, *catalog.path], root="/")
        extract(both, self.recipe_, self._engine, cache, update=True, overwrite=True,
                weights_source=self._session.weights_source)


_RECIPE_OPTIONS = ("backbone", "layers", "pooling", "spp_levels", "gem_power", "views", "framing",
                   "canvas", "background", "crop_bottom", "interpolation", "precision",
                   "size_features")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _items(X: Any) -> list[Any]:
    if isinstance(X, str | os.PathLike):
        raise InputError(f"expected a list of paths or pictures, got the single path {X!s}. "
                         "Put it in a list; for a folder use extract-features.")
    if hasattr(X, "to_numpy"):  # a Series, or a DataFrame with one column
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.dtype.kind in "OUS" and X.ndim == 2 and X.shape[1] == 1:
        X = X[:, 0]
    return list(X)


def _prepare(position: int, pixels: np.ndarray, recipe: Any) -> Prepared:
    good = pixels.dtype == np.uint8 and (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4)))
    if not good:
        raise InputError(f"picture {position}: expected uint8 of shape (height, width) or "
                         f"(height, width, 3 or 4), got {pixels.dtype} of shape {pixels.shape}.")
    height, width = pixels.shape[:2]
    image = Prepared(position, width=width, height=height)
    try:
        image.canvas = frame(pixels, recipe.framing_options)
    except ImageFailure as failure:
        image.failure = failure
    return image


def _refuse_failures(images: list[Prepared], catalog: Catalog | None) -> None:
    failed = [i for i in images if i.failure is not None]
    if failed:
        names = [catalog.path[i.position] if catalog else f"picture {i.position}" for i in failed]
        shown = "\n".join(f"  {n}: {i.failure}" for n, i in zip(names[:5], failed, strict=False))
        raise InputError(f"{len(failed)} of {len(images)} images cannot be used:\n{shown}\n"
                         "Leave them out, or use extract-features, which lists them and goes on.")


def _digest(catalog: Catalog, position: int) -> str:
    try:
        return hashlib.sha256(read_bytes(catalog.file(position))).hexdigest()
    except ImageFailure as failure:
        raise InputError(f"{catalog.path[position]}: {failure}. Leave it out.") from failure


def _rows_by_digest(cache: Path) -> dict[str, int]:
    if not cache.exists():
        return {}
    return {digest: row for row, digest in enumerate(read_features(cache).images["sha256"])}
