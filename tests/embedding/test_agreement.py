"""Both engines against plain Keras on the same canvases.

The reference shares nothing with the package but the weights: the network of keras.applications
called as it is, Keras' own scaling of pixels, and means and maxima in NumPy. Differences are the
largest absolute one by the largest absolute value.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plankton_features.embedding import EngineOptions, Recipe, Weights, open_engine, resolve_weights
from plankton_features.embedding.efficientnet_lite import efficientnet_lite0, weights_file
from plankton_features.embedding.network import load_backbone
from plankton_features.errors import EngineError

pytestmark = pytest.mark.tensorflow

ENGINES = ("tensorflow", "openvino")
REAL_FILE = os.environ.get("PLANKTON_FEATURES_TEST_WEIGHTS", "")
FLOAT32_LIMIT = 1e-4
# Trained weights amplify the rounding of bfloat16 more than random ones, and those of
# EfficientNet-Lite0 most: its early layers have channels of very different sizes.
BFLOAT16_LIMITS = {"inception_random": 0.01, "inception_real": 0.05, "efficientnet_lite": 0.2}


@dataclass
class Case:
    """A recipe, its weights, canvases, and the vectors that plain Keras gives for them."""

    recipe: Recipe
    weights: Weights
    canvases: np.ndarray
    expected: np.ndarray


def plain_vectors(model: Any, values: np.ndarray) -> np.ndarray:
    maps = np.asarray(model(values, training=False))
    return np.concatenate([maps.mean(axis=(1, 2)), maps.max(axis=(1, 2))], axis=1)


def plain_inception(side: int, weights: list[np.ndarray] | None = None, file: str = "") -> Any:
    import keras

    model = keras.applications.InceptionV3(include_top=False, weights=None,
                                           input_shape=(side, side, 3))
    if file:
        model.load_weights(file)
    else:
        model.set_weights(weights)
    return model


@pytest.fixture(scope="module")
def case_of(make, draw_canvases, fill_all, write_keras_h5, tmp_path_factory):
    """Make the case of a name, once."""
    made: dict[str, Case] = {}

    def inception(spec, side, reference=None):
        import keras

        found = resolve_weights("inception_v3", spec)
        recipe = make("inception_v3", found.identity, canvas=side, pooling=("avg", "max"))
        canvases = draw_canvases(2, side)
        if reference is None:
            reference = plain_inception(side, load_backbone(recipe, None).get_weights())
        values = keras.applications.inception_v3.preprocess_input(canvases.astype(np.float32))
        return Case(recipe, found, canvases, plain_vectors(reference, values))

    def inception_random():
        return inception("random:5", 299)

    def inception_file():
        import keras

        source = fill_all(keras.applications.InceptionV3(
            include_top=False, weights=None, input_shape=(107, 107, 3)), 5)
        file = write_keras_h5(source, tmp_path_factory.mktemp("weights") / "inception_notop.h5")
        return inception(str(file), 107, source)

    def inception_real():
        return inception(REAL_FILE, 139, plain_inception(139, file=REAL_FILE))

    def efficientnet_lite():
        found = resolve_weights("efficientnet_lite0")
        recipe = make("efficientnet_lite0", found.identity, canvas=128, pooling=("avg", "max"))
        canvases = draw_canvases(4, 128)
        model = efficientnet_lite0(weights_file(), input_shape=(128, 128, 3))
        values = (canvases.astype(np.float32) - 127) / 128
        return Case(recipe, found, canvases, plain_vectors(model, values))

    makers = {f.__name__: f for f in (inception_random, inception_file, inception_real,
                                      efficientnet_lite)}

    def get(name):
        if name not in made:
            made[name] = makers[name]()
        return made[name]

    return get


def real_file(*values):
    missing = pytest.mark.skipif(not REAL_FILE, reason="PLANKTON_FEATURES_TEST_WEIGHTS is not set")
    return pytest.param(*values, marks=missing)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "precision"), [
    ("inception_random", "float32"),
    ("inception_random", "bfloat16"),
    ("inception_file", "float32"),
    ("efficientnet_lite", "float32"),
    ("efficientnet_lite", "bfloat16"),
    real_file("inception_real", "float32"),
    real_file("inception_real", "bfloat16"),
])
def test_engines_agree_with_plain_keras(case_of, difference, name, engine, precision):
    case = case_of(name)
    assert Path(REAL_FILE).is_file() or name != "inception_real"
    recipe = replace(case.recipe, precision=precision)
    try:
        one = open_engine(recipe, case.weights, EngineOptions(engine, batch=len(case.canvases)))
    except EngineError as error:
        if precision == "float32" or "this processor would compute in" not in str(error):
            raise
        pytest.skip(str(error))
    got = one.submit(case.canvases)()
    assert got.shape == case.expected.shape
    halves = [difference(g, e) for g, e in zip(np.split(got, 2, axis=1),
                                               np.split(case.expected, 2, axis=1), strict=True)]
    print(f"{name} {engine} {precision}: average {halves[0]:.1e}, maximum {halves[1]:.1e}")
    assert max(halves) < (FLOAT32_LIMIT if precision == "float32" else BFLOAT16_LIMITS[name])
