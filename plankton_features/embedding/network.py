"""Build the one network that runs: uint8 canvases in, pooled float32 vectors out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.construction import construct_backbone, find_layer
from plankton_features.embedding.dtypes import dtype_policy
from plankton_features.embedding.filling import fill_from_file, fill_randomly
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.model_file import fill_from_model_file, is_model_file
from plankton_features.embedding.pooling import pool_maps, vector_blocks
from plankton_features.embedding.recipe import VIEWS, Recipe
from plankton_features.embedding.views import make_views, normalize
from plankton_features.errors import WeightsError


def build_network(recipe: Recipe, weights_file: Path | None, *, batch: int | None,
                  precision: str = "float32") -> tuple[Any, list[tuple[str, int]]]:
    """Build the network of a recipe.

    Parameters
    ----------
    recipe : Recipe
    weights_file : Path or None
        None for random weights.
    batch : int or None
        Images in each call, None to leave it open.
    precision : {"float32", "bfloat16", "float16"}, default="float32"
        Numbers of the layers; pooling is float32 always.

    Returns
    -------
    network : keras.Model
        From (batch, canvas, canvas, 3) uint8 to (batch, n_values) float32.
    blocks : list of (str, int)
        Name and length of the parts of the vector, in order.

    Raises
    ------
    InputError
        If a layer is not there, or has no activation map.
    WeightsError
        If the file does not hold this backbone's weights.
    """
    keras = import_keras()
    with dtype_policy(keras, precision):
        backbone = load_backbone(recipe, weights_file)
        layers = [find_layer(backbone, name) for name in recipe.layers]
        trunk = keras.Model(backbone.input, [layer.output for layer in layers])
        side = recipe.canvas
        canvases = keras.Input(batch_shape=(batch, side, side, 3), dtype="uint8")
        views = keras.ops.concatenate(make_views(canvases, recipe.views, keras.ops), axis=0)
        maps = trunk(normalize(views, recipe.normalization, keras.ops), training=False)
        maps = maps if isinstance(maps, list) else [maps]
        pooled = pool_maps(maps, recipe.pooling, views=VIEWS[recipe.views], ops=keras.ops,
                           levels=recipe.spp_levels, power=recipe.gem_power)
        network = keras.Model(canvases, pooled)
    blocks = vector_blocks(recipe.layers, [m.shape[-1] for m in maps], recipe.pooling,
                           recipe.spp_levels)
    return network, blocks


def load_backbone(recipe: Recipe, weights_file: Path | None) -> Any:
    """Build a recipe's backbone without its classification layers and fill in the weights.

    Raises
    ------
    WeightsError
        If the file is missing, or does not hold this backbone's weights.
    """
    known = get_backbone(recipe.backbone)
    model = construct_backbone(known, recipe.canvas)
    if weights_file is not None and is_model_file(weights_file):
        return fill_from_model_file(model, weights_file)
    if recipe.random_seed is not None:
        fill_randomly(model, recipe.random_seed)
    elif weights_file is not None:
        fill_from_file(model, known, weights_file)
    else:
        raise WeightsError(f"{recipe.backbone}: expected a file with the weights "
                           f"{recipe.weights}, got none.")
    return model
