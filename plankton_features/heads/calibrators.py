"""Probabilities that keep what they promise: fitted on rows that trained nothing.

A calibrator is a few numbers. It is stored as JSON, so that loading one runs no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from plankton_features.assessment.calibration.confidence import apply_temperature, fit_temperature
from plankton_features.assessment.checks import as_probabilities, labels_and_probabilities
from plankton_features.errors import HeadError, InputError
from plankton_features.heads.curves import (
    FEW_ROWS,
    MOST,
    Curve,
    fit_curve,
    number,
    stored_curve,
)

Floats = NDArray[np.float64]

#: Name -> what it does.
CALIBRATIONS = {
    "temperature": "one number sharpens or softens all probabilities; their order stays",
    "isotonic": "a rising curve for each class; needs many rows of it",
    "sigmoid": "a logistic curve for each class",
    "none": "probabilities as they are",
}


class Calibrator(Protocol):
    """From probabilities to probabilities.

    Attributes
    ----------
    name : str
        One of `CALIBRATIONS`.
    left_alone : tuple of int
        Classes with too few rows, whose probabilities stay (but for the sum of 1).
    """

    @property
    def name(self) -> str: ...

    @property
    def left_alone(self) -> tuple[int, ...]: ...

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Calibrated probabilities, shape (n, K); rows sum to 1. `n` may be 0."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_dict` makes an equal calibrator of it."""


@dataclass(frozen=True)
class Uncalibrated:
    """Leaves probabilities as they are."""

    name: ClassVar[str] = "none"
    left_alone: ClassVar[tuple[int, ...]] = ()

    def apply(self, probabilities: ArrayLike) -> Floats:
        """See `Calibrator`."""
        p = _checked(probabilities)
        scaled: Floats = p / p.sum(axis=1, keepdims=True)
        return scaled

    def to_dict(self) -> dict[str, Any]:
        """See `Calibrator`."""
        return {"name": self.name}


@dataclass(frozen=True)
class Temperature:
    """Divides logits by one number; see `assessment.calibration.confidence.apply_temperature`."""

    temperature: float
    name: ClassVar[str] = "temperature"
    left_alone: ClassVar[tuple[int, ...]] = ()

    def apply(self, probabilities: ArrayLike) -> Floats:
        """See `Calibrator`."""
        p = _checked(probabilities)
        return apply_temperature(p, self.temperature) if len(p) else p

    def to_dict(self) -> dict[str, Any]:
        """See `Calibrator`."""
        return {"name": self.name, "temperature": self.temperature}


@dataclass(frozen=True)
class OneVersusRest:
    """A curve for each class, or None; then rows are made to sum to 1.

    Rows in which every curve is 0 stay as they are.
    """

    name: str
    curves: tuple[Curve | None, ...]

    @property
    def left_alone(self) -> tuple[int, ...]:
        """See `Calibrator`."""
        return tuple(k for k, curve in enumerate(self.curves) if curve is None)

    def apply(self, probabilities: ArrayLike) -> Floats:
        """See `Calibrator`."""
        p = _checked(probabilities)
        if p.shape[1] != len(self.curves):
            raise InputError(f"probabilities: expected {len(self.curves)} classes, got "
                             f"{p.shape[1]}.")
        bent = np.column_stack([p[:, k] if curve is None else curve(p[:, k])
                                for k, curve in enumerate(self.curves)])
        bent = np.where(bent.any(axis=1, keepdims=True), bent, p)
        scaled: Floats = bent / bent.sum(axis=1, keepdims=True)
        return scaled

    def to_dict(self) -> dict[str, Any]:
        """See `Calibrator`."""
        return {"name": self.name, "curves": [
            None if curve is None else {key: list(value) if isinstance(value, tuple) else value
                                        for key, value in vars(curve).items()}
            for curve in self.curves]}


def fit_calibrator(name: str, y: ArrayLike, P: ArrayLike,
                   seen: ArrayLike | None = None) -> Calibrator:
    """Fit a calibrator on rows that trained nothing.

    Parameters
    ----------
    name : str
        One of `CALIBRATIONS`.
    y : array-like of int, shape (n,)
        True classes in 0..K-1; some may be absent. May be empty for ``none``.
    P : array-like of float, shape (n, K)
        At real class frequencies; in [0, 1], rows sum to 1. Columns of 0 are classes that the
        model never saw; their rows are left out.
    seen : array-like of bool, shape (n,), optional
        False for further rows to leave out: those whose class their own model never saw, where
        rows of several models come together. No calibrator could mend them, and a single one
        pulls a temperature as much as dozens of others.

    Returns
    -------
    Calibrator
        Changes nothing that fewer than 5 rows would have to say.

    Raises
    ------
    InputError
        If there is no such calibrator, or arrays do not fit each other or their ranges.

    Examples
    --------
    >>> P = np.tile([0.95, 0.05], (100, 1))
    >>> found = fit_calibrator("temperature", np.repeat([0, 1], [70, 30]), P)
    >>> found.apply(P[:1]).round(3).tolist()
    [[0.7, 0.3]]
    """
    if name not in CALIBRATIONS:
        raise InputError(f"calibration: expected one of {', '.join(CALIBRATIONS)}, got {name}.")
    if name == "none":
        return Uncalibrated()
    labels, p = labels_and_probabilities(y, P)
    kept = p.max(axis=0)[labels] > 0
    if seen is not None:
        if np.shape(seen) != labels.shape:
            raise InputError(f"seen: expected true or false for each of {len(labels)} rows, got "
                             f"shape {np.shape(seen)}.")
        kept = kept & np.asarray(seen, dtype=bool)
    labels, p = labels[kept], np.minimum(p[kept], 1)
    if name == "temperature":
        return Temperature(fit_temperature(labels, p) if len(labels) >= FEW_ROWS else 1.0)
    with threadpool_limits(1):  # hundreds of tiny fits, which threads only make wait
        return OneVersusRest(name, tuple(fit_curve(name, labels == k, p[:, k])
                                         for k in range(p.shape[1])))


def from_dict(stored: Mapping[str, Any]) -> Calibrator:
    """The calibrator that `Calibrator.to_dict` described.

    Parameters
    ----------
    stored : mapping
        As read from JSON.

    Returns
    -------
    Calibrator

    Raises
    ------
    HeadError
        If it does not describe a calibrator.

    Examples
    --------
    >>> from_dict({"name": "temperature", "temperature": 1.2})
    Temperature(temperature=1.2)
    """
    try:
        name = stored["name"]
        if name not in CALIBRATIONS:
            raise ValueError("unknown name")
        if name == "none":
            return Uncalibrated()
        if name == "temperature":
            return Temperature(number(stored["temperature"], 1 / MOST))
        return OneVersusRest(name, tuple(None if curve is None else stored_curve(name, curve)
                                         for curve in stored["curves"]))
    except (KeyError, TypeError, ValueError) as error:
        raise HeadError(f"calibrator: expected one of {', '.join(CALIBRATIONS)} with its numbers, "
                        f"got {str(stored)[:80]} ({error}).") from error


def _checked(probabilities: ArrayLike) -> Floats:
    array = np.asarray(probabilities, dtype=np.float64)
    return array if array.ndim == 2 and not len(array) else as_probabilities(array)
