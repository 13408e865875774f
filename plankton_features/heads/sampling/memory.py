"""Will a resampling fit into memory? Known before it starts, from the class sizes alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.errors import InputError
from plankton_features.heads.sampling.base import Resampler
from plankton_features.heads.sampling.cap import CapSampler
from plankton_features.heads.sampling.floor import FloorSampler
from plankton_features.heads.sampling.names import make_sampler
from plankton_features.machine import available_memory

Counts = NDArray[np.int64]

#: Share of the available memory that a resampling may take.
SHARE = 0.5

#: Rows at a time that SMOTE holds in float64 while it interpolates a class, in rows of float32;
#: neighbours looked at; libsvm's cache.
_INTERPOLATION, _NEIGHBOURS, _SVM_CACHE = 5, 11, 200_000_000


def resampled_rows(y: ArrayLike, name: str, floor: int | str | None = None,
                   cap: int | None = None) -> list[int]:
    """Rows before a resampling and after each of its steps; cleaning counts as taking none.

    Parameters
    ----------
    y : array-like of str or int, shape (n_rows,)
        Labels.
    name, floor, cap
        As in `make_sampler`.

    Returns
    -------
    list of int

    Raises
    ------
    InputError
        As `make_sampler`.

    Examples
    --------
    >>> resampled_rows([0] * 500 + [1] * 20, "random-under+random-over", floor=50, cap=300)
    [520, 320, 350]
    """
    counts = np.unique(np.asarray(y), return_counts=True)[1]
    rows = [int(counts.sum())]
    for _, step in make_sampler(name, floor, cap):
        counts = _counts_after(step, counts)
        rows.append(int(counts.sum()))
    return rows


def estimate_bytes(y: ArrayLike, name: str, floor: int | str | None = None,
                   cap: int | None = None, *, n_features: int) -> int:
    """Memory that a resampling of float32 features takes at its peak, above what `X` takes.

    Counted are the rows handed over from step to step, the made ones twice (apart and joined),
    copies of `X` that imbalanced-learn makes, and for a few samplers their own structures. Rather
    too high than too low: by a factor of up to two, for cleaning (which may keep all) more.

    Parameters
    ----------
    y : array-like of str or int, shape (n_rows,)
        Labels.
    name, floor, cap
        As in `make_sampler`.
    n_features : int
        Values of a row.

    Returns
    -------
    int
        0 without resampling.

    Raises
    ------
    InputError
        As `make_sampler`.
    """
    counts = np.unique(np.asarray(y), return_counts=True)[1]
    peak, before = 0, counts
    for _, step in make_sampler(name, floor, cap):
        after = _counts_after(step, before)
        handed_over = 0 if before is counts else int(before.sum()) * _row_bytes(n_features)
        peak = max(peak, handed_over + _step_bytes(step, before, after, n_features))
        before = after
    return peak


def check_memory(y: ArrayLike, name: str, floor: int | str | None = None,
                 cap: int | None = None, *, n_features: int,
                 limit_bytes: int | None = None, times: int = 1) -> None:
    """Refuse a resampling that would not fit into memory, before it starts.

    Parameters
    ----------
    y, name, floor, cap, n_features
        As in `estimate_bytes`.
    limit_bytes : int, optional
        By default half of the memory that is available, where the system says how much that is;
        elsewhere nothing is refused.
    times : int, default=1
        How many resamplings run side by side and share it.

    Raises
    ------
    InputError
        If the estimate is above the limit, with a floor that would do; or as `make_sampler`.
    """
    limit = _default_limit() if limit_bytes is None else limit_bytes
    needed = estimate_bytes(y, name, floor, cap, n_features=n_features)
    if limit is None or needed * times <= limit:
        return
    limit //= times
    rows = max(resampled_rows(y, name, floor, cap))
    given = [f"{what} {n}" for what, n in (("floor", floor), ("cap", cap)) if n is not None]
    options = f" with {' and '.join(given)}" if given else ""
    fits = _floor_that_fits(y, name, cap, n_features, limit)
    raise InputError(
        f"sampler {name}{options} would make {rows:,} rows x {n_features} values and take about "
        f"{needed / 1e9:.1f} GB of memory; {limit / 1e9:.1f} GB may be used. "
        + (f"Choose --floor {fits} or lower." if fits else
           "Keep fewer values (--pca), or choose --sampler none."))


def _default_limit() -> int | None:
    available = available_memory()
    return None if available is None else int(SHARE * available)


def _counts_after(step: Resampler, counts: Counts) -> Counts:
    if isinstance(step, FloorSampler):
        return np.maximum(counts, step.sampling_strategy.among(counts))
    return np.minimum(counts, step.cap) if isinstance(step, CapSampler) else counts


def _row_bytes(n_features: int) -> int:
    return 4 * n_features + 8  # float32 values and a label


def _step_bytes(step: Resampler, before: Counts, after: Counts, n_features: int) -> int:
    row, n_before, n_after = _row_bytes(n_features), int(before.sum()), int(after.sum())
    largest_made = int((after - before).max())
    joined = 2 * n_after * row + _INTERPOLATION * max(largest_made, 0) * row
    neighbours = _NEIGHBOURS * 16 * n_before
    return joined + neighbours + _own_bytes(step, before, after, row)


def _own_bytes(step: Resampler, before: Counts, after: Counts, row: int) -> int:
    """What some samplers hold besides."""
    n, n_classes = int(before.sum()), len(before)
    if step.kind == "svm-smote":  # rows and support vectors in float64, coefficients, kernel
        pair = int(np.sort(before)[-2:].sum())
        return 4 * n * row + 8 * n * n_classes + min(4 * pair ** 2, _SVM_CACHE)
    if step.kind == "kmeans-smote":  # distances within a cluster
        return 16 * int(before[after > before].max(initial=0)) ** 2
    if step.kind == "instance-hardness":  # a fold's rows, probabilities
        return n * row + 16 * n * n_classes
    return 0


def _floor_that_fits(y: ArrayLike, name: str, cap: int | None, n_features: int,
                     limit: int) -> int:
    """Highest round floor with which the estimate is within the limit; 0 if there is none."""
    if not any(isinstance(step, FloorSampler) for _, step in make_sampler(name)):
        return 0
    top = cap or int(np.unique(np.asarray(y), return_counts=True)[1].max())
    round_ones = (digit * 10 ** power for power in range(9, -1, -1) for digit in (5, 2, 1))
    return next((n for n in round_ones if n <= top
                 and estimate_bytes(y, name, n, cap, n_features=n_features) <= limit), 0)
