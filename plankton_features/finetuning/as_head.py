"""The classification layers of a trained network as a head, which classifies its vectors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from plankton_features.errors import InputError
from plankton_features.heads.head import Head

#: Below the lowest logit without values: where classes begin that a head does not know.
UNLIKELY = 5.0

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


def as_pipeline(top: Any, source: NDArray[np.float64]) -> Pipeline:
    """Classification layers as a scikit-learn pipeline of one step.

    Parameters
    ----------
    top : keras.Model
        See `Network`.
    source : ndarray of float64, shape (K,)
        Class frequencies of training; classes of frequency 0 are left out.

    Returns
    -------
    Pipeline
        Its probabilities are the softmax of the layers' logits over the classes kept.
    """
    names = [layer.name for layer in top.layers if layer.name in ("hidden", "classes")]
    layers = [_arrays(top.get_layer(name)) for name in names]
    seen = np.flatnonzero(source > 0)
    kernel, bias = (values[..., seen] for values in layers[-1])
    if len(seen) == 2:  # scikit-learn has one logit then
        kernel, bias = (values[..., 1:] - values[..., :1] for values in (kernel, bias))
    layers[-1] = (kernel, bias)
    make = _logistic if len(layers) == 1 else _perceptron
    return Pipeline([("classifier", make(layers, seen))])


def first_weights(head: Head, n_classes: int) -> Layer:
    """Weights of a linear layer that answers as a fitted head does, at equal vectors.

    Parameters
    ----------
    head : Head
        Of scaler, PCA and logistic regression.
    n_classes : int

    Returns
    -------
    kernel : ndarray of float32, shape (d, K)
    bias : ndarray of float32, shape (K,)

    Raises
    ------
    InputError
        If its classifier is not linear.
    """
    steps = [step for _, step in head.pipeline.steps if not isinstance(step, str)]
    last = steps[-1]
    if not hasattr(last, "coef_"):
        raise InputError(f"--from: expected a head of --classifier logistic or lda, got "
                         f"{type(last).__name__}, which is not linear.")
    coefficients, bias = _all_rows(last.coef_), _all_rows(last.intercept_)
    for step in reversed(steps[:-1]):  # each is x -> (x - mean) @ matrix
        shift, matrix = _affine(step)
        bias = bias - coefficients @ (shift @ matrix if matrix.ndim == 2 else shift * matrix)
        coefficients = coefficients @ matrix.T if matrix.ndim == 2 else coefficients * matrix
    kernel = np.zeros((len(head.feature_names), n_classes))
    offset = np.full(n_classes, bias.min() - UNLIKELY)
    kernel[:, last.classes_], offset[last.classes_] = coefficients.T, bias
    return kernel.astype(np.float32), offset.astype(np.float32)


def _affine(step: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean, and scale of each value (1-d) or projection (d, components)."""
    if hasattr(step, "components_"):
        return step.mean_, step.components_.T
    if hasattr(step, "scale_"):
        return step.mean_, 1 / step.scale_
    raise InputError(f"--from: a head with {type(step).__name__} cannot be taken over.")


def _all_rows(values: np.ndarray) -> NDArray[np.float64]:
    """One row for each class, where scikit-learn keeps the difference of two."""
    values = np.asarray(values, np.float64)
    return np.concatenate([-values / 2, values / 2]) if len(values) == 1 else values


def _arrays(layer: Any) -> Layer:
    kernel, bias = (np.array(weight.numpy(), np.float32) for weight in layer.weights)
    return kernel, bias


def _logistic(layers: list[Layer], seen: NDArray[np.int64]) -> LogisticRegression:
    kernel, bias = layers[0]
    model = LogisticRegression()
    model.coef_, model.intercept_ = np.ascontiguousarray(kernel.T), bias
    model.classes_, model.n_features_in_ = seen, kernel.shape[0]
    model.n_iter_ = np.zeros(1, np.int32)
    return model


def _perceptron(layers: list[Layer], seen: NDArray[np.int64]) -> MLPClassifier:
    """One step of fitting makes all that scikit-learn needs; then the weights are put in."""
    model = MLPClassifier((layers[0][0].shape[1],), max_iter=1, solver="adam", random_state=0)
    rows = np.zeros((len(seen), layers[0][0].shape[0]), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, seen)
    model.coefs_, model.intercepts_ = [k for k, _ in layers], [b for _, b in layers]
    return model
