"""What happens to canvases before the network: views of them, and the scale of their values."""

from __future__ import annotations

from typing import Any

import numpy as np

_BGR_MEAN = (103.939, 116.779, 123.68)
_RGB_MEAN = (0.485, 0.456, 0.406)
_RGB_DEVIATION = (0.229, 0.224, 0.225)


def make_views(canvases: Any, views: str, ops: Any) -> list[Any]:
    """The picture, its quarter turns, and for ``d4`` the mirror images of these.

    Parameters
    ----------
    canvases : tensor of shape (batch, side, side, channels)
    views : {"none", "rot4", "d4"}
    ops : module
        `keras.ops` or `numpy`.

    Returns
    -------
    list of 1, 4 or 8 tensors of that shape
    """
    turns = [canvases]
    if views != "none":
        across = ops.swapaxes(canvases, 1, 2)
        half = _mirror(_mirror(canvases, 1, ops), 2, ops)
        turns += [_mirror(across, 1, ops), half, _mirror(across, 2, ops)]
    mirrored = [_mirror(turn, 2, ops) for turn in turns] if views == "d4" else []
    return turns + mirrored


def normalize(pixels: Any, normalization: str, ops: Any) -> Any:
    """Bring pixels to the values that the weights were trained with.

    Parameters
    ----------
    pixels : tensor of shape (batch, side, side, 3), uint8, red first
    normalization : {"tf", "caffe", "torch", "lite", "none"}
        See `Backbone`.
    ops : module
        `keras.ops`.

    Returns
    -------
    tensor of that shape, float32

    Notes
    -----
    ``tf``, ``caffe`` and ``torch`` are the modes of `keras.applications`; ``lite`` is that of
    Google's release of EfficientNet-Lite.
    """
    values = ops.cast(pixels, "float32")
    if normalization == "tf":
        return values / 127.5 - 1.0
    if normalization == "lite":
        return (values - 127.0) / 128.0
    if normalization == "caffe":
        return _to_bgr(values, ops) - np.array(_BGR_MEAN, np.float32)
    if normalization == "torch":
        return (values / 255.0 - np.array(_RGB_MEAN, np.float32)) / np.array(
            _RGB_DEVIATION, np.float32)
    return values


def _mirror(canvases: Any, axis: int, ops: Any) -> Any:
    """Reverse an axis by constant indices, which converts to other engines where flip does not."""
    return ops.take(canvases, np.arange(canvases.shape[axis])[::-1].astype("int32"), axis=axis)


def _to_bgr(values: Any, ops: Any) -> Any:
    """Reverse the channels by slices.

    OpenVINO 2026.4 moves a reversal by indices into the next convolution, and then takes
    reversals of rows and columns, which are views, for reversals of channels.
    """
    return ops.concatenate([values[..., i : i + 1] for i in (2, 1, 0)], axis=3)
