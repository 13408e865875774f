"""Heads of four overlapping classes, for tests of what is made of them."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features.heads import Head
from plankton_features.heads.calibrators import Temperature

TAXA = ("Calanus finmarchicus", "Кладоцера", "bubble", "=1+1")
D = 6


def rows(n=160, seed=0, classes=(0, 1, 2, 3)):
    """Overlapping clouds: vectors and class numbers."""
    rng = np.random.default_rng(seed)
    y = np.resize(classes, n)
    centres = np.random.default_rng(9).normal(size=(4, D))
    return (centres[y] + rng.normal(size=(n, D))).astype(np.float32), y


def fitted(last=None, classes=(0, 1, 2, 3)):
    X, y = rows(classes=classes)
    steps = [("scale", StandardScaler()), ("pca", PCA(4)),
             ("classifier", LogisticRegression(C=0.1) if last is None else last)]
    return Pipeline(steps).fit(X, y)


def make(pipeline=None, **changed):
    parts = {
        "pipeline": pipeline or fitted(), "classes": TAXA, "source": [40, 40, 40, 40],
        "target": [100, 40, 15, 5], "calibrator": Temperature(1.4), "thresholds": None,
        "recipe": {"backbone": "pixels", "layers": ["pixels"]}, "recipe_id": "a" * 12,
        "feature_names": [f"v{i}" for i in range(D)], "info": {"created": "2026-11-24"},
    }
    return Head(**{**parts, **changed})
