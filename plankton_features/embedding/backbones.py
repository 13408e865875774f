"""The registry of backbones: networks that turn a canvas into activation maps.

Another network of `keras.applications` is one more line of `_REGISTRY`.
"""

from __future__ import annotations

from dataclasses import dataclass

from plankton_features.errors import InputError

_KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"


@dataclass(frozen=True)
class Backbone:
    """What is known of a network before it is built.

    Attributes
    ----------
    name : str
    factory : str
        Where to find the function that builds it, ``module:name``.
    normalization : {"tf", "caffe", "torch", "lite", "none"}
        What its weights expect of pixels: -1..1; BGR minus ImageNet's mean; 0..1 minus
        ImageNet's mean by its deviation; (x - 127) / 128; 0..255.
    last_layer : str
        Layer of its last activation map, which is what Keras' network gives without its
        classification layers.
    channels : int
        Channels of the last map.
    canvas : int
        Side in pixels of the canvas it was trained at.
    min_canvas : int
        Smallest side in pixels that it accepts.
    parameters, multiply_adds : float
        Millions of parameters without the classification layer; billions of multiply-adds for
        one canvas of the training size.
    weights_path : str
        Where Keras publishes its ImageNet weights, below its storage address; empty if the
        weights come with a package or there are none.
    weights_digest : str
        MD5 or SHA-256 of the weight file as its makers publish it; empty if they publish none.
    """

    name: str
    factory: str
    normalization: str
    last_layer: str
    channels: int
    canvas: int
    min_canvas: int
    parameters: float
    multiply_adds: float
    weights_path: str = ""
    weights_digest: str = ""

    @property
    def weights_file(self) -> str:
        """File name under which Keras caches the ImageNet weights."""
        return self.weights_path.rsplit("/", 1)[-1]

    @property
    def weights_url(self) -> str:
        """Address from which Keras downloads the ImageNet weights."""
        return _KERAS_URL + self.weights_path


# fmt: off
_REGISTRY = {b.name: b for b in (
    Backbone("inception_v3", "keras.applications:InceptionV3", "tf", "mixed10", 2048, 299, 75, 21.8, 5.71, "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5", "bcbd6486424b2319ff4ef7d526e38f63"),  # noqa: E501
    Backbone("xception", "keras.applications:Xception", "tf", "block14_sepconv2_act", 2048, 299, 71, 20.9, 8.36, "xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5", "b0042744bf5b25fce3cb969f33bebb97"),  # noqa: E501
    Backbone("mobilenet_v2", "keras.applications:MobileNetV2", "tf", "out_relu", 1280, 224, 32, 2.3, 0.30, "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),  # noqa: E501
    Backbone("resnet50", "keras.applications:ResNet50", "caffe", "conv5_block3_out", 2048, 224, 32, 23.6, 3.86, "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"),  # noqa: E501
    Backbone("efficientnet_v2_b0", "keras.applications:EfficientNetV2B0", "none", "top_activation", 1280, 224, 32, 5.9, 0.72, "efficientnet_v2/efficientnetv2-b0_notop.h5", "893217f2bb855e2983157299931e43ff"),  # noqa: E501
    Backbone("efficientnet_v2_s", "keras.applications:EfficientNetV2S", "none", "top_activation", 1280, 384, 32, 20.3, 8.36, "efficientnet_v2/efficientnetv2-s_notop.h5", "af0682fb74e8c54910f2d4393339c070"),  # noqa: E501
    Backbone("convnext_tiny", "keras.applications:ConvNeXtTiny", "none", "layer_normalization", 768, 224, 32, 27.8, 4.45, "convnext/convnext_tiny_notop.h5", "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"),  # noqa: E501
    Backbone("mobilenet_v3_large", "keras.applications:MobileNetV3Large", "none", "activation_19", 960, 224, 32, 3.0, 0.21, "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5", "07fb09a5933dd0c8eaafa16978110389"),  # noqa: E501
    Backbone("densenet121", "keras.applications:DenseNet121", "torch", "relu", 1024, 224, 32, 7.0, 2.83, "densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5", "30ee3e1110167f948a6b9946edeeb738"),  # noqa: E501
    Backbone("efficientnet_lite0", "plankton_features.embedding.efficientnet_lite:efficientnet_lite0", "lite", "top", 1280, 224, 32, 3.4, 0.38, "", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),  # noqa: E501
    Backbone("pixels", "", "none", "thumbnail", 64, 64, 8, 0.0, 0.0),
)}
# fmt: on

DEFAULT_BACKBONE = "inception_v3"
OFFLINE_BACKBONE = "efficientnet_lite0"
MAX_CANVAS = 4096


def list_backbones() -> list[Backbone]:
    """All backbones, in the order they are shown.

    Returns
    -------
    list of Backbone
    """
    return list(_REGISTRY.values())


def get_backbone(name: str) -> Backbone:
    """Look a backbone up.

    Parameters
    ----------
    name : str

    Returns
    -------
    Backbone

    Raises
    ------
    InputError
        If there is none of that name. ``auto`` is none: `make_recipe` puts one in its place.
    """
    if name not in _REGISTRY:
        raise InputError(f"backbone '{name}' is not known. Choose one of: {', '.join(_REGISTRY)}.")
    return _REGISTRY[name]


def check_canvas(backbone: Backbone, canvas: int) -> None:
    """Refuse canvases that a network cannot take.

    Parameters
    ----------
    backbone : Backbone
    canvas : int
        Side in pixels.

    Raises
    ------
    InputError
        If it is too small for the network, or above `MAX_CANVAS`.
    """
    if not backbone.min_canvas <= canvas <= MAX_CANVAS:
        raise InputError(f"canvas: {backbone.name} takes {backbone.min_canvas} to {MAX_CANVAS} px, "
                         f"got {canvas}.")
