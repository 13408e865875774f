"""What a head is made of: cut to what prediction needs, and checked."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline

from plankton_features.errors import InputError

if TYPE_CHECKING:
    from plankton_features.heads.head import Head

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


def check_parts(head: Head) -> None:
    """Refuse parts that do not fit together.

    Raises
    ------
    InputError
    """
    n_classes = len(head.classes)
    if n_classes < 1 or len(set(head.classes.tolist())) < n_classes:
        raise InputError(f"head: expected different names of classes, got {n_classes}, of which "
                         f"{len(set(head.classes.tolist()))} different.")
    arrays: dict[str, Any] = {name: getattr(head, name)
                              for name in ("source", "target", "thresholds")}
    for name, array in arrays.items():
        if array is not None and (array.shape != (n_classes,) or np.isnan(array).any()):
            raise InputError(f"head: {name} must be {n_classes} numbers, one for each class, got "
                             f"shape {array.shape}.")
    _check_curves(head, n_classes)
    seen = np.asarray(head.pipeline.classes_)
    if seen.dtype.kind not in "iu" or seen.min() < 0 or seen.max() >= n_classes:
        raise InputError(f"head: the classifier's classes must be numbers 0..{n_classes - 1}, got "
                         f"{seen[:3].tolist()}.")
    for name in ("source", "target"):
        if not (np.isfinite(arrays[name]).all() and (arrays[name] >= 0).all()
                and (arrays[name][seen] > 0).all()):
            raise InputError(f"head: {name} must be frequencies, above 0 for every class that the "
                             "classifier saw.")
        used = arrays[name][arrays[name] > 0]
        if used.max() > MOST_RATIO * used.min():
            raise InputError(f"head: {name} must be frequencies of classes, of which one may be "
                             f"{MOST_RATIO:.0e} times another at most.")


def _check_curves(head: Head, n_classes: int) -> None:
    curves = getattr(head.calibrator, "curves", None)
    if curves is not None and len(curves) != n_classes:
        raise InputError(f"head: the calibrator has {len(curves)} curves, expected one for each of "
                         f"{n_classes} classes.")
