"""Classifiers by name, and what is tried of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import clone, is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from plankton_features.errors import InputError

#: Inverse strengths of the ridge penalty, from strong to weak.
C_GRID = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class Classifier:
    """A classifier and what is tried of it.

    Attributes
    ----------
    make : callable of int
        From a seed.
    about : str
        One line for a person.
    candidates : tuple of dict
        Parameters to choose from, in an order in which each fit begins well at the last one.
    weights : bool
        Whether it can weight classes.
    warm_start : bool
        Whether each candidate's fit begins at the solution of the last.
    """

    make: Callable[[int], Any]
    about: str
    candidates: tuple[dict[str, Any], ...] = field(default=({},))
    weights: bool = False
    warm_start: bool = False


CLASSIFIERS = {
    "logistic": Classifier(
        # A tighter tolerance takes three times as long and moves macro-F1 by 0.001.
        lambda seed: LogisticRegression(C=0.01, tol=1e-3, max_iter=1000),
        "multinomial logistic regression, strength of the penalty chosen",
        tuple({"C": c} for c in C_GRID), weights=True, warm_start=True),
    "mlp": Classifier(
        lambda seed: MLPClassifier((256,), alpha=1.0, max_iter=60, tol=1e-3, n_iter_no_change=5,
                                   random_state=seed),
        "network with one hidden layer of 256 units"),
    "random-forest": Classifier(
        lambda seed: RandomForestClassifier(300, min_samples_leaf=2, n_jobs=-1,
                                            random_state=seed),
        "300 trees, at least 2 images in each leaf, as EcoTaxa fits them", weights=True),
    "lda": Classifier(
        lambda seed: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        "linear discriminant analysis with Ledoit-Wolf shrinkage"),
    "knn": Classifier(
        lambda seed: KNeighborsClassifier(weights="distance"),
        "k nearest neighbours, k chosen", tuple({"n_neighbors": k} for k in (1, 3, 5, 9, 15, 25))),
}


def make_classifier(classifier: Any, seed: int = 0, weighted: bool = False) -> Any:
    """A scikit-learn classifier, not fitted.

    Parameters
    ----------
    classifier : str or scikit-learn classifier
        A key of `CLASSIFIERS`; or any classifier, which is cloned and gets the seed where it has
        none of its own.
    seed : int
    weighted : bool
        Whether all classes count alike, however many rows each has.

    Raises
    ------
    InputError
        If there is no such classifier, it gives neither probabilities nor decision values, or it
        cannot weight classes.

    Examples
    --------
    >>> make_classifier("logistic", weighted=True)
    LogisticRegression(C=0.01, class_weight='balanced', max_iter=1000, tol=0.001)
    >>> from sklearn.svm import LinearSVC
    >>> make_classifier(LinearSVC(), seed=3)
    LinearSVC(random_state=3)
    """
    made = known(classifier).make(seed)
    if not weighted:
        return made
    if "class_weight" not in made.get_params(deep=False):
        able = ", ".join(key for key, value in CLASSIFIERS.items() if value.weights)
        raise InputError(f"classifier {classifier_name(classifier)} cannot weight classes. Use "
                         f"--sampler random-over, or one of: {able}.")
    return made.set_params(class_weight="balanced")


def known(classifier: Any) -> Classifier:
    """How to make a classifier, and what is tried of it.

    Raises
    ------
    InputError
        See `make_classifier`.
    """
    if not isinstance(classifier, str):
        _check_classifier(classifier)
        return Classifier(lambda seed: _seeded(clone(classifier), seed), "a classifier of your own")
    if classifier not in CLASSIFIERS:
        raise InputError(f"classifier '{classifier}' is not known. Choose one of: "
                         f"{', '.join(CLASSIFIERS)}.")
    return CLASSIFIERS[classifier]


def classifier_name(classifier: Any) -> str:
    """A classifier in words: its name, or how it is made, in one line."""
    return classifier if isinstance(classifier, str) else " ".join(repr(classifier).split())


def _check_classifier(classifier: Any) -> None:
    if isinstance(classifier, type) or not hasattr(classifier, "get_params") or \
            not is_classifier(classifier):
        raise InputError("classifier: expected a name or a scikit-learn classifier, such as "
                         f"SVC(), got {classifier!r}.")
    if not any(hasattr(classifier, name) for name in ("predict_proba", "decision_function")):
        raise InputError(f"classifier: {classifier_name(classifier)} gives neither probabilities "
                         "(predict_proba) nor decision values (decision_function).")


def _seeded(classifier: Any, seed: int) -> Any:
    """With the seed for whatever in it draws numbers and has none."""
    unset = {name: seed for name, value in classifier.get_params().items()
             if name.split("__")[-1] == "random_state" and value is None}
    return classifier.set_params(**unset)
