"""The layers of a backbone: sizes and costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from plankton_features.embedding.backbones import check_canvas, get_backbone
from plankton_features.embedding.construction import construct_backbone, gives_map, layer_names


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
        For one canvas; of convolutions and dense layers, the others' are not counted.
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
        If the backbone has no layers, or does not take that canvas.
    """
    known = get_backbone(backbone)
    check_canvas(known, canvas)
    model = construct_backbone(known, canvas)
    named = zip(layer_names(model), model.layers, strict=True)
    return [_row(i, name, layer) for i, (name, layer) in enumerate(named) if gives_map(layer)]


def _row(index: int, name: str, layer: Any) -> LayerRow:
    _, height, width, channels = layer.output.shape
    return LayerRow(index, name, type(layer).__name__, height, width, channels,
                    layer.count_params(), _multiply_adds(layer))


def _multiply_adds(layer: Any) -> int:
    """Each weight of a kernel is used once at each position of the output."""
    if inner := getattr(layer, "layers", None):
        return sum(_multiply_adds(part) for part in inner)
    kind = type(layer).__name__
    if "Conv" not in kind and kind != "Dense":
        return 0
    positions = prod(layer.output.shape[1:-1])
    return positions * sum(prod(w.shape) for w in layer.weights if len(w.shape) > 1)
