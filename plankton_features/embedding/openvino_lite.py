"""EfficientNet-Lite0 from its published weights in OpenVINO's own operators: no TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding import openvino_ops as ops
from plankton_features.embedding.efficientnet_lite import (
    BLOCKS,
    BN_EPSILON,
    Block,
    foreign_weights,
    list_torch_names,
)
from plankton_features.embedding.openvino_ops import Tensor
from plankton_features.embedding.openvino_setup import import_openvino
from plankton_features.embedding.pooling import pool_maps, vector_blocks
from plankton_features.embedding.recipe import VIEWS, Recipe
from plankton_features.embedding.torch_weights import read_state_dict
from plankton_features.embedding.views import make_views, normalize
from plankton_features.errors import InputError

_CHANNELS_FIRST, _CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def openvino_lite(recipe: Recipe, weights_file: Path) -> tuple[Any, list[tuple[str, int]]]:
    """Put a recipe's network together.

    Parameters
    ----------
    recipe : Recipe
        Of the backbone ``efficientnet_lite0``.
    weights_file : Path
        See `efficientnet_lite.load_torch_weights`.

    Returns
    -------
    model : openvino.Model
        From (batch, canvas, canvas, 3) uint8 to (batch, n_values) float32; batch is open.
    blocks : list of (str, int)
        Name and length of the parts of the vector, in order.

    Raises
    ------
    InputError
        If a layer is not there.
    WeightsError
        If the file does not hold this network's weights.
    """
    ov = import_openvino()
    canvases = ops.parameter((-1, recipe.canvas, recipe.canvas, 3), "uint8")
    views = ops.concatenate(make_views(canvases, recipe.views, ops), axis=0)
    pixels = normalize(views, recipe.normalization, ops)
    layers = _Lite(weights_file).layers(ops.transpose(pixels, _CHANNELS_FIRST))
    if missing := [name for name in recipe.layers if name not in layers]:
        raise InputError(f"layer '{missing[0]}': efficientnet_lite0 has no such layer. "
                         "--list-layers shows their names and indices.")
    maps = [ops.transpose(layers[name], _CHANNELS_LAST) for name in recipe.layers]
    pooled = pool_maps(maps, recipe.pooling, views=VIEWS[recipe.views], ops=ops,
                       levels=recipe.spp_levels, power=recipe.gem_power)
    blocks = vector_blocks(recipe.layers, [one.shape[-1] for one in maps], recipe.pooling,
                           recipe.spp_levels)
    return ov.Model([pooled.node], [canvases.node], "efficientnet_lite0"), blocks


class _Lite:
    """Builds the layers, under the names that they have in Keras."""

    def __init__(self, weights_file: Path):
        self.file = weights_file
        self.state = read_state_dict(weights_file)
        self.modules = dict(list_torch_names())
        self.made: dict[str, Tensor] = {}

    def layers(self, pixels: Tensor) -> dict[str, Tensor]:
        """All layers from pixels (n, 3, side, side) float32 on; channels are the second axis."""
        self.made = {"image": pixels}
        x = self._activate(self._convolve(pixels, "stem", stride=2), "stem_out")
        for block in BLOCKS:
            x = self._block(x, block)
        self._activate(self._convolve(x, "top"), "top")
        return self.made

    def _block(self, x: Tensor, block: Block) -> Tensor:
        inputs, name = x, block.name
        if block.expansion != 1:
            x = self._activate(self._convolve(x, f"{name}_expand"), f"{name}_expand_relu6")
        x = self._convolve(x, f"{name}_depthwise", block.stride, depthwise=True)
        x = self._activate(x, f"{name}_depthwise_relu6")
        x = self._convolve(x, f"{name}_project")
        return self._keep(f"{name}_out", x + inputs if block.has_skip else x)

    def _convolve(self, x: Tensor, name: str, stride: int = 1, depthwise: bool = False) -> Tensor:
        """Convolution and batch normalisation."""
        layer = f"{name}_conv"
        try:
            kernel = self.state[f"{self.modules[layer]}.weight"]
            if depthwise:  # (channels, 1, 1, height, width): a group for each channel
                kernel = kernel[:, None]
            x = self._keep(layer, ops.convolve(x, kernel.astype(np.float32), stride))
            layer = f"{name}_bn"
            scale, shift = self._normalization(self.modules[layer])
            return self._keep(layer, x * scale + shift)
        except (KeyError, ValueError, RuntimeError) as error:
            raise foreign_weights(self.file, layer, error) from error

    def _normalization(self, module: str) -> tuple[np.ndarray, np.ndarray]:
        """What to multiply by and add, (channels, 1, 1) float32 each."""
        weight, bias, mean, variance = (
            self.state[f"{module}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var"))
        scale = weight / np.sqrt(variance + BN_EPSILON)
        return tuple(one.astype(np.float32)[:, None, None]  # type: ignore[return-value]
                     for one in (scale, bias - mean * scale))

    def _activate(self, x: Tensor, name: str) -> Tensor:
        return self._keep(name, ops.clip(x, 0.0, 6.0))

    def _keep(self, name: str, x: Tensor) -> Tensor:
        self.made[name] = x
        return x
