"""Classification layers as a head, and a head as classification layers."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features.errors import InputError
from plankton_features.finetuning.as_head import as_pipeline, first_weights
from plankton_features.heads.calibrators import fit_calibrator
from plankton_features.heads.file.persistence import load_head, save_head
from plankton_features.heads.head import Head


class Layer:
    def __init__(self, name, *arrays):
        self.name, self.weights = name, [Variable(array) for array in arrays]


class Variable:
    def __init__(self, array):
        self.array = array

    def numpy(self):
        return self.array


class Top:
    """Stands for the Keras model: layers with weights."""

    def __init__(self, n_classes, hidden, seed=0):
        rng = np.random.default_rng(seed)
        sizes = [6, hidden, n_classes] if hidden else [6, n_classes]
        names = ["hidden", "classes"] if hidden else ["classes"]
        self.arrays = [(rng.normal(size=(a, b)).astype(np.float32),
                        rng.normal(size=b).astype(np.float32))
                       for a, b in pairwise(sizes)]
        self.layers = [Layer("pooled"), *(Layer(name, *pair) for name, pair in
                                          zip(names, self.arrays, strict=True))]

    def get_layer(self, name):
        return next(layer for layer in self.layers if layer.name == name)

    def logits(self, X):
        for kernel, bias in self.arrays[:-1]:
            X = np.maximum(X @ kernel + bias, 0)
        kernel, bias = self.arrays[-1]
        return X @ kernel + bias


X = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)


@pytest.mark.parametrize("hidden", [None, 7])
@pytest.mark.parametrize("absent", [(), (1,)])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_pipeline_answers_as_the_layers(n_classes, hidden, absent, tmp_path):
    top, source = Top(n_classes, hidden), np.ones(n_classes)
    if n_classes - len(absent) < 2:
        pytest.skip("one class is left")
    source[list(absent)] = 0
    pipeline = as_pipeline(top, source)
    expected = softmax(top.logits(X)[:, source > 0], axis=1)
    assert np.allclose(pipeline.predict_proba(X), expected, atol=1e-6)
    assert pipeline.classes_.tolist() == np.flatnonzero(source).tolist()
    head = Head(pipeline, [f"c{k}" for k in range(n_classes)], source, source,
                fit_calibrator("none", [], []), None, {}, "", tuple("abcdef"), {})
    save_head(head, tmp_path / "it.head")
    assert np.array_equal(load_head(tmp_path / "it.head").decision_scores(X),
                          head.decision_scores(X))


@pytest.mark.parametrize("classifier", [
    LogisticRegression(max_iter=5000), LinearDiscriminantAnalysis()], ids=["logistic", "lda"])
@pytest.mark.parametrize("steps", [(), ("pca",), ("scale",), ("scale", "pca")], ids="-".join)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_first_weights_answer_as_the_head(classifier, steps, n_classes):
    rng = np.random.default_rng(0)
    y = np.arange(80) % n_classes
    vectors = rng.normal(size=(80, 6)) * [1, 5, 2, 1, 9, 1] + y[:, None] * np.arange(6)
    known = {"scale": StandardScaler(), "pca": PCA(3)}
    pipeline = Pipeline([*((name, known[name]) for name in steps), ("classifier", classifier)])
    head = Head(pipeline.fit(vectors, y), [f"c{k}" for k in range(n_classes)],
                np.ones(n_classes), np.ones(n_classes), fit_calibrator("none", [], []), None, {},
                "", tuple("abcdef"), {})
    kernel, bias = first_weights(head, n_classes)
    assert kernel.shape == (6, n_classes)
    assert np.allclose(softmax(vectors @ kernel + bias, axis=1), pipeline.predict_proba(vectors),
                       atol=1e-4)


def test_a_head_that_is_not_linear_is_refused():
    pipeline = Pipeline([("classifier", KNeighborsClassifier(1).fit(X, np.arange(9) % 2))])
    head = Head(pipeline, ["a", "b"], np.ones(2), np.ones(2), fit_calibrator("none", [], []),
                None, {}, "", tuple("abcdef"), {})
    with pytest.raises(InputError, match=r"--from: expected.*got KNeighborsClassifier"):
        first_weights(head, 2)
