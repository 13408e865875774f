"""Engines: what runs the network. All take a fixed batch of uint8 canvases."""

from __future__ import annotations

from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.backbones import BACKBONES, get_backbone
from plankton_features.embedding.engine_entry import (
    ENGINES,
    Engine,
    EngineEntry,
    EngineOptions,
)
from plankton_features.embedding.recipe import VIEWS, Recipe
from plankton_features.embedding.registry import Plugin, resolve
from plankton_features.embedding.weights import Weights
from plankton_features.errors import EngineError, WeightsError

VIEWS_PER_CALL = {"CPU": 16, "GPU": 256}
#: What computes for backbones that need no engine.
_WITHOUT_ENTRY = {"numpy": "NumPy"}


def engine_names() -> list[str]:
    """Names of all engines, whether or not they are installed; nothing is loaded for it.

    Returns
    -------
    list of str
    """
    return ENGINES.names()


def list_engines() -> list[EngineEntry]:
    """All engines, in the order in which ``auto`` takes them on a machine without a GPU.

    Those of other packages that cannot be loaded are left out; `plugin_problems` tells of them.

    Returns
    -------
    list of EngineEntry
    """
    return sorted(ENGINES.entries(), key=lambda entry: -entry.priority)


def get_engine(name: str) -> EngineEntry:
    """Look an engine up.

    Parameters
    ----------
    name : str

    Returns
    -------
    EngineEntry

    Raises
    ------
    InputError
        If there is none of that name.
    PluginError
        If another package offers it and does not give it.
    """
    return ENGINES.get(name)


def engine_title(name: str) -> str:
    """How an engine's name is written for people, also of one that is not known here.

    Parameters
    ----------
    name : str
        As it stands in a feature file.

    Returns
    -------
    str
    """
    entry = ENGINES.find(name)
    return entry.title if entry else _WITHOUT_ENTRY.get(name, name)


def register_engine(entry: EngineEntry) -> EngineEntry:
    """Make an engine known to this process.

    To make it known to every process, commands included, offer it by an entry point of the
    group ``plankton_features.engines`` instead.

    Parameters
    ----------
    entry : EngineEntry
        Takes the place of one that was registered before under the same name.

    Returns
    -------
    EngineEntry
        The same.

    Raises
    ------
    InputError
        If it is none, or its name will not do or is taken by this package or an entry point.
    """
    return ENGINES.register(entry)


def plugin_problems() -> list[Plugin]:
    """Engines and backbones of other packages that cannot be used; all are loaded for it.

    Returns
    -------
    list of Plugin
    """
    for registry in (ENGINES, BACKBONES):
        registry.entries()
    return [one for one in (*ENGINES.plugins(), *BACKBONES.plugins()) if one.problem]


def open_engine(recipe: Recipe, weights: Weights | None,
                options: EngineOptions | None = None) -> Engine:
    """Make an engine ready.

    Parameters
    ----------
    recipe : Recipe
    weights : Weights or None
        None if only the converted network of an earlier run can be used.
    options : EngineOptions, optional

    Returns
    -------
    Engine

    Raises
    ------
    EngineError
        If this machine cannot run it, or would compute with other numbers than asked for.
    WeightsError, InputError
        If the network cannot be built or is not known here, or the weights are not the recipe's.
    PluginError
        If another package offers engine or network, and does not give it.
    """
    options = options or EngineOptions()
    known = get_backbone(recipe.backbone)
    if weights is not None and weights.identity != recipe.weights:
        raise WeightsError(f"{weights.source}: expected the recipe's weights {recipe.weights}, got "
                           f"{weights.identity}.")
    if known.opens:
        engine: Engine = resolve(known.opens)(recipe, options.batch or default_batch(recipe))
        return engine
    entry = get_engine(choose_engine(options.engine, known))
    if recipe.precision not in entry.precisions:
        raise EngineError(f"engine {entry.name}: computes in {', '.join(entry.precisions)}, asked "
                          f"for {recipe.precision}. Give another --precision or --engine.")
    return entry.open(recipe, weights, options)


def default_batch(recipe: Recipe, device: str = "CPU") -> int:
    """Images in each call, so that about `VIEWS_PER_CALL` views of them are computed together.

    Parameters
    ----------
    recipe : Recipe
    device : {"CPU", "GPU"}, default="CPU"

    Returns
    -------
    int
    """
    return max(1, VIEWS_PER_CALL[device] // VIEWS[recipe.views])


def choose_engine(engine: str, backbone: Backbone | None = None) -> str:
    """Resolve ``auto``, and see that the engine is installed and runs such a network.

    Parameters
    ----------
    engine : str
    backbone : Backbone, optional
        By default any that Keras builds.

    Returns
    -------
    str

    Raises
    ------
    EngineError
        If it is not.
    """
    able = [one for one in list_engines() if (one.runs(backbone) if backbone else
                                              "keras" in one.kinds)]
    there = [one for one in able if one.is_installed()]
    if engine != "auto":
        _check_asked(get_engine(engine), backbone, able, there)
        return engine
    if not there:
        _refuse_all(backbone, able)
    on_gpu = [one for one in there if one.gpu_priority > there[0].priority and one.sees_gpu()]
    return max(on_gpu, key=lambda one: one.gpu_priority, default=there[0]).name


def _check_asked(entry: EngineEntry, backbone: Backbone | None, able: list[EngineEntry],
                 there: list[EngineEntry]) -> None:
    others = " or ".join(f"--engine {one.name}" for one in there if one is not entry)
    if backbone and not entry.runs(backbone):
        raise EngineError(f"engine {entry.name}: cannot run {backbone.name}. Use "
                          f"{others or 'another engine, of which none is installed'}.")
    if not entry.is_installed():
        raise EngineError(f"engine {entry.name}: the package is not installed. Install it "
                          f"(pip install {entry.package})" + (f", or use {others}." if others
                                                              else "."))


def _refuse_all(backbone: Backbone | None, able: list[EngineEntry]) -> None:
    if not able and backbone:
        raise EngineError(f"backbone {backbone.name}: no engine runs networks of its kind "
                          f"('{backbone.kind}'). Install the package that brings one.")
    raise EngineError("no engine is installed, and images become features only with one. "
                      f"Install one (pip install {able[0].package}).")
