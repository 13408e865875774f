"""Where a trunk is cut into what stays as it is and what is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


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
