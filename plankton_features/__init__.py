"""Pooled deep features of plankton vignettes, and honestly validated classifiers on them.

Importing the package is light: networks, engines and plots are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plankton_features.embedding import Recipe, make_recipe
    from plankton_features.extraction import ImageEmbedder, extract, open_session
    from plankton_features.images import build_catalog
    from plankton_features.store import Block, FeatureStore, Plan, merge_files, read_features

_HOMES = {
    "Block": "store",
    "FeatureStore": "store",
    "ImageEmbedder": "extraction",
    "Plan": "store",
    "Recipe": "embedding",
    "build_catalog": "images",
    "extract": "extraction",
    "make_recipe": "embedding",
    "merge_files": "store",
    "open_session": "extraction",
    "read_features": "store",
}

__all__ = [
    "Block",
    "FeatureStore",
    "ImageEmbedder",
    "Plan",
    "Recipe",
    "build_catalog",
    "extract",
    "make_recipe",
    "merge_files",
    "open_session",
    "read_features",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
