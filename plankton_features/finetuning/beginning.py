"""What training begins with: the recipe, the network's weights, a head, a taxonomy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from plankton_features.assessment.taxonomy import Taxonomy
from plankton_features.embedding import Recipe, Weights, get_backbone, make_recipe
from plankton_features.embedding.weights import find_weights, missing_weights, resolve_weights
from plankton_features.errors import InputError, WeightsError
from plankton_features.heads import Head
from plankton_features.images.delimited import read_table


def network_to_tune(backbone: str | None = None, weights: str | None = None,
                    **recipe_options: Any) -> tuple[Recipe, Weights, str]:
    """Recipe and weights of a network that is trained on, pooled at its last layer.

    Parameters
    ----------
    backbone : str, optional
        A name, or a fine-tuned ``.keras`` file; by default as in `make_recipe`.
    weights : str, optional
        Before training, see `make_recipe`; by default ``imagenet``.
    **recipe_options
        See `make_recipe`; what is None is not given.

    Returns
    -------
    recipe : Recipe
    weights : Weights
    why : str
        Why the default backbone is not the usual one; else empty.

    Raises
    ------
    InputError, WeightsError
        See `make_recipe`.
    """
    given = {**recipe_options, "views": recipe_options.get("views") or "none"}
    recipe, found, why = make_recipe("balanced", weights=weights or "imagenet", backbone=backbone,
                                     **given)
    if backbone and backbone.endswith(".keras"):
        return recipe, found, why
    last = get_backbone(recipe.backbone).last_layer
    return replace(recipe, layers=given.get("layers") or (last,),
                   pooling=given.get("pooling") or ("avg",)), found, why


def network_of_head(head: Head, weights: str | None = None) -> tuple[Recipe, Weights]:
    """Recipe and weights of the network whose vectors a head classifies.

    Parameters
    ----------
    head : Head
    weights : str, optional
        A file with them, if they are not in the usual place.

    Returns
    -------
    recipe : Recipe
    weights : Weights

    Raises
    ------
    InputError
        If the head uses what the network does not see.
    WeightsError
        If the weights are not found, or are others.
    """
    if head.recipe.get("size_features"):
        raise InputError("--from: the head uses size features, which the network does not see. "
                         "Fit one on features without --size-features.")
    recipe = replace(Recipe(**head.recipe), precision="float32")
    found = (resolve_weights(recipe.backbone, weights) if weights
             else find_weights(recipe.backbone, recipe.weights))
    if found is None or found.identity != recipe.weights:
        raise WeightsError(missing_weights(recipe.backbone, recipe.weights))
    return recipe, found


def read_taxonomy(path: Path) -> Taxonomy:
    """A table with columns name, parent and, optionally, rank.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Taxonomy

    Raises
    ------
    InputError
        If it is missing, or no such table.
    """
    if not path.exists():
        raise InputError(f"{path}: no such taxonomy.")
    try:
        rows = list(read_table(path, ("name", "parent", "rank"), needed=2))
    except InputError as error:
        raise InputError("taxonomy: not a table that can be used, expected columns name, parent, "
                         f"rank. {error}") from error
    names, parents, ranks = zip(*rows, strict=True) if rows else ((), (), ())
    return Taxonomy.from_table(names, parents, ranks)
