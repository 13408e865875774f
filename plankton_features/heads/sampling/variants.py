"""imbalanced-learn's variants of SMOTE, set up to grow one class at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from imblearn.over_sampling import ADASYN, SVMSMOTE, BorderlineSMOTE, KMeansSMOTE
from sklearn.cluster import MiniBatchKMeans
from sklearn.svm import SVC

from plankton_features.heads.sampling.base import Codes, Rows

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
