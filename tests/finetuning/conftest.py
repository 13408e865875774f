from dataclasses import dataclass

import numpy as np
import pytest
from tiny_network import SIDE, registered

from plankton_features.embedding import make_recipe
from plankton_features.finetuning.draws import expected_counts
from plankton_features.finetuning.frequencies import implied_frequencies
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.phases import Parts
from plankton_features.finetuning.training import Job, train

CLASSES = 3


@pytest.fixture(scope="session", autouse=True)
def tiny():
    """A backbone that trains in a second, in the registry."""
    with registered() as known:
        yield known


@dataclass
class Bench:
    """A tiny training: 3 classes of bars at different places, a network of 3 blocks."""

    canvases: np.ndarray
    y: np.ndarray
    recipe: object
    weights: object

    def job(self, folder, key=None, **options):
        folder.mkdir(exist_ok=True)
        chosen = TuneOptions(**{"epochs": 2, "head_epochs": 2, "batch": 8, "base_rate": 1e-3,
                                "augment": "none", **options})
        n = len(self.y)
        train_rows = np.arange(n)[np.arange(n) % 4 > 0]
        validation = np.arange(n)[np.arange(n) % 4 == 0]
        counts = np.bincount(self.y[train_rows], minlength=CLASSES)
        drawn = expected_counts(self.y[train_rows], CLASSES, **chosen.draws)
        parts = Parts(self.y, CLASSES, train_rows, validation[::2], validation[1::2],
                      implied_frequencies(drawn, drawn, chosen.sampler, chosen.tau) * drawn.sum(),
                      counts.astype(float), drawn)
        return Job(self.recipe, self.weights, self.canvases, parts, chosen, folder, key or {})

    def train(self, folder, **options):
        return train(self.job(folder, **options))


@pytest.fixture(scope="session")
def bench(tiny):
    recipe, weights, _ = make_recipe("fast", backbone="tiny", weights="random:0", canvas=SIDE)
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(CLASSES), (24, 16, 8)))
    canvases = rng.integers(200, 256, (len(y), SIDE, SIDE)).astype(np.uint8)
    for canvas, label in zip(canvases, y, strict=True):
        canvas[4 + 8 * label : 10 + 8 * label, 4:28] = 30
    return Bench(canvases, y, recipe, weights)


def arrays(network):
    """Name and values of everything in a network."""
    return {f"{part.name}/{weight.path}": np.array(weight.numpy())
            for part in (network.trunk, network.top) for weight in part.weights}


@pytest.fixture
def values():
    """The function that reads all arrays of a network."""
    return arrays
