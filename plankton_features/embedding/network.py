"""Build the one network that runs: uint8 canvases in, pooled float32 vectors out."""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.backbones import Backbone, get_backbone
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.pooling import pool
from plankton_features.embedding.recipe import VIEWS, Recipe
from plankton_features.errors import InputError, WeightsError

_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def build_network(recipe: Recipe, weights_file: Path | None, *, batch: int,
                  precision: str = "float32") -> tuple[Any, list[tuple[str, int]]]:
    """Build the network of a recipe.

    Parameters
    ----------
    recipe : Recipe
    weights_file : Path or None
        None for random weights.
    batch : int
        Images in each call.
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
    with _dtype_policy(keras, _POLICIES[precision]):
        backbone = load_backbone(recipe, weights_file)
        layers = [find_layer(backbone, name) for name in recipe.layers]
        trunk = keras.Model(backbone.input, [layer.output for layer in layers])
        side = recipe.canvas
        canvases = keras.Input(batch_shape=(batch, side, side, 3), dtype="uint8")
        views = keras.ops.concatenate(make_views(canvases, recipe.views, keras.ops), axis=0)
        maps = trunk(normalize(views, recipe.normalization, keras.ops), training=False)
        maps = maps if isinstance(maps, list) else [maps]
        network = keras.Model(canvases, _pool_all(maps, recipe, keras.ops))
        return network, vector_blocks(recipe, [int(m.shape[-1]) for m in maps])


def vector_blocks(recipe: Recipe, channels: list[int]) -> list[tuple[str, int]]:
    """Name and length of the parts of the vector, given the channels of each layer."""
    cells = {"spp": sum(level**2 for level in recipe.spp_levels)}
    return [
        (f"{layer}_{kind}", n * cells.get(kind, 1))
        for layer, n in zip(recipe.layers, channels, strict=True)
        for kind in recipe.pooling
    ]


def load_backbone(recipe: Recipe, weights_file: Path | None) -> Any:
    """Build a backbone without its classification layers and fill in the weights."""
    known = get_backbone(recipe.backbone)
    shape = (recipe.canvas, recipe.canvas, 3)
    model = construct_backbone(known, shape)
    if recipe.random_seed is not None:
        _fill_randomly(model, recipe.random_seed)
    elif weights_file is not None:
        _fill_from_file(model, known, weights_file)
    return model


def find_layer(model: Any, name: str) -> Any:
    """Look a layer up by its name or index.

    Raises
    ------
    InputError
        If it is not there, or gives no map of (height, width, channels).
    """
    names = canonical_names(model)
    index = int(name) if name.isdecimal() else names.index(name) if name in names else -1
    if not 0 <= index < len(names):
        raise InputError(f"layer '{name}': {model.name} has no such layer. "
                         "--list-layers shows their names and indices.")
    layer = model.layers[index]
    if len(getattr(layer.output, "shape", ())) != 4:
        raise InputError(f"layer '{name}': gives no map of (height, width, channels). "
                         "Choose a convolution, activation, mixed or block output layer.")
    return layer


def canonical_names(model: Any) -> list[str]:
    """Layer names that do not depend on what was built before in this process.

    Keras numbers layers without a name of their own by counting all that it ever made; here they
    are counted within the model.
    """
    counts: dict[str, int] = {}
    names = []
    for layer in model.layers:
        base = re.sub(r"_\d+$", "", layer.name)
        if base != re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_",
                          type(layer).__name__).lower().replace("2_d", "2d"):
            names.append(layer.name)
            continue
        rank = counts.get(base, 0)
        counts[base] = rank + 1
        names.append(f"{base}_{rank}" if rank else base)
    return names


def make_views(canvases: Any, views: str, ops: Any) -> list[Any]:
    """The picture, its quarter turns, and for ``d4`` the mirror images of these.

    Parameters
    ----------
    canvases : tensor of shape (batch, side, side, channels)
    views : {"none", "rot4", "d4"}
    ops : module
        `keras.ops` or `numpy`.
    """
    turns = [canvases]
    if views != "none":
        across = ops.swapaxes(canvases, 1, 2)
        half = _mirror(_mirror(canvases, 1, ops), 2, ops)
        turns += [_mirror(across, 1, ops), half, _mirror(across, 2, ops)]
    mirrored = [_mirror(turn, 2, ops) for turn in turns] if views == "d4" else []
    return turns + mirrored


def _mirror(canvases: Any, axis: int, ops: Any) -> Any:
    """Reverse an axis by constant indices, which converts to other engines where flip does not."""
    return ops.take(canvases, np.arange(canvases.shape[axis])[::-1].astype("int32"), axis=axis)


def normalize(pixels: Any, normalization: str, ops: Any) -> Any:
    """Bring uint8 pixels to the values that the weights were trained with."""
    values = ops.cast(pixels, "float32")
    if normalization == "tf":
        return values / 127.5 - 1.0
    if normalization == "lite":
        return (values - 127.0) / 128.0
    if normalization == "caffe":
        return _mirror(values, 3, ops) - ops.array(_CAFFE_MEAN_BGR, "float32")
    return values


def _pool_all(maps: list[Any], recipe: Recipe, ops: Any) -> Any:
    vectors = [
        pool(ops.cast(m, "float32"), kind, views=VIEWS[recipe.views], ops=ops,
             levels=recipe.spp_levels, power=recipe.gem_power)
        for m in maps
        for kind in recipe.pooling
    ]
    return ops.concatenate(vectors, axis=1) if len(vectors) > 1 else vectors[0]


def construct_backbone(backbone: Backbone, shape: tuple[int, int, int]) -> Any:
    """Build a backbone without its classification layers, with Keras' own first weights."""
    import_keras()
    module, name = backbone.factory.split(":")
    factory = getattr(import_module(module), name)
    if module == "keras.applications":
        return factory(include_top=False, weights=None, input_shape=shape)
    return factory(input_shape=shape)


def _fill_randomly(model: Any, seed: int) -> None:
    keras = import_keras()
    for i, weight in enumerate(model.trainable_weights):
        if len(weight.shape) > 1:
            draw = keras.initializers.GlorotUniform(seed=seed * 100_003 + i)
            weight.assign(draw(weight.shape, dtype="float32"))


def _fill_from_file(model: Any, backbone: Backbone, file: Path) -> None:
    try:
        if file.suffix == ".pth":
            from plankton_features.embedding.efficientnet_lite import load_torch_weights

            load_torch_weights(model, file)
        elif file.suffix == ".keras":
            _copy_weights(import_keras().saving.load_model(file, compile=False), model)
        else:
            model.load_weights(file)
    except WeightsError:
        raise
    # Keras raises a dozen kinds of errors on a file that is not what it expects.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{file}: does not hold weights of {backbone.name} without its "
                           f"classification layers ({reason}). Expected a file like "
                           f"{backbone.weights_file or 'the one that comes with the package'}; "
                           "give the matching --backbone.") from error


def _copy_weights(source: Any, target: Any) -> None:
    given, wanted = source.get_weights(), target.get_weights()
    shapes = [w.shape for w in wanted]
    if [w.shape for w in given[: len(wanted)]] != shapes:
        raise ValueError(f"expected {len(wanted)} arrays of this network, found {len(given)} of "
                         "other shapes")
    target.set_weights(given[: len(wanted)])


@contextmanager
def _dtype_policy(keras: Any, policy: str) -> Any:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
