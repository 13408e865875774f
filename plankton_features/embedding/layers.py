"""The layers of a backbone: sizes and costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.network import canonical_names, construct_backbone
from plankton_features.errors import InputError


@dataclass(frozen=True)
class LayerRow:
    """One layer of a backbone.

    Attributes
    ----------
    index : int
    name, kind : str
    height, width, channels : int
        Of its activation map.
    parameters : int
    multiply_adds : int
        For one canvas; of convolutions, the others' are not counted.
    """

    index: int
    name: str
    kind: str
    height: int
    width: int
    channels: int
    parameters: int
    multiply_adds: int


def layer_table(backbone: str, canvas: int) -> list[LayerRow]:
    """All layers of a backbone that give an activation map.

    Parameters
    ----------
    backbone : str
    canvas : int
        Side in pixels.

    Raises
    ------
    InputError
        If the backbone has no layers.
    """
    known = get_backbone(backbone)
    if not known.factory:
        raise InputError(f"backbone {backbone} is not a network: it has no layers.")
    model = construct_backbone(known, (canvas, canvas, 3))
    named = zip(canonical_names(model), model.layers, strict=True)
    return [_row(i, name, layer) for i, (name, layer) in enumerate(named)
            if len(getattr(layer.output, "shape", ())) == 4]


def _row(index: int, name: str, layer: Any) -> LayerRow:
    _, height, width, channels = layer.output.shape
    return LayerRow(index, name, type(layer).__name__, height, width, channels,
                    layer.count_params(), _multiply_adds(layer))


def _multiply_adds(layer: Any) -> int:
    """Each weight of a convolution's kernels is used once at each position of its output."""
    if "Conv" not in type(layer).__name__:
        return 0
    positions = prod(layer.output.shape[1:3])
    return positions * sum(prod(w.shape) for w in layer.weights if len(w.shape) == 4)
