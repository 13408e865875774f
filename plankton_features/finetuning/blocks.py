"""The blocks of a backbone, from which layer on it is trained, and where the trunk is cut there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.classifier_network import assemble_network
from plankton_features.embedding.layers import construct_backbone, layer_names
from plankton_features.embedding.recipe import Recipe
from plankton_features.errors import InputError

#: How the backbones name the parts that repeat. InceptionV3 names the ends of its blocks only.
_PREFIX = re.compile(r"(block_?\d+[a-z]?|conv\d+_block\d+|.*stage_\d+_block_\d+|"
                     r"expanded_conv(?:_\d+)?)_")
_END = re.compile(r"mixed\d+")


@dataclass(frozen=True)
class TrainedLayer:
    """One layer of a backbone.

    Attributes
    ----------
    index : int
    name, kind, block : str
    parameters : int
    trained : bool
    """

    index: int
    name: str
    kind: str
    block: str
    parameters: int
    trained: bool


def layer_blocks(names: list[str]) -> list[str]:
    """Block of each layer, from the names of a network's layers in their order.

    Parameters
    ----------
    names : list of str
        See `layer_names`.

    Returns
    -------
    list of str
        ``stem`` for what is before the first block, ``top`` for what follows the last.

    Examples
    --------
    >>> layer_blocks(["image", "conv2d", "mixed0", "conv2d_1", "mixed1"])
    ['mixed0', 'mixed0', 'mixed0', 'mixed1', 'mixed1']
    >>> layer_blocks(["image", "block1a_conv", "block1a_out", "top"])
    ['stem', 'block1a', 'block1a', 'top']
    """
    found = [_own_block(name) for name in names]
    if any(_END.fullmatch(name) for name in names):
        return _filled(found[::-1], "top")[::-1]
    last = max((i for i, block in enumerate(found) if block), default=-1)
    return [*_filled(found[: last + 1], "stem"), *["top"] * (len(names) - last - 1)]


def first_trained(trunk: Any, names: list[str], unfreeze: str) -> int:
    """Index of the first layer that is trained.

    Parameters
    ----------
    trunk : keras.Model
    names : list of str
        Of its layers.
    unfreeze : str
        A number of blocks from the top, ``all``, ``none``, the name of a layer, or
        ``index:N`` for a layer by its index.

    Returns
    -------
    int
        0 for all, the number of layers for none.

    Raises
    ------
    InputError
        If there is no such layer, or there are not so many blocks.
    """
    if unfreeze in ("all", "none"):
        return 0 if unfreeze == "all" else len(names)
    blocks = layer_blocks(names)
    order = list(dict.fromkeys(blocks))
    if unfreeze.isdecimal():
        if not 0 <= int(unfreeze) <= len(order):
            raise InputError(f"unfreeze {unfreeze}: {trunk.name} has {len(order)} blocks. For a "
                             f"layer by its index write index:{unfreeze}; --list-layers shows "
                             "both.")
        return blocks.index(order[-int(unfreeze)]) if int(unfreeze) else len(names)
    kind, _, number = unfreeze.partition(":")
    if kind == "index" and number.isdecimal() and int(number) < len(names):
        return int(number)
    if unfreeze not in names:
        raise InputError(f"unfreeze '{unfreeze}': no such layer. Expected a number of blocks, the "
                         "name of a layer, index:N, all or none; --list-layers shows the layers.")
    return names.index(unfreeze)


def trained_layers(recipe: Recipe, unfreeze: str) -> list[TrainedLayer]:
    """The layers up to the last one that is pooled, and which of them would be trained.

    Parameters
    ----------
    recipe : Recipe
    unfreeze : str
        See `first_trained`.

    Returns
    -------
    list of TrainedLayer

    Raises
    ------
    InputError
        If the backbone has no layers, or see `first_trained`.
    """
    backbone = construct_backbone(get_backbone(recipe.backbone), recipe.canvas)
    model = assemble_network(recipe, backbone, 2).trunk
    names = layer_names(model)
    start, blocks = first_trained(model, names, unfreeze), layer_blocks(names)
    return [TrainedLayer(i, name, type(layer).__name__, blocks[i], layer.count_params(),
                         i >= start and bool(layer.weights))
            for i, (name, layer) in enumerate(zip(names, model.layers, strict=True))]


def describe_trained(names: list[str], start: int) -> str:
    """What is trained of the backbone, for people."""
    n = len(names) - start
    if n <= 0:
        return "classification layers only"
    if start <= 1:
        return "all layers"
    blocks = list(dict.fromkeys(layer_blocks(names)[start:]))
    ends = blocks[0] if len(blocks) == 1 else f"{blocks[0]} to {blocks[-1]}"
    return f"{ends} (the last {n} of {len(names)} layers)"


def count_parameters(layers: list[Any]) -> int:
    """Numbers that training may change in some layers."""
    return sum(int(np.prod(w.shape)) for layer in layers for w in layer.trainable_weights)


def _own_block(name: str) -> str:
    if _END.fullmatch(name):
        return name
    match = _PREFIX.match(name)
    return match[1] if match else ""


def _filled(blocks: list[str], first: str) -> list[str]:
    """Each empty one is that of the layer before."""
    filled, current = [], first
    for block in blocks:
        current = block or current
        filled.append(current)
    return filled


@dataclass(frozen=True)
class Cut:
    """A trunk parted in what stays as it is and what is trained.

    Both parts compute in inference mode: batch normalisation keeps its statistics.

    Attributes
    ----------
    lower : keras.Function, keras.Model or None
        From normalised pixels to the activations at the cut; None if all is trained.
    upper : keras.Function, keras.Model or None
        From these to the trunk's maps; None if nothing is trained.
    trained : list of keras.Layer
    """

    lower: Any
    upper: Any
    trained: list[Any]

    def below(self, pixels: Any) -> list[Any]:
        """Activations at the cut."""
        return [pixels] if self.lower is None else _listed(_run(self.lower, pixels))

    def above(self, activations: list[Any]) -> list[Any]:
        """Maps of activations at the cut."""
        if self.upper is None:
            return activations
        return _listed(_run(self.upper, activations if self.lower is not None else activations[0]))


def cut(trunk: Any, start: int) -> Cut:
    """Freeze the layers before one, and part the trunk there.

    Parameters
    ----------
    trunk : keras.Model
        Its layers' ``trainable`` is set.
    start : int
        Index of the first layer that is trained, in 0..len(trunk.layers); the last freezes all.

    Returns
    -------
    Cut
    """
    import keras

    for i, layer in enumerate(trunk.layers):
        layer.trainable = i >= start
    if start >= len(trunk.layers):
        return Cut(trunk, None, [])
    if start <= 1:  # layer 0 is the input
        return Cut(None, trunk, trunk.layers)
    edge = _edge(trunk, trunk.layers[:start])
    return Cut(keras.Function(trunk.input, edge), keras.Function(edge, trunk.outputs),
               trunk.layers[start:])


def _edge(trunk: Any, frozen: Sequence[Any]) -> list[Any]:
    """Outputs of frozen layers that others, or the end, use."""
    below = {id(layer) for layer in frozen}
    used = {id(tensor): tensor for nodes in trunk._nodes_by_depth.values() for node in nodes
            if id(node.operation) not in below for tensor in node.input_tensors
            if id(tensor._keras_history.operation) in below}
    used |= {id(tensor): tensor for tensor in trunk.outputs
             if id(tensor._keras_history.operation) in below}
    order = {id(layer): i for i, layer in enumerate(frozen)}
    return sorted(used.values(), key=lambda tensor: order[id(tensor._keras_history.operation)])


def _run(part: Any, values: Any) -> Any:
    import keras

    return part(values, training=False) if isinstance(part, keras.Model) else part(values)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
