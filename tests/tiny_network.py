"""A network that trains in a second, for tests of what is done with any network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from plankton_features.embedding import Backbone
from plankton_features.embedding.backbones import BACKBONES

SIDE = 32


def tiny_backbone(input_shape: tuple[int, int, int] = (SIDE, SIDE, 3)) -> Any:
    """Three blocks of convolution, batch normalisation and rectifier, and a top."""
    import keras

    x = image = keras.Input(input_shape, name="image")
    for i in (1, 2, 3):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name=f"block{i}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"block{i}_bn")(x)
        x = keras.layers.ReLU(name=f"block{i}_out")(x)
    return keras.Model(image, keras.layers.Conv2D(16, 1, name="top")(x), name="tiny")


@contextmanager
def registered() -> Iterator[Backbone]:
    """The network is the backbone ``tiny``, for as long as the context lasts."""
    known = Backbone("tiny", "tf", "top", 16, 32, 8, factory=tiny_backbone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES._called, "tiny", known)
        yield known
