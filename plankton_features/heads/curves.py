"""Curves that calibrate the probability of one class against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

#: A class with fewer rows, or fewer of all others, gets no curve.
FEW_ROWS = 5

#: Largest number of a curve, and one over the smallest slope or temperature.
MOST = 1e12

_SMALLEST = float(np.finfo(np.float64).eps)

#: Keeps logistic curves of classes that are told apart without error from becoming steps.
_INVERSE_PENALTY = 1e3


@dataclass(frozen=True)
class Steps:
    """A rising curve through points, level beyond the first and the last."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    @classmethod
    def fit(cls, right: NDArray[np.bool_], p: Floats) -> Steps:
        """Isotonic regression of being right on the probability, both of shape (n,)."""
        found = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, right)
        return cls(tuple(found.X_thresholds_.tolist()), tuple(found.y_thresholds_.tolist()))

    def __call__(self, p: Floats) -> Floats:
        return np.interp(p, self.x, self.y)


@dataclass(frozen=True)
class Logistic:
    """A rising logistic curve of the logit; slope 1 and intercept 0 change nothing."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, right: NDArray[np.bool_], p: Floats) -> Logistic | None:
        """Platt scaling, both of shape (n,); None if it would fall."""
        model = LogisticRegression(C=_INVERSE_PENALTY, solver="newton-cholesky")
        model.fit(_logits(p)[:, None], right)
        slope = float(model.coef_[0, 0])
        return cls(slope, float(model.intercept_[0])) if slope > 0 else None

    def __call__(self, p: Floats) -> Floats:
        corrected: Floats = expit(self.slope * _logits(p) + self.intercept)
        return corrected


Curve = Steps | Logistic
_KINDS: dict[str, type[Steps] | type[Logistic]] = {"isotonic": Steps, "sigmoid": Logistic}


def fit_curve(name: str, right: NDArray[np.bool_], p: Floats) -> Curve | None:
    """Fit a curve of a class.

    Parameters
    ----------
    name : {"isotonic", "sigmoid"}
    right : ndarray of bool, shape (n,)
        Whether the row is of the class.
    p : ndarray of float64, shape (n,)
        Probability of the class, in [0, 1].

    Returns
    -------
    Curve or None
        None if there are fewer than `FEW_ROWS` rows of the class or of all others.
    """
    n_right = np.count_nonzero(right)
    if min(n_right, len(right) - n_right) < FEW_ROWS:
        return None
    return _KINDS[name].fit(right, p)


def stored_curve(name: str, stored: Mapping[str, Any]) -> Curve:
    """The curve of these numbers.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are not those of a curve.
    """
    if _KINDS[name] is Logistic:
        return Logistic(number(stored["slope"], 1 / MOST), number(stored["intercept"]))
    x, y = (tuple(number(value) for value in stored[axis]) for axis in "xy")
    if not x or len(x) != len(y) or sorted(x) != list(x) or sorted(y) != list(y):
        raise ValueError("points of a curve do not rise")
    if y[0] < 0 or y[-1] > 1:
        raise ValueError("a curve leaves 0 to 1")
    return Steps(x, y)


def number(value: Any, least: float = -MOST) -> float:
    """A number from `least` to `MOST`; anything else is a ValueError."""
    if type(value) not in (int, float) or not least <= value <= MOST:
        raise ValueError(f"not a number {least:g} to {MOST:g}: {str(value)[:40]}")
    return float(value)


def _logits(p: Floats) -> Floats:
    logits: Floats = logit(np.clip(p, _SMALLEST, 1 - _SMALLEST))
    return logits
