"""Where a trunk is cut into what stays as it is and what is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cut:
    """A trunk parted in what stays as it is and what is trained.

    Attributes
    ----------
    lower : keras.Model or None
        From normalised pixels to the activations at the cut; None if all is trained.
    upper : keras.Model or None
        From these to the trunk's maps; None if nothing is trained.
    trained : list of keras.Layer
    """

    lower: Any
    upper: Any
    trained: list[Any]


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
    return Cut(keras.Model(trunk.inputs, edge, name="lower"),
               keras.Model(edge, trunk.outputs, name="upper"), trunk.layers[start:])


def _edge(trunk: Any, frozen: Sequence[Any]) -> list[Any]:
    """Outputs of frozen layers that others, or the end, use."""
    below = {id(layer) for layer in frozen}
    used = {id(tensor): tensor for layer in trunk.layers if id(layer) not in below
            for node in layer._inbound_nodes for tensor in node.input_tensors
            if id(tensor._keras_history.operation) in below}
    used |= {id(tensor): tensor for tensor in trunk.outputs
             if id(tensor._keras_history.operation) in below}
    order = {id(layer): i for i, layer in enumerate(frozen)}
    return sorted(used.values(), key=lambda tensor: order[id(tensor._keras_history.operation)])
