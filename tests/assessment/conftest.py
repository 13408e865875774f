import numpy as np
import pytest


def draw(seed, n_rows=400, n_classes=5):
    """Labels and probabilities of a mediocre classifier; class frequencies fall off."""
    rng = np.random.default_rng(seed)
    prior = 0.6 ** np.arange(n_classes)
    y = rng.choice(n_classes, n_rows, p=prior / prior.sum())
    logits = rng.normal(size=(n_rows, n_classes)) + 1.2 * np.eye(n_classes)[y]
    p = np.exp(logits)
    return y, p / p.sum(axis=1, keepdims=True)


@pytest.fixture
def drawn():
    return draw
