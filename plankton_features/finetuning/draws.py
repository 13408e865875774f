"""Which rows an epoch of training sees, and in which order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_labels
from plankton_features.errors import InputError
from plankton_features.heads.sampling.limits import Cap, Floor

#: Name -> what it does, in words for a person.
SAMPLERS = {
    "none": "rows as they are",
    "class-weight": "rows as they are; the loss weighs classes equally",
    "class-balanced": "every class equally often, as many rows in all",
    "square-root": "classes as often as the square root of their rows, as many rows in all",
    "logit-adjustment": "rows as they are; the loss shifts logits by class frequencies",
}
_DRAWN = ("class-balanced", "square-root")


def epoch_rows(y: ArrayLike, n_classes: int, *, sampler: str, floor: int | str | None = None,
               cap: int | None = None, seed: int, epoch: int) -> NDArray[np.int64]:
    """Draw the rows of one epoch, in the order in which they are seen.

    A class of n rows that shall give m gives each of them m // n times, and m % n different ones
    once more, drawn anew for each epoch. So a class above the cap gives `cap` different rows, and
    one below the floor each of its rows at least floor // n times.

    Parameters
    ----------
    y : array-like of int, shape (n_rows,)
        Classes in 0..n_classes-1; at least one row.
    n_classes : int
        Number of classes K; some may be absent.
    sampler : str
        A name in `SAMPLERS`.
    floor : int or "balance", optional
        Rows that smaller classes are repeated to; ``balance`` is the largest class, or the cap.
        Not with ``class-balanced`` and ``square-root``.
    cap : int, optional
        Rows that are drawn from larger classes, at least the floor. Not with these two either.
    seed, epoch : int
        At least 0. The draw is a function of the arguments alone.

    Returns
    -------
    ndarray of int64, shape (sum of `expected_counts`,)
        Row numbers, shuffled.

    Raises
    ------
    InputError
        If labels, sampler, floor, cap, seed or epoch are not as above.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1]
    >>> rows = epoch_rows(y, 2, sampler="none", floor=2, cap=3, seed=0, epoch=0)
    >>> np.bincount(np.array(y)[rows]).tolist()
    [3, 2]
    """
    targets = expected_counts(y, n_classes, sampler=sampler, floor=floor, cap=cap)
    for name, value in (("seed", seed), ("epoch", epoch)):
        if value < 0:
            raise InputError(f"{name}: expected a whole number of at least 0, got {value}.")
    rng = np.random.default_rng([seed, epoch])
    labels = as_labels(y, n_classes, "y")
    counts = np.bincount(labels, minlength=n_classes)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    drawn = [_drawn(rows, int(n), rng)
             for rows, n in zip(members, targets, strict=True) if len(rows)]
    return rng.permutation(np.concatenate(drawn)).astype(np.int64)


def expected_counts(y: ArrayLike, n_classes: int, *, sampler: str,
                    floor: int | str | None = None, cap: int | None = None) -> NDArray[np.int64]:
    """Rows that each class has in every epoch.

    Parameters
    ----------
    y, n_classes, sampler, floor, cap
        See `epoch_rows`.

    Returns
    -------
    ndarray of int64, shape (n_classes,)
        Exact; 0 for absent classes, at least 1 for others.

    Raises
    ------
    InputError
        See `epoch_rows`.

    References
    ----------
    ``square-root``: Mahajan et al. 2018, arXiv:1805.00932.

    Examples
    --------
    >>> expected_counts([0] * 16 + [1] * 4, 2, sampler="square-root").tolist()
    [13, 7]
    """
    counts = np.bincount(as_labels(y, n_classes, "y"), minlength=n_classes)
    _refuse_misfits(sampler, floor, cap)
    if sampler in _DRAWN:
        return _apportioned(counts > 0 if sampler == "class-balanced" else np.sqrt(counts),
                            int(counts.sum()))
    capped = counts if cap is None else np.minimum(counts, cap)
    low = 0 if floor is None else Floor(floor).among(capped)
    return np.where(counts > 0, np.maximum(capped, low), 0).astype(np.int64)


def _refuse_misfits(sampler: str, floor: int | str | None, cap: int | None) -> None:
    if sampler not in SAMPLERS:
        raise InputError(f"sampler '{sampler}': expected one of {', '.join(SAMPLERS)}.")
    for name, value in (("floor", floor), ("cap", cap)):
        if value is not None and sampler in _DRAWN:
            raise InputError(f"{name}: sampler '{sampler}' takes none, its class sizes are given. "
                             "Leave it out, or choose 'none'.")
    if floor is not None:
        Floor(floor)
    if cap is not None:
        Cap(cap)
        if floor is not None and floor != "balance" and int(floor) > cap:
            raise InputError(f"floor {floor} is above cap {cap}: no class could have both. "
                             "Lower the floor or raise the cap.")


def _apportioned(frequencies: np.ndarray, total: int) -> NDArray[np.int64]:
    """Whole numbers of this sum, by largest remainder; of equal ones the first get more.

    Quotas of both samplers are at least 1: a sum of square roots is at most the sum of counts.
    """
    quotas = total * frequencies / frequencies.sum()
    whole: NDArray[np.int64] = np.floor(quotas).astype(np.int64)
    largest = np.argsort(whole - quotas, kind="stable")
    whole[largest[: total - whole.sum()]] += 1
    return whole


def _drawn(rows: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    repeated = np.repeat(rows, n // len(rows))
    return np.concatenate([repeated, rng.choice(rows, n % len(rows), replace=False)])
