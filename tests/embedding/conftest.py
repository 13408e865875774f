"""What the tests of this room share: a cache of their own, canvases, weight files."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from plankton_features.embedding import (
    EngineOptions,
    Recipe,
    get_backbone,
    open_engine,
    resolve_weights,
)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Nothing is read from, or left in, the folders of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANKTON_FEATURES_CACHE", str(folder / "converted"))
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        yield folder


@pytest.fixture(scope="session")
def make():
    """Make a recipe with a backbone's last layer, canvas and normalization."""

    def make_one(backbone="pixels", weights=None, **options):
        known = get_backbone(backbone)
        own = {"layers": known.last_layer, "canvas": known.canvas,
               "normalization": known.normalization}
        identity = weights or ("random:0" if known.has_weights else "none")
        return Recipe(backbone, identity, **{**own, **options})

    return make_one


@pytest.fixture(scope="session")
def draw_canvases():
    """Canvases of blobs on a ground of noise, different in each corner and channel."""

    def draw(n, side, seed=0):
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[:side, :side] / side
        at, width = rng.uniform(0.2, 0.8, (2, n, 1, 1, 3)), rng.uniform(0.02, 0.2, (n, 1, 1, 3))
        away = (rows[None, :, :, None] - at[0]) ** 2 + (columns[None, :, :, None] - at[1]) ** 2
        ground = rng.uniform(150, 255, (n, side, side, 3))
        return (ground * (1 - 0.8 * np.exp(-away / width**2))).astype(np.uint8)

    return draw


@pytest.fixture(scope="session")
def difference():
    """Largest absolute difference by largest absolute value."""
    return lambda got, expected: float(np.abs(got - expected).max() / np.abs(expected).max())


@pytest.fixture(scope="session")
def write_keras_h5():
    """Write weights in the layout of the files that `keras.applications` downloads."""

    def write(model, path: Path):
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
            file.attrs["backend"] = b"tensorflow"
            file.attrs["keras_version"] = b"2.0.0"
            for layer in model.layers:
                group = file.create_group(layer.name)
                names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
                group.attrs["weight_names"] = [name.encode() for name in names]
                for name, weight in zip(names, layer.weights, strict=True):
                    group[name] = np.asarray(weight)
        return path

    return write


@pytest.fixture(scope="session")
def save_with_keras():
    """Save a network, or with ``.weights.h5`` its weights."""

    def save(model, path: Path):
        with warnings.catch_warnings():
            # Keras 3.15 converts its variables in a way that NumPy 2 deprecates.
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            (model.save_weights if path.name.endswith(".weights.h5") else model.save)(path)
        return path

    return save


@pytest.fixture(scope="session")
def fill_all():
    """Fill a network with weights that all differ from their first values, also in batch norms."""

    def fill(model, seed):
        rng = np.random.default_rng(seed)
        for weight in model.weights:
            shape = weight.shape
            if len(shape) > 1:
                value = rng.normal(0, np.sqrt(1.5 / np.prod(shape[:-1])), shape)
            elif "variance" in weight.name or "gamma" in weight.name:
                value = rng.uniform(0.7, 1.3, shape)
            else:
                value = rng.normal(0, 0.1, shape)
            weight.assign(value.astype(np.float32))
        return model

    return fill


@pytest.fixture(scope="session")
def recipe(make):
    """Of a small network with random weights."""
    return make("mobilenet_v2", "random:3", canvas=32)


@pytest.fixture(scope="session")
def weights(recipe):
    """Of `recipe`."""
    return resolve_weights(recipe.backbone, recipe.weights)


@pytest.fixture(scope="session")
def opened(recipe, weights):
    """One engine of each kind that runs `recipe`, with a batch of 3."""
    return {name: open_engine(recipe, weights, EngineOptions(name, batch=3))
            for name in ("tensorflow", "openvino")}


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache of converted networks."""
    monkeypatch.setenv("PLANKTON_FEATURES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
