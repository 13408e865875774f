"""The one network that runs: uint8 canvases in, pooled float32 vectors out.

Its backbone is filled with weights from a file or from a seed.
"""

from __future__ import annotations

from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.array_file import check_arrays
from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.keras_setup import dtype_policy, import_keras
from plankton_features.embedding.layers import construct_backbone, find_layer
from plankton_features.embedding.model_file import fill_from_model_file, is_model_file
from plankton_features.embedding.pooling import pool_maps, vector_blocks
from plankton_features.embedding.recipe import VIEWS, Recipe
from plankton_features.embedding.registry import resolve
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


def fill_randomly(model: Any, seed: int) -> None:
    """Draw the kernels of a network; the other weights keep the values they begin with.

    The same seed gives the same weights on every machine, whatever was built or drawn before.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    seed : int

    Notes
    -----
    Uniform with variance 1 / (inputs of a unit) (LeCun et al. 1998, doi:10.1007/3-540-49430-8_2).
    Larger variances suit plain rectifier networks, but make deep residual ones chaotic: their
    vectors then differ by tens of per cent between float32 and bfloat16.
    """
    for i, weight in enumerate(model.trainable_weights):
        if len(weight.shape) > 1:
            draw = np.random.default_rng([seed, i]).uniform(-1, 1, weight.shape)
            weight.assign((draw * sqrt(3 / _inputs(weight.shape))).astype(np.float32))


def _inputs(shape: tuple[int, ...]) -> int:
    """Inputs of one unit; of depthwise kernels the last axis is 1 and each channel is a unit."""
    return prod(shape[:2] if shape[-1] == 1 else shape[:-1])


def fill_from_file(model: Any, backbone: Backbone, file: Path) -> None:
    """Read the weights of a network.

    Only arrays are read, from ``.keras`` files too: what else such a file holds, which could
    name code, is left alone.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    backbone : Backbone
    file : Path
        ``.h5`` as `keras.applications` downloads it, ``.weights.h5``, ``.keras``, or one of the
        backbone's own `weights_suffixes`.

    Raises
    ------
    WeightsError
        If the file does not hold these weights. The model may then be filled in part.
    """
    try:
        if file.suffix in backbone.weights_suffixes:
            resolve(backbone.fills)(model, file)
        else:
            check_arrays(file)
            model.load_weights(file)
    except WeightsError:
        raise
    # Keras raises a dozen kinds of errors on a file that is not what it expects.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        expected = backbone.weights_file or "the one that comes with the package"
        raise WeightsError(
            f"{file}: does not hold weights of {backbone.name} without its classification layers "
            f"({reason}). Expected a file like {expected}, or .weights.h5 or .keras of the same "
            "network; give the matching --backbone."
        ) from error
