"""What every function of this room asks of its arrays."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError

#: Rows of probabilities may miss a sum of 1 by this much (float32 softmax over many classes).
SUM_TOLERANCE = 1e-4


def as_labels(labels: ArrayLike, n_classes: int, name: str = "y_true") -> NDArray[np.int64]:
    """Class numbers as an integer array.

    Parameters
    ----------
    labels : array-like of int, shape (n_rows,)
        In 0..n_classes-1; at least one.
    n_classes : int
        Number of classes K, at least 1.
    name : str
        How an error calls the array.

    Returns
    -------
    ndarray of int64, shape (n_rows,)

    Raises
    ------
    InputError
        If they are not one row of whole numbers in that range.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iu":
        raise InputError(f"{name}: expected a row of at least one whole class number, got shape "
                         f"{array.shape} of {array.dtype}. Encode class names as 0..K-1 first.")
    if array.min() < 0 or array.max() >= n_classes:
        raise InputError(f"{name}: expected class numbers 0..{n_classes - 1}, got "
                         f"{array.min()}..{array.max()}.")
    return array.astype(np.int64, copy=False)


def as_probabilities(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Class probabilities as a float64 array.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_rows, n_classes)
        In [0, 1]; each row sums to 1 within 1e-4.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)

    Raises
    ------
    InputError
        If the shape, the range or a sum is another.
    """
    array = np.asarray(probabilities, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise InputError("probabilities: expected an array of shape (rows, classes), got shape "
                         f"{array.shape}.")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1 + SUM_TOLERANCE):
        raise InputError("probabilities: expected numbers in [0, 1], got "
                         f"{array.min():g}..{array.max():g}. Are these logits?")
    worst = np.abs(array.sum(axis=1) - 1).max()
    if worst > SUM_TOLERANCE:
        raise InputError("probabilities: each row must sum to 1, got a row that misses it by "
                         f"{worst:g}.")
    return array


def as_confidences(confidences: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of single events as a float64 array of shape (n_rows,), in [0, 1].

    Raises
    ------
    InputError
        If the shape or the range is another.
    """
    array = np.asarray(confidences, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise InputError(f"confidences: expected a row of numbers, got shape {array.shape}.")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1 + SUM_TOLERANCE):
        raise InputError("confidences: expected numbers in [0, 1], got "
                         f"{array.min():g}..{array.max():g}.")
    return array


def same_length(**arrays: np.ndarray) -> None:
    """Refuse arrays that do not describe the same rows.

    Raises
    ------
    InputError
        If their lengths differ.
    """
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise InputError(f"expected one entry per row in each, got lengths {lengths}.")


def labels_and_probabilities(
        y_true: ArrayLike,
        probabilities: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and probabilities of the same rows, checked.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.
    """
    p = as_probabilities(probabilities)
    y = as_labels(y_true, p.shape[1])
    same_length(y_true=y, probabilities=p)
    return y, p


def decisions(y_pred: ArrayLike | None, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Predicted classes, checked; without them the most probable, the first of equals.

    Raises
    ------
    InputError
        If they do not fit the probabilities.
    """
    if y_pred is None:
        most_probable: NDArray[np.int64] = probabilities.argmax(axis=1)
        return most_probable
    predicted = as_labels(y_pred, probabilities.shape[1], "y_pred")
    same_length(y_pred=predicted, probabilities=probabilities)
    return predicted


def composed(name: str) -> str:
    """A name as it is compared."""
    return unicodedata.normalize("NFC", name.strip())


def as_names(column: Iterable[object]) -> list[str]:
    """Names as they are compared; those that are missing are empty."""
    from pandas import isna

    return ["" if isna(value) else composed(str(value)) for value in column]


def first_few(names: Sequence[str]) -> str:
    """The first five, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(name or "an empty name" for name in names[:5]) + more


#: What programs write where nothing is known.
_MISSING = frozenset(("na", "n/a", "#n/a", "nan", "null", "none", "<na>", "nil"))


def doubtful_labels(labels: Iterable[str]) -> list[str]:
    """What to ask oneself about the names of the classes, as sentences.

    Parameters
    ----------
    labels : iterable of str
        One for each image; empty ones are of no class.

    Returns
    -------
    list of str
        None if no names differ only in case, spaces or forms of a letter, and none says that the
        label is missing.

    Examples
    --------
    >>> doubtful_labels(["Copepoda", "copepoda ", "Salpida"])
    ["'Copepoda' (1 image) and 'copepoda ' (1 image) differ only in case, spaces or forms of a \
letter, and are different classes. If they are one, give them one name."]
    """
    counts = Counter(str(label) for label in labels if label)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(counts):
        alike[_seen(name)].append(name)
    told = [f"{' and '.join(_counted(name, counts) for name in names)} differ only in case, spaces "
            "or forms of a letter, and are different classes. If they are one, give them one name."
            for names in alike.values() if len(names) > 1]
    told += [f"{_counted(name, counts)} is a class. If it stands for a missing label, leave the "
             "label empty." for name in sorted(counts) if name.strip().lower() in _MISSING]
    return told


def _seen(name: str) -> str:
    """A name as the eye takes it: without case, spaces at its ends and signs of no width."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def _counted(name: str, counts: Counter[str]) -> str:
    n = counts[name]
    return f"'{name}' ({n:,} image{'s' if n != 1 else ''})"
