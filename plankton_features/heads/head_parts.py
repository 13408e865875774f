"""What a head is made of: cut to what prediction needs, and checked."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from plankton_features.errors import InputError

Floats = NDArray[np.float64]

#: State of training that prediction does not need, and that would have to be trusted in a file.
_TRAINING_STATE = ("_optimizer", "_random_state")

#: More than any count of images is; beyond it products of probabilities come to nothing.
MOST_RATIO = 1e15


def prediction_pipeline(pipeline: Pipeline) -> Pipeline:
    """What prediction needs of a fitted pipeline, be it scikit-learn's or imbalanced-learn's.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted. It is not changed, and shares its arrays with the result.

    Returns
    -------
    Pipeline
        Without samplers and state of training, for one thread.
    """
    return Pipeline([(name, _trimmed(step)) for name, step in pipeline.steps
                     if not hasattr(step, "fit_resample")])


def _trimmed(step: Any) -> Any:
    if isinstance(step, str):  # passthrough
        return step
    step = copy.copy(getattr(step, "pca_", step))  # of UpToPCA, what it made
    for name in _TRAINING_STATE:
        vars(step).pop(name, None)
    for name, value in {"n_jobs": None, "copy": True}.items():
        if hasattr(step, name):  # a scaler that does not copy would change its caller's vectors
            setattr(step, name, value)
    return step


def check_parts(pipeline: Pipeline, classes: NDArray[np.str_], source: Floats, target: Floats,
                thresholds: Floats | None, calibrator: Any) -> None:
    """Refuse parts of a head that do not fit together.

    Raises
    ------
    InputError
    """
    n_classes = len(classes)
    if n_classes < 1 or len(set(classes.tolist())) < n_classes:
        raise InputError(f"head: expected different names of classes, got {n_classes}, of which "
                         f"{len(set(classes.tolist()))} different.")
    for name, array in (("source", source), ("target", target), ("thresholds", thresholds)):
        if array is not None and (array.shape != (n_classes,) or np.isnan(array).any()):
            raise InputError(f"head: {name} must be {n_classes} numbers, one for each class, got "
                             f"shape {array.shape}.")
    curves = getattr(calibrator, "curves", None)
    if curves is not None and len(curves) != n_classes:
        raise InputError(f"head: the calibrator has {len(curves)} curves, expected one for each of "
                         f"{n_classes} classes.")
    seen = np.asarray(pipeline.classes_)
    if seen.dtype.kind not in "iu" or seen.min() < 0 or seen.max() >= n_classes:
        raise InputError(f"head: the classifier's classes must be numbers 0..{n_classes - 1}, got "
                         f"{seen[:3].tolist()}.")
    for name, array in (("source", source), ("target", target)):
        _check_frequencies(name, array, seen)


def _check_frequencies(name: str, frequencies: Floats, seen: np.ndarray) -> None:
    if not (np.isfinite(frequencies).all() and (frequencies >= 0).all()
            and (frequencies[seen] > 0).all()):
        raise InputError(f"head: {name} must be frequencies, above 0 for every class that the "
                         "classifier saw.")
    used = frequencies[frequencies > 0]
    if used.max() > MOST_RATIO * used.min():
        raise InputError(f"head: {name} must be frequencies of classes, of which one may be "
                         f"{MOST_RATIO:.0e} times another at most.")
