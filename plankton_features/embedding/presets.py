"""Presets: recipes with a name. What each costs and gives is measured in the README."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.weights import Weights, resolve_auto, resolve_weights
from plankton_features.errors import InputError

PRESETS: dict[str, dict[str, Any]] = {
    "notebook": {"backbone": "inception_v3", "framing": "native", "background": "white",
                 "canvas": 299},
    "fast": {"backbone": "efficientnet_lite0", "canvas": 128, "views": "rot4",
             "pooling": ("avg", "max")},
    "balanced": {"backbone": "auto", "views": "rot4"},
    "best": {"backbone": "auto", "views": "d4", "pooling": ("avg", "max")},
}
DEFAULT_PRESET = "balanced"


def make_recipe(preset: str = DEFAULT_PRESET, *, weights: str = "imagenet",
                **options: Any) -> tuple[Recipe, Weights, str]:
    """Turn a preset and single options into a recipe, looking for the weights.

    Parameters
    ----------
    preset : {"notebook", "fast", "balanced", "best"}, default="balanced"
    weights : str, default="imagenet"
        See `resolve_weights`.
    **options
        Fields of `Recipe` that override the preset; ``layers`` and ``canvas`` default to the
        backbone's own. Fields that are None count as not given.

    Returns
    -------
    recipe : Recipe
    weights : Weights
    why : str
        If the backbone was ``auto`` and is not InceptionV3: why not, in one line.

    Raises
    ------
    InputError
        If a preset, an option or a value is not known.
    WeightsError
        If the weights of a backbone asked for by name cannot be had.
    """
    if preset not in PRESETS:
        raise InputError(f"preset '{preset}' is not known. Choose one of: {', '.join(PRESETS)}.")
    given = {name: value for name, value in options.items() if value is not None}
    chosen = {**PRESETS[preset], **given}
    backbone, found, why = _resolve(chosen.pop("backbone"), weights)
    return assemble(backbone, found.identity, chosen), found, why


def assemble(backbone: str, identity: str, options: Mapping[str, Any]) -> Recipe:
    """Fill a recipe's fields that depend on the backbone.

    Raises
    ------
    InputError
        If an option is not a field of `Recipe`.
    """
    known = get_backbone(backbone)
    defaults = {"layers": (known.last_layer,), "canvas": known.canvas}
    try:
        return Recipe(backbone=backbone, weights=identity, normalization=known.normalization,
                      **{**defaults, **options})
    except TypeError as error:
        raise InputError(f"recipe: {error}") from error


def _resolve(backbone: str, weights: str) -> tuple[str, Weights, str]:
    if backbone != "auto":
        return backbone, resolve_weights(backbone, weights), ""
    if weights != "imagenet":
        raise InputError(f"weights '{weights}' need a backbone: add --backbone NAME "
                         "(for example inception_v3).")
    return resolve_auto()
