"""From canvases to vectors: recipes, backbones, pooling, engines."""

from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.backbones import (
    get_backbone,
    list_backbones,
    register_backbone,
)
from plankton_features.embedding.engine_entry import Engine, EngineEntry, EngineOptions
from plankton_features.embedding.engines import (
    default_batch,
    engine_names,
    engine_title,
    get_engine,
    list_engines,
    open_engine,
    plugin_problems,
    register_engine,
)
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.pooling import pool_arrays, vector_blocks
from plankton_features.embedding.presets import PRESETS, make_recipe
from plankton_features.embedding.recipe import Recipe, check_same_recipe
from plankton_features.embedding.registry import Plugin
from plankton_features.embedding.views import make_views
from plankton_features.embedding.weights import Weights, find_weights, resolve_weights

__all__ = [
    "PRESETS",
    "Backbone",
    "Engine",
    "EngineEntry",
    "EngineOptions",
    "Plugin",
    "Recipe",
    "Weights",
    "check_same_recipe",
    "default_batch",
    "engine_names",
    "engine_title",
    "find_weights",
    "get_backbone",
    "get_engine",
    "import_keras",
    "list_backbones",
    "list_engines",
    "make_recipe",
    "make_views",
    "open_engine",
    "plugin_problems",
    "pool_arrays",
    "register_backbone",
    "register_engine",
    "resolve_weights",
    "vector_blocks",
]
