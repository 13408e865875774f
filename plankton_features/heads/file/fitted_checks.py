"""A stored pipeline is one that scikit-learn could have fitted, or it is refused.

Scikit-learn believes what it fitted: it follows labels of neighbours and nodes of trees without
looking whether they exist, and reads as many values of a row as its input has. A forged file could
crash the process, or show what else lies in memory. So each step is checked against the one
before, and the last one against the classes, before any of their code runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelBinarizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from plankton_features.errors import HeadError
from plankton_features.heads.file.stored_values import (
    MOST,
    TREE_COLUMNS,
    WHOLE,
    Stored,
    checked_array,
)

#: Steps, layers.
_MOST_PARTS = 50
#: Trees; a forest with more takes minutes to load and to predict a row.
_MOST_TREES = 10_000
_SMALLEST = 1 / MOST
#: Distances that need no further numbers.
_METRICS = ("minkowski", "euclidean", "l2", "sqeuclidean", "manhattan", "l1", "cityblock",
            "chebyshev", "cosine", "correlation", "canberra", "braycurtis")
_INPUT = ("n_features_in_",)
_CLASSES = (*_INPUT, "classes_")
#: What fitting adds to the parameters.
_FITTED: dict[type, tuple[str, ...]] = {
    StandardScaler: (*_INPUT, "n_samples_seen_", "mean_", "var_", "scale_"),
    PCA: (*_INPUT, "_fit_svd_solver", "mean_", "noise_variance_", "n_samples_", "n_components_",
          "components_", "explained_variance_", "explained_variance_ratio_", "singular_values_"),
    LogisticRegression: (*_CLASSES, "n_iter_", "coef_", "intercept_"),
    LinearDiscriminantAnalysis: (
        *_CLASSES, "priors_", "_max_components", "means_", "xbar_", "explained_variance_ratio_",
        "scalings_", "intercept_", "coef_", "covariance_", "_n_features_out"),
    KNeighborsClassifier: (
        *_CLASSES, "outputs_2d_", "_y", "effective_metric_params_", "effective_metric_",
        "_fit_method", "_fit_X", "n_samples_fit_", "_tree"),
    MLPClassifier: (
        *_CLASSES, "_label_binarizer", "n_outputs_", "n_iter_", "t_", "n_layers_",
        "out_activation_", "coefs_", "intercepts_", "_best_coefs", "_best_intercepts",
        "loss_curve_", "_no_improvement_count", "validation_scores_", "best_validation_score_",
        "best_loss_", "loss_"),
    LabelBinarizer: ("y_type_", "sparse_input_", "classes_"),
    RandomForestClassifier: (
        *_CLASSES, "estimator", "estimator_params", "_n_samples", "n_outputs_", "n_classes_",
        "_sample_weight", "_n_samples_bootstrap", "estimator_", "estimators_", "_tree_arrays",
        "oob_score_", "oob_decision_function_"),
    DecisionTreeClassifier: (*_CLASSES, "n_outputs_", "n_classes_", "max_features_"),
}


def check_pipeline(pipeline: Any, width: int, n_classes: int) -> None:
    """Refuse a pipeline of other steps, or with numbers that do not fit each other.

    Parameters
    ----------
    pipeline : Pipeline
        Of a file; of a forest the trees are still arrays, which `forest_arrays` checks.
        Attributes that fitting does not make are taken away.
    width : int
        Values in a vector.
    n_classes : int
        K.

    Raises
    ------
    HeadError
        Which names the first part that cannot be right.
    """
    *before, last = _steps(pipeline)
    for step in before:
        if not isinstance(step, str):
            _need(type(step) in _BEFORE, "steps")
            width = _BEFORE[type(step)](_stored(step), width)
    _need(type(last) in _LAST, "last step")
    _LAST[type(last)](_stored(last), width, n_classes)


def _steps(pipeline: Any) -> list[Any]:
    _need(type(pipeline) is Pipeline, "outermost object")
    pairs = vars(pipeline).get("steps")
    _need(type(pairs) is list and 1 <= len(pairs) <= _MOST_PARTS
          and all(type(pair) is tuple and len(pair) == 2 and type(pair[0]) is str
                  for pair in pairs), "list of steps")
    _need(len({name for name, _ in pairs}) == len(pairs), "names of steps")
    steps = [step for _, step in pairs]
    _need(all(step == "passthrough" for step in steps if isinstance(step, str)), "steps")
    return steps


def _stored(owner: Any) -> Stored:
    return Stored(owner, _FITTED[type(owner)])


def _scaler(scaler: Stored, width: int) -> int:
    scaler.number("n_features_in_", width)
    if scaler.equal("with_mean", True, False):
        scaler.array("mean_", (width,))
    if scaler.equal("with_std", True, False):
        scaler.array("scale_", (width,), least=_SMALLEST)
    return width


def _pca(pca: Stored, width: int) -> int:
    n = pca.whole("n_components_")
    pca.number("n_features_in_", width)
    pca.need("n_components_", 1 <= n <= width, f"1 to {width}")
    pca.array("components_", (n, width))
    pca.array("mean_", (width,))
    pca.array("explained_variance_", (n,), least=0)
    pca.equal("whiten", True, False)
    return n


def _linear(model: Stored, width: int, n_classes: int) -> None:
    model.number("n_features_in_", width)
    seen = model.classes(n_classes, least=2)
    rows = seen if seen > 2 else 1  # of two, scikit-learn keeps the difference
    model.array("coef_", (rows, width))
    model.array("intercept_", (rows,))


def _neighbors(model: Stored, width: int, n_classes: int) -> None:
    model.number("n_features_in_", width)
    seen, n = model.classes(n_classes), model.whole("n_samples_fit_")
    rows = model.array("_fit_X", (n, width))
    model.need("_fit_X", bool(rows.flags.c_contiguous), "rows that lie one after the other")
    labels = model.array("_y", (n,), (np.dtype(np.intp).name,), least=0)
    model.need("n_samples_fit_", n >= 1, "1 or more")
    model.need("_y", bool(labels.max() < seen), f"labels 0..{seen - 1}")
    model.need("n_neighbors", 1 <= model.whole("n_neighbors") <= n, f"1 to {n}")
    model.equal("weights", "uniform", "distance")
    model.equal("outputs_2d_", False)
    model.equal("metric_params", None)
    for name in ("metric", "effective_metric_"):
        model.equal(name, *_METRICS)
    model.equal("_fit_method", "brute", "kd_tree", "ball_tree")
    model.equal("_tree", None)
    _check_powers(model)


def _check_powers(model: Stored) -> None:
    """Exponents of Minkowski distances, twice."""
    further = model.get("effective_metric_params_")
    model.need("effective_metric_params_", type(further) is dict and set(further) <= {"p"},
               "p or nothing")
    for name, power in [("p", model.get("p")),
                        *(("effective_metric_params_", p) for p in further.values())]:
        model.need(name, type(power) in (int, float) and 0 < power <= 1000, "0 to 1000")


def _perceptron(model: Stored, width: int, n_classes: int) -> None:
    model.number("n_features_in_", width)
    seen = model.classes(n_classes, least=2)
    outputs = seen if seen > 2 else 1
    model.number("n_outputs_", outputs)
    model.equal("out_activation_", "softmax" if seen > 2 else "logistic")
    model.equal("activation", "relu", "tanh", "logistic", "identity")
    kernels, biases = (_arrays(model, name) for name in ("coefs_", "intercepts_"))
    model.need("intercepts_", len(biases) == len(kernels), f"{len(kernels)} of them")
    model.number("n_layers_", len(kernels) + 1)
    widths = [width, *(bias.size for bias in biases[:-1]), outputs]
    for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        checked_array(kernel, (widths[i], widths[i + 1]), called=f"MLPClassifier.coefs_[{i}]")
        checked_array(bias, (widths[i + 1],), called=f"MLPClassifier.intercepts_[{i}]")
    _check_binarizer(model, seen)


def _forest(model: Stored, width: int, n_classes: int) -> None:
    seen = model.classes(n_classes)
    trees = model.get("estimators_")
    model.need("estimators_", type(trees) is list and len(trees) == 1
               and type(trees[0]) is DecisionTreeClassifier, "one tree, for its parameters")
    for one in (model, _stored(trees[0])):
        one.number("n_features_in_", width)
        one.number("n_outputs_", 1)
        one.number("n_classes_", seen)
    for name in ("estimator", "estimator_"):
        if isinstance(other := model.get(name), DecisionTreeClassifier):
            _stored(other)
        else:
            model.equal(name, None)
    arrays = model.get("_tree_arrays")
    model.need("_tree_arrays", type(arrays) is dict
               and all(type(arrays.get(name)) is np.ndarray for name in TREE_COLUMNS),
               "arrays of trees")
    model.number("n_estimators", arrays["n_nodes"].size)
    model.need("n_estimators", arrays["n_nodes"].size <= _MOST_TREES, f"up to {_MOST_TREES:,}")


def _arrays(model: Stored, name: str) -> list[np.ndarray]:
    values: list[np.ndarray] = model.get(name)
    model.need(name, type(values) is list and 1 <= len(values) <= _MOST_PARTS
               and all(type(value) is np.ndarray for value in values), "a list of arrays")
    return values


def _check_binarizer(model: Stored, seen: int) -> None:
    """What turns outputs into classes, for those who ask the pipeline itself."""
    binarizer = model.get("_label_binarizer")
    model.need("_label_binarizer", type(binarizer) is LabelBinarizer, "a LabelBinarizer")
    own = _stored(binarizer)
    classes = own.array("classes_", (seen,), WHOLE, 0)
    own.need("classes_", np.array_equal(classes, model.get("classes_")), "those of the classifier")
    own.equal("y_type_", "multiclass" if seen > 2 else "binary")
    own.equal("sparse_input_", False)


_BEFORE = {StandardScaler: _scaler, PCA: _pca}
_LAST = {LogisticRegression: _linear, LinearDiscriminantAnalysis: _linear,
         KNeighborsClassifier: _neighbors, MLPClassifier: _perceptron,
         RandomForestClassifier: _forest}


def _need(fits: bool, what: str) -> None:
    if not fits:
        raise HeadError(f"the pipeline's {what} cannot be right; a head is made of scaler, PCA and "
                        "one of fit-head's classifiers")
