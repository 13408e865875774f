"""A scikit-learn transformer from images to vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from plankton_features.embedding import Engine, EngineOptions
from plankton_features.errors import ImageFailure
from plankton_features.extraction.embedding_loop import BatchEmbedder
from plankton_features.extraction.inputs import (
    images_or_paths,
    refuse_failures,
    refuse_no_images,
)
from plankton_features.extraction.layout import size_features, vector_parts
from plankton_features.extraction.run import NOT_FINITE
from plankton_features.extraction.session import open_session
from plankton_features.extraction.vector_cache import VectorCache
from plankton_features.images import Catalog, Prepared, Preparer
from plankton_features.store.attributes import expand_names
from plankton_features.store.checking import check_finite


class ImageEmbedder(TransformerMixin, BaseEstimator):
    """Embed images with a frozen network, in a scikit-learn pipeline.

    Nothing is loaded before `fit`, which only resolves the recipe and opens the engine; there
    is nothing to learn from the images.

    Parameters
    ----------
    preset : {"notebook", "fast", "balanced", "best"}, optional
        By default the recipe of a `cache` that is there, or else ``balanced``.
    weights : str, optional
        ``imagenet``, ``random``, ``random:SEED`` or a file; by default the cache's, or else
        ``imagenet``.
    engine : {"auto", "tensorflow", "openvino"}, default="auto"
    batch, threads : int, optional
        See `EngineOptions`.
    cache : path-like, optional
        Feature file in which vectors of paths are kept. Pictures are recognised by their
        content, so what is in it is never computed again.
    backbone, layers, pooling, spp_levels, gem_power, views, framing, canvas, background, \
crop_bottom, interpolation, precision, size_features, depth : optional
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

    def __init__(self, preset: str | None = None, *, weights: str | None = None,
                 engine: str = "auto", batch: int | None = None, threads: int | None = None,
                 cache: str | os.PathLike[str] | None = None, backbone: str | None = None,
                 layers: Sequence[str] | None = None, pooling: Sequence[str] | None = None,
                 spp_levels: Sequence[int] | None = None, gem_power: float | None = None,
                 views: str | None = None, framing: str | None = None,
                 canvas: int | None = None, background: str | int | None = None,
                 crop_bottom: int | None = None, interpolation: str | None = None,
                 precision: str | None = None, size_features: bool | None = None,
                 depth: str | None = None):
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
        self.depth = depth

    def fit(self, X: Any = None, y: Any = None) -> ImageEmbedder:
        """Resolve the recipe and open the engine.

        Parameters
        ----------
        X : sequence of images, optional
            Only looked at for whether there are any.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        InputError, WeightsError, EngineError
            If `X` is empty; see `make_recipe` and `open_engine`.
        """
        refuse_no_images(X)
        chosen = {name: _tuple(getattr(self, name)) for name in _RECIPE_OPTIONS}
        options = EngineOptions(self.engine, self.batch, self.threads)
        path = Path(os.path.abspath(self.cache)) if self.cache is not None else None  # noqa: PTH100
        self._cache = VectorCache(path) if path is not None else None
        with self._cache.alone() if self._cache else nullcontext():
            self._session = open_session(path, preset=self.preset, weights=self.weights,
                                         options=options, **chosen)
        self._engine: Engine | None = None
        self.recipe_ = self._session.recipe
        self.recipe_id_ = self.recipe_.recipe_id
        self._parts = vector_parts(self.recipe_, self._opened_engine())
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
            If there are none, or one cannot be used; the message names the first ones. Leave them
            out, or use `extract`, which lists them and goes on.
        """
        check_is_fitted(self, "recipe_")
        items = images_or_paths(X)
        if items and isinstance(items[0], np.ndarray):
            return self._embed(Catalog.from_arrays(items))
        catalog = Catalog.from_paths([os.path.abspath(p) for p in items], root="/")  # noqa: PTH100
        if self._cache is not None:
            return self._cache.vectors(catalog, self._session, self._opened_engine())
        return self._embed(catalog)

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
        """Leave the engine out: it is opened again where it is needed."""
        state = dict(super().__getstate__())
        return {**state, "_engine": None} if "_engine" in state else state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.requires_fit = True
        tags.no_validation = True
        return tags

    def _opened_engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._session.open_engine()
        return self._engine

    def _embed(self, catalog: Catalog) -> np.ndarray:
        embedder = BatchEmbedder(self._opened_engine(), self.recipe_.canvas)
        done: list[Prepared] = []
        preparer = Preparer(catalog, self.recipe_.framing_options)
        for image in preparer.iterate(range(len(catalog))):
            if image.canvas is not None:
                embedder.add(image.canvas)
                image.canvas = None
            done.append(image)
        vectors = embedder.take()
        embedded = [image for image in done if image.failure is None]
        for image, finite in zip(embedded, check_finite(vectors), strict=True):
            if not finite:
                image.failure = ImageFailure("embed", NOT_FINITE)
        refuse_failures(done, catalog)
        return np.concatenate([vectors, size_features(done, self.recipe_)], axis=1)


_RECIPE_OPTIONS = ("backbone", "layers", "pooling", "spp_levels", "gem_power", "views", "framing",
                   "canvas", "background", "crop_bottom", "interpolation", "precision",
                   "size_features", "depth")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
