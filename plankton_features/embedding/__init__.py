"""From canvases to vectors: recipes, backbones, pooling, engines."""

from plankton_features.embedding.backbones import Backbone, get_backbone, list_backbones
from plankton_features.embedding.engines import Engine, EngineOptions, open_engine
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.presets import PRESETS, make_recipe
from plankton_features.embedding.recipe import Recipe, check_same_recipe
from plankton_features.embedding.weights import Weights, find_weights, resolve_weights

__all__ = [
    "PRESETS",
    "Backbone",
    "Engine",
    "EngineOptions",
    "Recipe",
    "Weights",
    "check_same_recipe",
    "find_weights",
    "get_backbone",
    "import_keras",
    "list_backbones",
    "make_recipe",
    "open_engine",
    "resolve_weights",
]
