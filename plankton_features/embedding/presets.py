"""Presets: recipes with a name. What each costs and gives is measured in docs/recipes.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from plankton_features.embedding.backbones import OFFLINE_BACKBONE, get_backbone
from plankton_features.embedding.download import DownloadProgress
from plankton_features.embedding.layers import name_layers
from plankton_features.embedding.model_file import read_description
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.recipe_checks import as_tuple
from plankton_features.embedding.weights import Weights, resolve_auto, resolve_weights
from plankton_features.errors import InputError

#: Named recipes: fields of `Recipe` by the preset's name. What is not given is the backbone's own.
PRESETS: dict[str, dict[str, Any]] = {
    "notebook": {"backbone": "inception_v3", "framing": "native", "background": "white",
                 "canvas": 299},
    "fast": {"backbone": "efficientnet_lite0", "canvas": 128},
    "balanced": {"backbone": "auto", "views": "rot4"},
    "best": {"backbone": "efficientnet_lite0", "views": "d4"},
}
DEFAULT_PRESET = "balanced"


def make_recipe(preset: str = DEFAULT_PRESET, *, weights: str = "imagenet",
                on_download: DownloadProgress | None = None,
                **options: Any) -> tuple[Recipe, Weights, str]:
    """Turn a preset and single options into a recipe, looking for the weights.

    Parameters
    ----------
    preset : {"notebook", "fast", "balanced", "best"}, default="balanced"
    weights : str, default="imagenet"
        See `resolve_weights`.
    on_download : callable of (bytes done, bytes in all), optional
    **options
        Fields of `Recipe` that override the preset and the backbone's `defaults`; ``layers`` and
        ``canvas`` default to the backbone's own. Layers may be given by index. Fields that are
        None count as not given.

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
    chosen, weights = chosen_options(preset, weights, options)
    asked = chosen.pop("backbone")
    _check_early(asked, chosen)
    backbone, found, why = _resolve(asked, weights, on_download)
    return assemble(backbone, found.identity, chosen), found, why


def chosen_options(preset: str, weights: str, options: Mapping[str, Any]) -> tuple[
        dict[str, Any], str]:
    """A preset's options, or those of a fine-tuned network, with single ones put over them.

    Parameters
    ----------
    preset, weights
        See `make_recipe`.
    options : mapping
        As in `make_recipe`; if ``backbone`` is the file of a fine-tuned network (``.keras``),
        its own options take the place of the preset's.

    Returns
    -------
    options : dict
        With ``backbone``.
    weights : str

    Raises
    ------
    InputError, WeightsError
        See `make_recipe`.
    """
    if preset not in PRESETS:
        raise InputError(f"preset '{preset}' is not known. Choose one of: {', '.join(PRESETS)}.")
    given = {name: value for name, value in options.items() if value is not None}
    file = Path(str(given.get("backbone", "")))
    if file.suffix != ".keras":
        return {**PRESETS[preset], **given}, weights
    if weights not in ("imagenet", str(file)):
        raise InputError(f"weights '{weights}': {file} holds its own. Leave --weights out, or give "
                         "--backbone the name of a network.")
    own = read_description(file)["recipe"]
    return {**own, **given, "backbone": own["backbone"]}, str(file)


def assemble(backbone: str, identity: str, options: Mapping[str, Any]) -> Recipe:
    """Fill a recipe's fields that depend on the backbone.

    Raises
    ------
    InputError
        If an option is not a field of `Recipe`, or a value not allowed.
    """
    known = get_backbone(backbone)
    if unknown := set(options) - {field.name for field in fields(Recipe)}:
        raise InputError(f"recipe: there is no option {', '.join(sorted(unknown))}.")
    chosen = {"canvas": known.canvas, "normalization": known.normalization,
              "layers": known.last_layer, **known.defaults, **options}
    layers = name_layers(backbone, as_tuple(chosen["layers"]))
    return Recipe(backbone=backbone, weights=identity, **{**chosen, "layers": layers})


def _check_early(backbone: str, options: Mapping[str, Any]) -> None:
    """Refuse wrong options before weights are downloaded for them."""
    known = get_backbone(OFFLINE_BACKBONE if backbone == "auto" else backbone)
    others = {name: value for name, value in options.items() if name != "layers"}
    assemble(known.name, "random:0" if known.has_weights else "none", others)


def _resolve(backbone: str, weights: str,
             on_download: DownloadProgress | None) -> tuple[str, Weights, str]:
    if backbone != "auto":
        return backbone, resolve_weights(backbone, weights, on_download), ""
    if weights != "imagenet":
        raise InputError(f"weights '{weights}' need a backbone: add --backbone NAME "
                         "(for example inception_v3).")
    return resolve_auto(on_download)
