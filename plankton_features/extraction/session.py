"""Decide what a run will do: the recipe, the weights and the engine, new or of an existing file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plankton_features.embedding import (
    Engine,
    EngineOptions,
    Recipe,
    Weights,
    check_same_recipe,
    engine_names,
    find_weights,
    make_recipe,
    open_engine,
    resolve_weights,
)
from plankton_features.embedding.presets import DEFAULT_PRESET, assemble, chosen_options
from plankton_features.errors import WeightsError
from plankton_features.extraction.measures import ATTRIBUTE
from plankton_features.extraction.pipeline import ExtractionReport, extract
from plankton_features.images import Catalog
from plankton_features.images.catalog import check_catalog
from plankton_features.store import partial_attributes, read_features


@dataclass(frozen=True)
class Session:
    """What a run will do.

    Attributes
    ----------
    recipe : Recipe
    weights : Weights or None
        None if an existing file's weights were not found; its converted network may still be
        in the cache.
    fallback : str
        Why the default backbone is not InceptionV3, in one line; empty if it is, or if a
        backbone was asked for by name.
    options : EngineOptions
    morphometry : {"", "plain", "feret"}
        What is measured besides, see `extract`.
    """

    recipe: Recipe
    weights: Weights | None
    fallback: str
    options: EngineOptions
    morphometry: str = ""

    @property
    def weights_source(self) -> str:
        """Where the weights come from, for people."""
        return self.weights.source if self.weights else self.recipe.weights

    def open_engine(self) -> Engine:
        """Make the engine ready; see `embedding.open_engine`."""
        return open_engine(self.recipe, self.weights, self.options)

    def extract(self, catalog: Catalog, output: str | os.PathLike[str], *,
                engine: Engine | None = None, notes: dict[str, str] | None = None,
                **how: Any) -> ExtractionReport:
        """Embed the images of a catalog into a feature file, which names weights and images.

        Parameters
        ----------
        catalog : Catalog
        output : path-like
        engine : Engine, optional
            If it is open already.
        notes : dict of str to str, optional
            Further root attributes.
        **how
            ``overwrite``, ``update``, ``drop``, ``threads`` and ``progress`` of `extract`.

        Returns
        -------
        ExtractionReport

        Raises
        ------
        InputError, StoreError, MismatchError, EngineError
            See `extract` and `embedding.open_engine`.
        """
        check_catalog(catalog)  # before the engine takes its time
        images = {"images": str(catalog.root.resolve())} if catalog.root else {}
        return extract(catalog, self.recipe, engine or self.open_engine(), output,
                       weights_source=self.weights_source, notes={**images, **(notes or {})},
                       morphometry=self.morphometry, **how)


def open_session(output: str | os.PathLike[str] | None = None, *, preset: str | None = None,
                 weights: str | None = None, options: EngineOptions | None = None,
                 morphometry: str | None = None,
                 on_download: Callable[[int, int], None] | None = None,
                 **recipe_options: Any) -> Session:
    """Resolve presets, options and weights; an existing file's own recipe comes first.

    Parameters
    ----------
    output : path-like, optional
        Feature file that may exist, finished or not. What was resolved for it (the ``auto``
        backbone, the engine, the batch) is kept.
    preset : str, optional
        See `make_recipe`; by default the file's own recipe, or else ``balanced``.
    weights : str, optional
        See `make_recipe`; by default the file's, or else ``imagenet``.
    options : EngineOptions, optional
    morphometry : {"", "plain", "feret"}, optional
        What to measure of each picture, see `extract`; by default what the file has, or nothing.
    on_download : callable of (bytes done, bytes in all), optional
    **recipe_options
        See `make_recipe`. Of a file that is there, what is not given is not compared.

    Returns
    -------
    Session

    Raises
    ------
    MismatchError
        If the file was made with another recipe than asked for.
    StoreError
        If the file cannot be continued, or another process is writing it.
    InputError, WeightsError
        See `make_recipe`.
    """
    options = options or EngineOptions()
    existing = existing_attributes(Path(output)) if output else None
    if existing is None:
        recipe, found, fallback = make_recipe(preset or DEFAULT_PRESET,
                                              weights=weights or "imagenet",
                                              on_download=on_download, **recipe_options)
        return Session(recipe, found, fallback, options, morphometry or "")
    recipe = Recipe.from_json(str(existing["recipe"]))
    chosen, spec = chosen_options(preset or DEFAULT_PRESET, weights or "imagenet", recipe_options)
    given = weights if spec == "imagenet" else spec
    asked = _asked_recipe(recipe, str(existing["weights_source"]), chosen, given)
    names = {name for name, value in recipe_options.items() if value is not None}
    if given is not None:
        names.add("weights")
    check_same_recipe(recipe, asked, f"{output}", names if preset is None else None)
    session = continue_session(existing, options, spec)
    return session if morphometry is None else replace(session, morphometry=morphometry)


def continue_session(attributes: dict[str, object], options: EngineOptions | None = None,
                     weights: str = "imagenet") -> Session:
    """The session of an existing file: its recipe, its engine, its batch.

    Parameters
    ----------
    attributes : dict
        Root attributes of the file.
    options : EngineOptions, optional
        What is given here is kept; what is ``auto`` or None is taken from the file.
    weights : str, default="imagenet"
        A file with the weights, if they are not in the usual place.

    Returns
    -------
    Session

    Raises
    ------
    WeightsError
        If the given file is not the one the features were made with.
    """
    options = options or EngineOptions()
    recipe = Recipe.from_json(str(attributes["recipe"]))
    found = _weights_of(recipe, weights)
    engine = str(attributes["engine"])
    if options.engine == "auto" and engine in engine_names():
        options = replace(options, engine=engine)
    if options.batch is None and str(attributes.get("batch", "")).isdecimal():
        options = replace(options, batch=int(str(attributes["batch"])))
    return Session(recipe, found, "", options, str(attributes.get(ATTRIBUTE, "")))


def existing_attributes(output: Path) -> dict[str, object] | None:
    """Root attributes of an unfinished or finished file of that name, None if there is none.

    Raises
    ------
    StoreError
        If something else is there, or another process is writing it.
    """
    attributes = partial_attributes(output)
    if attributes is None and output.is_file():
        attributes = read_features(output).attributes
    return attributes


def _asked_recipe(found: Recipe, source: str, options: dict[str, Any],
                  weights: str | None) -> Recipe:
    """The recipe asked for, with the file's own backbone and weights where they are open."""
    chosen = dict(options)
    backbone = chosen.pop("backbone")
    if backbone == "auto":
        backbone = found.backbone
    imagenet = weights == "imagenet" and source.startswith("ImageNet")
    if backbone == found.backbone and (weights is None or imagenet):
        return assemble(backbone, found.weights, chosen)
    return assemble(backbone, resolve_weights(backbone, weights or "imagenet").identity, chosen)


def _weights_of(recipe: Recipe, spec: str) -> Weights | None:
    if spec == "imagenet":
        return find_weights(recipe.backbone, recipe.weights)
    found = resolve_weights(recipe.backbone, spec)
    if found.identity != recipe.weights:
        raise WeightsError(f"{spec}: holds other weights than these features were made with. "
                           f"Expected {recipe.weights}, got {found.identity}.")
    return found
