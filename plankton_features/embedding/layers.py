"""Keras backbones without weights: how one is built, and its layers with names and costs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

from plankton_features.embedding.backbone import Backbone, check_canvas
from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.registry import resolve
from plankton_features.errors import InputError


def construct_backbone(backbone: Backbone, side: int) -> Any:
    """Build a backbone without its classification layers, with Keras' own first weights.

    Parameters
    ----------
    backbone : Backbone
    side : int
        Of its canvas, in pixels.

    Returns
    -------
    keras.Model

    Raises
    ------
    InputError
        If the backbone is not a network.
    EngineError
        If TensorFlow is missing or Keras runs on another backend.
    """
    if not backbone.factory:
        kind = "is not a network: it" if backbone.opens else "is not a network of Keras: it"
        raise InputError(f"backbone {backbone.name} {kind} has no layers to list, to count or to "
                         "train.")
    import_keras()
    of_keras = str(backbone.factory).startswith("keras.applications:")
    options = {"include_top": False, "weights": None} if of_keras else {}
    with _unchanged_random_state():
        return resolve(backbone.factory)(input_shape=(side, side, 3), **options)


def find_layer(model: Any, name: str) -> Any:
    """Look a layer up by its name or index.

    Raises
    ------
    InputError
        If it is not there, or gives no map of (height, width, channels).
    """
    names = layer_names(model)
    index = int(name) if name.isdecimal() else names.index(name) if name in names else -1
    if not 0 <= index < len(names):
        raise InputError(f"layer '{name}': {model.name} has no such layer. "
                         "--list-layers shows their names and indices.")
    layer = model.layers[index]
    if not gives_map(layer):
        raise InputError(f"layer '{name}': gives no map of (height, width, channels). "
                         "Choose a convolution, activation, mixed or block output layer.")
    return layer


def gives_map(layer: Any) -> bool:
    """Whether a layer's output is a map of (height, width, channels)."""
    return len(getattr(layer.output, "shape", ())) == 4


def name_layers(backbone: str, layers: Sequence[str | int]) -> tuple[str, ...]:
    """Put names in the place of indices; the network is built only if there are any.

    Parameters
    ----------
    backbone : str
    layers : sequence of str or int
        Names, or indices as `layer_table` counts.

    Raises
    ------
    InputError
        If there is no layer of that index, or it gives no map.
    """
    wanted = [str(layer) for layer in layers]
    if not any(layer.isdecimal() for layer in wanted):
        return tuple(wanted)
    known = get_backbone(backbone)
    model = construct_backbone(known, known.min_canvas)
    names = dict(zip(map(id, model.layers), layer_names(model), strict=True))
    return tuple(names[id(find_layer(model, layer))] for layer in wanted)


def layer_names(model: Any) -> list[str]:
    """Layer names that do not depend on what was built before in this process.

    Keras numbers layers without a name of their own by counting all that it ever made; here they
    are counted within the model, so they are the names that a new process gives.
    """
    numbers: dict[str, list[int]] = {}
    for kind, number in filter(None, map(_counted, model.layers)):
        numbers.setdefault(kind, []).append(number)
    ranks = {kind: {n: rank for rank, n in enumerate(sorted(ns))} for kind, ns in numbers.items()}
    return [_name(layer, ranks) for layer in model.layers]


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


def _name(layer: Any, ranks: dict[str, dict[int, int]]) -> str:
    counted = _counted(layer)
    if counted is None:
        return str(layer.name)
    kind, number = counted
    rank = ranks[kind][number]
    return f"{kind}_{rank}" if rank else kind


def _counted(layer: Any) -> tuple[str, int] | None:
    """Kind and number of a layer that Keras named by counting, None if it has its own name."""
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
    kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
    match = re.fullmatch(rf"{kind}(?:_(\d+))?", layer.name)
    return (kind, int(match[1] or 0)) if match else None


@contextmanager
def _unchanged_random_state() -> Iterator[None]:
    """Keras draws the seeds of first weights from Python's own generator, which is the caller's."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


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
    return int(positions * sum(prod(w.shape) for w in layer.weights if len(w.shape) > 1))
