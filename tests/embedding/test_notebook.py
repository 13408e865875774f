"""The preset ``notebook``, from file to vector, against the same steps written out plainly.

The reference reads with scikit-image, pads with NumPy, scales and predicts with Keras.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from plankton_features import ImageEmbedder

pytestmark = pytest.mark.tensorflow

SIDE = 299
# Height and width: odd and even, smaller and larger than the canvas, both at once, and equal.
SHAPES = [(41, 64), (120, 33), (299, 299), (300, 120), (77, 402), (411, 350), (298, 301), (9, 14)]


def draw_vignette(rng, height, width, channels):
    """A dark organism with a bright ground around it."""
    rows, columns = np.mgrid[-1:1:height * 1j, -1:1:width * 1j]
    body = np.exp(-3 * (rows**2 + (columns - 0.2 * rows) ** 2))[..., None]
    grey = 235 - 190 * body + rng.normal(0, 12, (height, width, channels))
    return np.clip(grey, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """PNG and JPEG, grey and RGB, of all sizes."""
    folder = tmp_path_factory.mktemp("vignettes")
    rng = np.random.default_rng(11)
    paths = []
    for i, (height, width) in enumerate(SHAPES):
        for suffix in ("png", "jpg"):
            channels = 1 if (i + (suffix == "jpg")) % 2 else 3
            pixels = draw_vignette(rng, height, width, channels)
            paths.append(folder / f"{height}x{width}x{channels}.{suffix}")
            Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(paths[-1], quality=90)
    return paths


def centre(image):
    """Cut the centre out, then pad with white around it."""
    height, width = image.shape[:2]
    top, left = max(0, (height - SIDE) // 2), max(0, (width - SIDE) // 2)
    image = image[top : top + SIDE, left : left + SIDE]
    above, before = (SIDE - image.shape[0]) // 2, (SIDE - image.shape[1]) // 2
    below, after = SIDE - image.shape[0] - above, SIDE - image.shape[1] - before
    sides = [(above, below), (before, after), *[(0, 0)] * (image.ndim - 2)]
    return np.pad(image, sides, constant_values=255)


@pytest.fixture(scope="module")
def embedders():
    return {engine: ImageEmbedder("notebook", weights="random:9", engine=engine, batch=6).fit()
            for engine in ("tensorflow", "openvino")}


@pytest.fixture(scope="module")
def predict(embedders):
    """The plain network, with the weights of the embedders."""
    import keras

    from plankton_features.embedding.network import load_backbone

    base = keras.applications.InceptionV3(include_top=False, weights=None,
                                          input_shape=(SIDE, SIDE, 3))
    base.set_weights(load_backbone(embedders["tensorflow"].recipe_, None).get_weights())
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    model = keras.Model(base.input, pooled)
    return lambda values: model.predict(values, batch_size=8, verbose=0)


@pytest.fixture(scope="module")
def values(files):
    """What goes into the plain network."""
    from keras.applications.inception_v3 import preprocess_input
    from skimage.color import gray2rgb
    from skimage.io import imread

    images = [centre(imread(path)) for path in files]
    images = [gray2rgb(image) if image.ndim == 2 else image for image in images]
    return preprocess_input(np.stack(images).astype(np.float32))


@pytest.fixture(scope="module")
def expected(predict, values):
    return predict(values)


def test_files_are_of_every_kind(files):
    from skimage.io import imread

    kinds = {(path.suffix, imread(path).ndim) for path in files}
    assert kinds == {(".png", 2), (".png", 3), (".jpg", 2), (".jpg", 3)}


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
def test_the_notebook_is_reproduced(embedders, expected, files, difference, engine):
    got = embedders[engine].transform(files)
    assert got.shape == (len(SHAPES) * 2, 2048)
    assert got.dtype == np.float32
    assert difference(got, expected) < 1e-4
    for one, other in zip(got, expected, strict=True):
        assert difference(one, other) < 1e-4


def test_a_shift_by_one_pixel_would_be_seen(predict, values, expected, difference):
    shifted = predict(np.roll(values, 1, axis=1))
    assert min(map(difference, shifted, expected)) > 2e-4
