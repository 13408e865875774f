"""OpenVINO's own operators under the names that `pooling` and `views` use.

So a network can be put together without TensorFlow from the same description as in Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plankton_features.embedding.openvino_setup import import_openvino


def _op() -> Any:
    import_openvino()
    from openvino import opset13

    return opset13


class Tensor:
    """A node of an OpenVINO graph that can be reckoned with and cut like an array.

    Parameters
    ----------
    node : openvino.Node
    """

    __array_ufunc__ = None  # so that `array - tensor` is asked of the tensor

    def __init__(self, node: Any):
        self.node = node

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes; -1 for one that is open."""
        return tuple(d.get_length() if d.is_static else -1
                     for d in self.node.output(0).get_partial_shape())

    def __add__(self, other: Any) -> Tensor:
        return Tensor(_op().add(self.node, _node(other)))

    def __sub__(self, other: Any) -> Tensor:
        return Tensor(_op().subtract(self.node, _node(other)))

    def __mul__(self, other: Any) -> Tensor:
        return Tensor(_op().multiply(self.node, _node(other)))

    def __truediv__(self, other: Any) -> Tensor:
        return Tensor(_op().divide(self.node, _node(other)))

    def __getitem__(self, cuts: Any) -> Tensor:
        """Slices of some axes; ``...`` stands for whole ones, as in NumPy."""
        cuts = cuts if isinstance(cuts, tuple) else (cuts,)
        if Ellipsis in cuts:
            at = cuts.index(Ellipsis)
            whole = (slice(None),) * (len(self.shape) - len(cuts) + 1)
            cuts = (*cuts[:at], *whole, *cuts[at + 1 :])
        node = self.node
        for axis, cut in enumerate(cuts):
            if cut != slice(None):
                bounds = [_whole([n]) for n in (cut.start, cut.stop, 1, axis)]
                node = _op().slice(node, *bounds)
        return Tensor(node)


def _node(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.node
    return _op().constant(np.asarray(value, np.float32))


def _whole(values: Sequence[int] | np.ndarray) -> Any:
    return _op().constant(np.asarray(values, np.int64))


def _axes(axis: int | tuple[int, ...]) -> Any:
    return _whole(axis if isinstance(axis, tuple) else (axis,))


def mean(values: Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> Tensor:
    """See `numpy.mean`."""
    return Tensor(_op().reduce_mean(values.node, _axes(axis), keepdims))


def max(values: Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> Tensor:
    """See `numpy.max`."""
    return Tensor(_op().reduce_max(values.node, _axes(axis), keepdims))


def maximum(values: Tensor, other: float) -> Tensor:
    """See `numpy.maximum`."""
    return Tensor(_op().maximum(values.node, _node(other)))


def power(values: Tensor, exponent: float) -> Tensor:
    """See `numpy.power`."""
    return Tensor(_op().power(values.node, _node(exponent)))


def cast(values: Tensor, dtype: str) -> Tensor:
    """See `numpy.ndarray.astype`."""
    return Tensor(_op().convert(values.node, {"float32": "f32"}.get(dtype, dtype)))


def concatenate(values: Sequence[Tensor], axis: int) -> Tensor:
    """See `numpy.concatenate`."""
    return Tensor(_op().concat([value.node for value in values], axis))


def reshape(values: Tensor, shape: Sequence[int]) -> Tensor:
    """See `numpy.reshape`."""
    return Tensor(_op().reshape(values.node, _whole(shape), False))


def swapaxes(values: Tensor, first: int, second: int) -> Tensor:
    """See `numpy.swapaxes`."""
    order = list(range(len(values.shape)))
    order[first], order[second] = second, first
    return transpose(values, order)


def transpose(values: Tensor, order: Sequence[int]) -> Tensor:
    """See `numpy.transpose`."""
    return Tensor(_op().transpose(values.node, _whole(order)))


def take(values: Tensor, indices: np.ndarray, axis: int) -> Tensor:
    """See `numpy.take`."""
    return Tensor(_op().gather(values.node, _whole(indices), _whole([axis])))


def clip(values: Tensor, least: float, most: float) -> Tensor:
    """See `numpy.clip`."""
    return Tensor(_op().clamp(values.node, least, most))


def parameter(shape: Sequence[int], dtype: str) -> Tensor:
    """An input of the graph; -1 leaves a size open."""
    return Tensor(_op().parameter(list(shape), np.dtype(dtype).type))


def convolve(values: Tensor, kernel: np.ndarray, stride: int) -> Tensor:
    """Convolution padded as TensorFlow's ``SAME``.

    Parameters
    ----------
    values : Tensor of shape (n, channels, height, width)
    kernel : ndarray of shape (out, channels, height, width), float32, or with an axis of groups
        before these
    stride : int
    """
    make = _op().convolution if kernel.ndim == 4 else _op().group_convolution
    return Tensor(make(values.node, _node(kernel), [stride, stride], [0, 0], [0, 0], [1, 1],
                       auto_pad="same_upper"))
