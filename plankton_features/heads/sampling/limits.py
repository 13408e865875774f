"""How many rows of each class a sampler shall leave: at least a floor, at most a cap."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError


@dataclass(frozen=True)
class Floor:
    """At least `n` rows of each class, as the `sampling_strategy` of an over-sampler.

    imbalanced-learn calls it with the labels of the rows at hand, so inside a pipeline it sees
    the training fold only.

    Parameters
    ----------
    n : int or "balance"
        At least 1; ``balance`` stands for the size of the largest class.

    Raises
    ------
    InputError
        If `n` is neither.

    Examples
    --------
    >>> Floor(3)(["copepod"] * 5 + ["krill"] * 2)
    {'krill': 3}
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> over = RandomOverSampler(sampling_strategy=Floor(3), random_state=0)
    >>> over.fit_resample([[0.0]] * 7, ["copepod"] * 5 + ["krill"] * 2)[1].count("krill")
    3
    """

    n: int | str

    def __post_init__(self) -> None:
        if self.n != "balance":
            _refuse_no_count("floor", self.n, " or 'balance'")

    def __call__(self, y: ArrayLike) -> dict[Any, int]:
        """Rows that each class below the floor shall have.

        Parameters
        ----------
        y : array-like of str or int, shape (n_rows,)
            At least one label.

        Returns
        -------
        dict of label to int
        """
        classes, counts = np.unique(np.asarray(y), return_counts=True)
        n = self.among(counts)
        return {label: n for label, count in zip(classes.tolist(), counts, strict=True)
                if count < n}

    def among(self, counts: NDArray[np.int64]) -> int:
        """The floor as a number, given the rows of each class (at least one class)."""
        return int(counts.max() if self.n == "balance" else self.n)


@dataclass(frozen=True)
class Cap:
    """At most `n` rows of each class, as the `sampling_strategy` of an under-sampler.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    InputError
        If it is not.

    Examples
    --------
    >>> Cap(3)(["copepod"] * 5 + ["krill"] * 2)
    {'copepod': 3}
    """

    n: int

    def __post_init__(self) -> None:
        _refuse_no_count("cap", self.n)

    def __call__(self, y: ArrayLike) -> dict[Any, int]:
        """Rows that each class above the cap shall keep.

        Parameters
        ----------
        y : array-like of str or int, shape (n_rows,)
            Labels.

        Returns
        -------
        dict of label to int
        """
        classes, counts = np.unique(np.asarray(y), return_counts=True)
        return {label: int(self.n) for label, count in zip(classes.tolist(), counts, strict=True)
                if count > self.n}


def _refuse_no_count(name: str, n: object, or_else: str = "") -> None:
    if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
        raise InputError(f"{name}: expected a whole number of rows, at least 1{or_else}, got "
                         f"{n!r}.")
