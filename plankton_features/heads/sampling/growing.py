"""New rows for small classes, by imbalanced-learn's over-samplers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from plankton_features.heads.sampling.base import Codes, Rows
from plankton_features.heads.sampling.variants import (
    VARIANTS,
    MakeOne,
    prepare_variant,
    short_reason,
)

#: Class -> new rows, and class -> how they were made.
Growth = tuple[dict[int, Rows], dict[int, str]]


def copies(X: Rows, codes: Codes, wanted: dict[int, int], random_state: Any) -> Growth:
    """Repeat rows drawn at random.

    Parameters
    ----------
    X : ndarray of float, shape (n_rows, n_features)
    codes : ndarray of int64, shape (n_rows,)
        Classes 0..K-1, at least two.
    wanted : dict of int to int
        Class to the rows it shall have, more than it has.
    random_state : int, RandomState or None
        Of the draws.

    Returns
    -------
    rows, how : dict
        Class to exactly as many new rows as it lacks, and how they were made.
    """
    sampler = RandomOverSampler(sampling_strategy=wanted, random_state=random_state)
    drawn = _new_rows(sampler, np.arange(len(X))[:, None], codes)  # it looks at labels only
    return {code: X[of[:, 0]] for code, of in drawn.items()}, dict.fromkeys(wanted, "copies")


def smote(X: Rows, codes: Codes, wanted: dict[int, int], k_neighbors: int,
          random_state: Any) -> Growth:
    """Interpolate between a row and one of its `k_neighbors` next ones of the same class.

    A class of n rows has n - 1 neighbours: imbalanced-learn's SMOTE raises if that is fewer than
    k, here k is lowered for that class, and a single row is copied. The other parameters and what
    is returned are those of `copies`. Chawla et al. 2002, doi:10.1613/jair.953.
    """
    counts = np.bincount(codes)
    by_k: dict[int, dict[int, int]] = defaultdict(dict)
    for code, n in wanted.items():
        by_k[min(k_neighbors, counts[code] - 1)][code] = n
    rows: dict[int, Rows] = {}
    for k, group in by_k.items():
        if k == 0:
            rows |= copies(X, codes, group, random_state)[0]
        else:
            sampler = SMOTE(sampling_strategy=group, k_neighbors=k, random_state=random_state)
            rows |= _new_rows(sampler, X, codes)
    return rows, {code: _smote_text(counts[code], k_neighbors) for code in wanted}


def variant(kind: str, X: Rows, codes: Codes, wanted: dict[int, int], k_neighbors: int,
            random_state: Any) -> Growth:
    """Interpolate the way a variant of SMOTE does, and as SMOTE where that fails.

    Classes with at most `k_neighbors` rows get SMOTE. ADASYN and SVM-SMOTE make about as many
    rows as asked for, or half of them: they are asked again for more, and what is too much is
    dropped at random. A class of which none can be made (there may be no row to start from, and
    imbalanced-learn say nothing) gets SMOTE. `kind` is a name in `VARIANTS`, the rest is as in
    `smote`.
    """
    counts = np.bincount(codes)
    lacked = {code: n - int(counts[code]) for code, n in wanted.items()}
    large = {code: n for code, n in lacked.items() if counts[code] > k_neighbors}
    rows, texts = {}, {}
    if large:
        make = prepare_variant(kind, X, codes, large, k_neighbors, random_state)
        for code, n in large.items():
            found, reason = _attempt(make, X, codes, code, n)
            rows[code] = _at_most(found, n, random_state)
            texts[code] = _variant_text(kind, k_neighbors, n, len(found), reason)
    short = {code: wanted[code] - len(rows.get(code, ())) for code, n in lacked.items()
             if len(rows.get(code, ())) < n}
    added, how = smote(X, codes, short, k_neighbors, random_state)
    return {code: np.concatenate([part[code] for part in (rows, added) if code in part])
            for code in wanted}, how | texts


def _new_rows(sampler: Any, X: NDArray, codes: Codes) -> dict[int, NDArray]:
    """What an over-sampler of imbalanced-learn adds at the end, by class."""
    X_all, codes_all = sampler.fit_resample(X, codes)
    made, of = X_all[len(X):], codes_all[len(X):]
    return {int(code): made[of == code] for code in np.unique(of)}


def _attempt(make: MakeOne, X: Rows, codes: Codes, code: int, n: int) -> tuple[Rows, str]:
    """About `n` new rows of one class, or none and why."""
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # KMeansSMOTE, then it raises
            made = _new_rows(make(code, n), X, codes).get(code, X[:0])
            if 0 < len(made) < n:
                more = -(-n * n // len(made)) + 1
                made = _new_rows(make(code, more), X, codes).get(code, made)
    except (ValueError, RuntimeError) as error:
        return X[:0], short_reason(error)
    return made, "none of its rows is on the border"


def _at_most(rows: Rows, n: int, random_state: Any) -> Rows:
    if len(rows) <= n:
        return rows
    return rows[np.sort(check_random_state(random_state).permutation(len(rows))[:n])]


def _smote_text(count: int, k_neighbors: int) -> str:
    if count == 1:
        return "copies (1 row)"
    if count <= k_neighbors:
        return f"SMOTE with k = {count - 1} ({count} rows)"
    return f"SMOTE with k = {k_neighbors}"


def _variant_text(kind: str, k: int, lacked: int, made: int, reason: str) -> str:
    if not made:
        return f"SMOTE instead of {VARIANTS[kind]}: {reason}"
    by_smote = f", {lacked - made} of {lacked} new rows by SMOTE" if made < lacked else ""
    return f"{VARIANTS[kind]} with k = {k}{by_smote}"
