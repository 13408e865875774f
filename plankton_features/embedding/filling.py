"""Fill a backbone with its weights, from a file or from a seed."""

from __future__ import annotations

from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.array_file import check_arrays
from plankton_features.embedding.backbones import OFFLINE_BACKBONE, Backbone
from plankton_features.errors import WeightsError


def fill_randomly(model: Any, seed: int) -> None:
    """Draw the kernels of a network; the other weights keep the values they begin with.

    The same seed gives the same weights on every machine, whatever was built or drawn before.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    seed : int

    Notes
    -----
    Uniform with variance 1 / (inputs of a unit) (LeCun et al. 1998, doi:10.1007/3-540-49430-8_2).
    Larger variances suit plain rectifier networks, but make deep residual ones chaotic: their
    vectors then differ by tens of per cent between float32 and bfloat16.
    """
    for i, weight in enumerate(model.trainable_weights):
        if len(weight.shape) > 1:
            draw = np.random.default_rng([seed, i]).uniform(-1, 1, weight.shape)
            weight.assign((draw * sqrt(3 / _inputs(weight.shape))).astype(np.float32))


def _inputs(shape: tuple[int, ...]) -> int:
    """Inputs of one unit; of depthwise kernels the last axis is 1 and each channel is a unit."""
    return prod(shape[:2] if shape[-1] == 1 else shape[:-1])


def fill_from_file(model: Any, backbone: Backbone, file: Path) -> None:
    """Read the weights of a network.

    Only arrays are read, from ``.keras`` files too: what else such a file holds, which could
    name code, is left alone.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    backbone : Backbone
    file : Path
        ``.h5`` as `keras.applications` downloads it, ``.weights.h5``, ``.keras``, or for
        efficientnet_lite0 ``.pth``.

    Raises
    ------
    WeightsError
        If the file does not hold these weights. The model may then be filled in part.
    """
    try:
        if file.suffix == ".pth" and backbone.name == OFFLINE_BACKBONE:
            from plankton_features.embedding.efficientnet_lite import load_torch_weights

            load_torch_weights(model, file)
        else:
            check_arrays(file)
            model.load_weights(file)
    except WeightsError:
        raise
    # Keras raises a dozen kinds of errors on a file that is not what it expects.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        expected = backbone.weights_file or "the one that comes with the package"
        raise WeightsError(
            f"{file}: does not hold weights of {backbone.name} without its classification layers "
            f"({reason}). Expected a file like {expected}, or .weights.h5 or .keras of the same "
            "network; give the matching --backbone."
        ) from error
