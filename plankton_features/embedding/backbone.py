"""A backbone: what is known of a network before it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plankton_features.embedding.registry import Hook
from plankton_features.errors import InputError

MAX_CANVAS = 4096


@dataclass(frozen=True)
class Backbone:
    """What is known of a network before it is built.

    Hooks are functions, or say where to find one (``module:name``) so that nothing heavy is
    imported before it is needed.

    Attributes
    ----------
    name : str
        Letters, digits, ``_ . + -``.
    family : str
        Of architectures.
    description : str
        One line for people, with its source.
    licence : str
        Of the weights that can be had, empty if there are none.
    normalization : {"tf", "caffe", "torch", "lite", "none"}
        What its weights expect of pixels: -1..1; BGR minus ImageNet's mean; 0..1 minus
        ImageNet's mean by its deviation; (x - 127) / 128; 0..255.
    last_layer : str
        Layer of its last activation map, which is what Keras' network gives without its
        classification layers.
    channels : int
        Values of that layer: channels of the last map.
    canvas : int
        Side in pixels of the canvas it was trained at.
    min_canvas : int
        Smallest side in pixels that it accepts.
    parameters, multiply_adds : float
        Millions of parameters without the classification layer; billions of multiply-adds for
        one canvas of the training size.
    kind : str
        ``keras``, or another kind of network: engines say which kinds they run, see
        `EngineEntry`. Empty if no engine runs it.
    factory : hook
        Of a Keras network: builds it without classification layers from ``input_shape``, for
        functions of `keras.applications` from ``include_top`` and ``weights`` too.
    opens : hook
        Of what needs no engine: from recipe and batch to an `Engine` of its own.
    defaults : mapping
        Fields of `Recipe` that measured best with its weights, where a preset says nothing else.
    has_weights : bool
        Whether it has weights at all.
    weights_url : str
        Where its makers publish its ImageNet weights, empty if nowhere.
    weights_package : str
        What to give to pip if they come with a package.
    weights_finder : hook
        Returns the path of that package's file, or raises `WeightsError`.
    weights_digest : str
        MD5 or SHA-256 of the weight file as its makers publish it; empty if they publish none.
    weights_suffixes : tuple of str
        Of further weight files that it can be filled from, besides Keras' own.
    fills : hook
        Fills the Keras network from such a file: from model and path.
    openvino : hook
        From recipe and such a file to OpenVINO's model and the blocks of its vector, for which
        TensorFlow is not needed.
    """

    name: str
    normalization: str
    last_layer: str
    channels: int
    canvas: int
    min_canvas: int
    family: str = ""
    description: str = ""
    licence: str = ""
    parameters: float = 0.0
    multiply_adds: float = 0.0
    kind: str = "keras"
    factory: Hook = ""
    opens: Hook = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    has_weights: bool = True
    weights_url: str = ""
    weights_package: str = ""
    weights_finder: Hook = ""
    weights_digest: str = ""
    weights_suffixes: tuple[str, ...] = ()
    fills: Hook = ""
    openvino: Hook = ""

    @property
    def weights_file(self) -> str:
        """File name under which Keras caches the ImageNet weights; empty if it downloads none."""
        return self.weights_url.rsplit("/", 1)[-1]


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
