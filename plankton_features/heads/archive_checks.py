"""What a stored pipeline may consist of: nothing that runs code, nothing that misleads code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features.errors import HeadError

#: How skops makes an object -> the types that may be made so. Skops alone would make any of
#: scikit-learn's estimators and call any of NumPy's functions.
ALLOWED: dict[str, set[str]] = {
    "ObjectNode": {
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.decomposition._pca.PCA",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.neighbors._classification.KNeighborsClassifier",
        "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
        "sklearn.preprocessing._label.LabelBinarizer",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.tree._classes.DecisionTreeClassifier",
    },
    "DictNode": {"builtins.dict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "JsonNode": {"builtins.str"},
    "TypeNode": {"builtins.str", "builtins.int", "numpy.int64"},
    "NdArrayNode": {"numpy.ndarray", "numpy.float32", "numpy.float64", "numpy.int32",
                    "numpy.int64", "numpy.bool", "numpy.bool_"},
}
_BEFORE = (StandardScaler, PCA)
_LAST = (LogisticRegression, LinearDiscriminantAnalysis, KNeighborsClassifier, MLPClassifier,
         RandomForestClassifier)


def states(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object that a skops schema describes, outer ones first."""
    if isinstance(schema, dict):
        if "__loader__" in schema:
            yield schema
        for value in list(schema.values()):
            yield from states(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from states(value)


def check_types(schema: Any) -> None:
    """Refuse types that are not in `ALLOWED`, before anything is made of them.

    Parameters
    ----------
    schema : dict
        Skops' description of the object.

    Raises
    ------
    HeadError
        Which names them.
    """
    found = {(s["__loader__"], f"{s['__module__']}.{s['__class__']}") for s in states(schema)}
    if other := sorted(f"{name} ({how})" for how, name in found
                       if name not in ALLOWED.get(how, ())):
        raise HeadError(f"holds {', '.join(other[:5])}; a head is made of scaler, PCA and one of "
                        "fit-head's classifiers, and of nothing else.")


def check_pipeline(pipeline: Any) -> None:
    """Refuse a pipeline of other steps, and numbers that compiled code would follow unchecked.

    Scikit-learn follows the labels of neighbours without looking whether they exist: a forged
    file could crash the process. For trees see `forest_arrays`.

    Parameters
    ----------
    pipeline : Pipeline

    Raises
    ------
    HeadError
    """
    _need(type(pipeline) is Pipeline, "outermost object")
    steps = [step for _, step in pipeline.steps]
    _need(all(type(step) in _BEFORE or step == "passthrough" for step in steps[:-1]), "steps")
    _need(type(steps[-1]) in _LAST, "classifier")
    if isinstance(steps[-1], KNeighborsClassifier):
        _check_neighbors(steps[-1])


def _check_neighbors(neighbors: KNeighborsClassifier) -> None:
    rows, y = neighbors._fit_X, neighbors._y
    _need(rows.ndim == 2 and rows.dtype.kind == "f" and y.shape == rows.shape[:1], "neighbours")
    _need(y.dtype.kind == "i" and y.min() >= 0 and y.max() < len(neighbors.classes_), "labels")
    _need(1 <= neighbors.n_neighbors <= len(rows), "number of neighbours")


def _need(fits: bool, what: str) -> None:
    if not fits:
        raise HeadError(f"the classifier's {what} cannot be right.")
