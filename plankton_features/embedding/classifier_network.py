"""The network that is trained: backbone, pooling, classification layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plankton_features.embedding.keras_setup import dtype_policy, import_keras
from plankton_features.embedding.layers import find_layer
from plankton_features.embedding.pooling import pool_maps, vector_blocks
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.views import normalize


@dataclass(frozen=True)
class Network:
    """What is trained, in parts that share their layers.

    Attributes
    ----------
    trunk : keras.Model
        From normalised pixels to the maps that are pooled. Always called in inference mode, so
        batch normalisation keeps its statistics.
    top : keras.Model
        From pooled vectors, float32 of shape (n, d), to logits, float32 of shape (n, K).
    recipe : Recipe
        Pixels, layers and pooling.
    hidden : int or None
    dropout : float
        Of the top, see `assemble_network`.
    """

    trunk: Any
    top: Any
    recipe: Recipe
    hidden: int | None
    dropout: float

    def pooled(self, maps: Any) -> Any:
        """Vectors of activation maps, float32 of shape (n, d)."""
        import keras

        maps = maps if isinstance(maps, list | tuple) else [maps]
        return pool_maps(maps, self.recipe.pooling, views=1, ops=keras.ops,
                         levels=self.recipe.spp_levels, power=self.recipe.gem_power)

    def normalized(self, canvases: Any) -> Any:
        """Pixels as the backbone expects them; grey ones get three channels."""
        import keras

        if canvases.shape[-1] == 1:
            canvases = keras.ops.repeat(canvases, 3, axis=-1)
        return normalize(canvases, self.recipe.normalization, keras.ops)


def assemble_network(recipe: Recipe, backbone: Any, n_classes: int, *, hidden: int | None = None,
                     dropout: float = 0.2, seed: int = 0) -> Network:
    """Put new classification layers on a backbone.

    Parameters
    ----------
    recipe : Recipe
    backbone : keras.Model
        Of the recipe; its layers are shared.
    n_classes : int
        K.
    hidden : int, optional
        Units of a layer between pooling and classes (relu).
    dropout : float, default=0.2
        Share of values dropped before the last layer, in [0, 1).
    seed : int
        Of the new layers' first weights and of dropout.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If the backbone lacks one of the recipe's layers.
    """
    keras = import_keras()
    outputs = [find_layer(backbone, name).output for name in recipe.layers]
    blocks = vector_blocks(recipe.layers, [output.shape[-1] for output in outputs],
                           recipe.pooling, recipe.spp_levels)
    with dtype_policy(keras, "float32"):
        top = _top(keras, sum(n for _, n in blocks), n_classes, hidden, dropout, seed)
    return Network(keras.Model(backbone.input, outputs, name="trunk"), top, recipe,
                   hidden, dropout)


def saved_form(network: Network) -> Any:
    """One model from canvases, uint8 of shape (n, side, side, 3), to probabilities (n, K)."""
    keras = import_keras()
    side = network.recipe.canvas
    canvases = keras.Input((side, side, 3), dtype="uint8", name="canvas")
    maps = network.trunk(network.normalized(canvases), training=False)
    logits = network.top(network.pooled(maps))
    return keras.Model(canvases, keras.layers.Softmax(dtype="float32", name="taxa")(logits))


def _top(keras: Any, length: int, n_classes: int, hidden: int | None, dropout: float,
         seed: int) -> Any:
    layers = keras.layers
    start = keras.initializers.GlorotUniform(seed=seed)
    vectors = x = keras.Input((length,), name="pooled")
    if hidden:
        x = layers.Dense(hidden, activation="relu", kernel_initializer=start, name="hidden",
                         dtype="float32")(x)
    x = layers.Dropout(dropout, seed=seed, name="dropout", dtype="float32")(x)
    last = layers.Dense(n_classes, name="classes", dtype="float32",
                        kernel_initializer="zeros" if not hidden else start)
    return keras.Model(vectors, last(x), name="top")
