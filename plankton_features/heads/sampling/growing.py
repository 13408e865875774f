"""New rows for small classes, by imbalanced-learn's over-samplers, one class at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SVMSMOTE,
    BorderlineSMOTE,
    KMeansSMOTE,
    RandomOverSampler,
)
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.svm import SVC
from sklearn.utils import check_random_state

Rows = NDArray[np.floating]
Codes = NDArray[np.int64]

#: Class -> new rows, and class -> how they were made.
Growth = tuple[dict[int, Rows], dict[int, str]]

#: Name of a sampler -> its name in texts.
VARIANTS = {"borderline-smote": "Borderline-SMOTE", "svm-smote": "SVM-SMOTE", "adasyn": "ADASYN",
            "kmeans-smote": "KMeans-SMOTE"}

#: (class, rows to make) -> a sampler for that class.
MakeOne = Callable[[int, int], Any]

#: imbalanced-learn's defaults: rows looked at to tell whether one is in danger, and clusters.
_M_NEIGHBORS, _CLUSTERS = 10, 8

#: How errors begin (imbalanced-learn's spelling), and what they mean for one class.
_REASONS = {
    "Not any neigbours": "no row has a neighbour of another class",
    "No samples will be generated": "rounding left no new row",
    "All support vectors are": "all its support vectors are surrounded by other classes",
    "Found array with 0 sample": "none of its rows is a support vector",
    "No clusters found": "no cluster holds enough of its rows",
    "cannot convert float NaN": "its rows are equal, or their sparsity is beyond numbers",
}


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


def _new_rows(sampler: Any, X: np.ndarray, codes: Codes) -> dict[int, np.ndarray]:
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
    drawn: Rows = rows[np.sort(check_random_state(random_state).permutation(len(rows))[:n])]
    return drawn


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


def prepare_variant(kind: str, X: Rows, codes: Codes, lacked: dict[int, int], k_neighbors: int,
                    random_state: Any) -> MakeOne:
    """Do once what imbalanced-learn does again for every class.

    Parameters
    ----------
    kind : str
        A name in `VARIANTS`.
    X : ndarray of float, shape (n_rows, n_features)
    codes : ndarray of int64, shape (n_rows,)
        Classes 0..K-1, at least two.
    lacked : dict of int to int
        Class to rows to make, at least 1, of all classes that will be grown.
    k_neighbors : int
        At least 1.
    random_state : int, RandomState or None
        Of everything random.

    Returns
    -------
    callable
        (class, rows to make) to the sampler that grows this class alone. The support vectors
        (SVM-SMOTE) and the clusters (KMeans-SMOTE) are those of all rows, found once.

    References
    ----------
    Borderline: Han et al. 2005, doi:10.1007/11538059_91. SVM: Nguyen et al. 2011,
    doi:10.1504/IJKESDP.2011.039875. ADASYN: He et al. 2008, doi:10.1109/IJCNN.2008.4633969.
    KMeans: Douzas et al. 2018, doi:10.1016/j.ins.2018.06.056.
    """
    counts = np.bincount(codes)
    options = {"random_state": random_state, "k_neighbors": k_neighbors}
    near = options | {"m_neighbors": min(_M_NEIGHBORS, len(X) - 1)}

    def target(code: int, n: int) -> dict[int, int]:
        return {code: int(counts[code]) + n}

    if kind == "adasyn":
        return lambda code, n: ADASYN(sampling_strategy=target(code, n), n_neighbors=k_neighbors,
                                      random_state=random_state)
    if kind == "borderline-smote":
        return lambda code, n: BorderlineSMOTE(sampling_strategy=target(code, n), **near)
    if kind == "svm-smote":
        support = SVC(gamma="scale", random_state=random_state).fit(X, codes).support_
        known = _Known(support_=support)
        return lambda code, n: SVMSMOTE(sampling_strategy=target(code, n), svm_estimator=known,
                                        **near)
    clusters, total = _clusters(X, random_state), sum(lacked.values())
    return lambda code, n: KMeansSMOTE(
        sampling_strategy=target(code, n), kmeans_estimator=clusters,
        cluster_balance_threshold=lacked[code] / total / 2, **options)


def short_reason(error: Exception) -> str:
    """What an error of imbalanced-learn means for the class being grown.

    Examples
    --------
    >>> short_reason(RuntimeError("No clusters found with sufficient samples of class 3. Try"))
    'no cluster holds enough of its rows'
    >>> short_reason(ValueError("Something else. With advice."))
    'Something else'
    """
    text = str(error)
    for begin, reason in _REASONS.items():
        if text.startswith(begin):
            return reason
    return text.split(". ")[0].split("\n")[0].rstrip(".")


class _Known:
    """Stands in for an estimator whose answer on these rows is known; never copied or refitted."""

    labels_: Codes

    def __init__(self, **answers: Any):
        self.__dict__.update(answers)

    def __sklearn_clone__(self) -> _Known:
        return self

    def fit(self, X: Rows, y: Codes | None = None) -> _Known:
        return self

    def predict(self, X: Rows) -> Codes:
        return self.labels_

    fit_predict = predict


def _clusters(X: Rows, random_state: Any) -> _Known:
    """The clusters that KMeansSMOTE would find again for every class."""
    n = min(_CLUSTERS, len(X))
    found = MiniBatchKMeans(n_clusters=n, random_state=random_state).fit_predict(X)
    return _Known(labels_=found, n_clusters=n)
