"""The trees of a forest as plain arrays.

Scikit-learn's trees hold a probability of every class at every node, almost all of them 0: 300
trees of 121 classes take gigabytes, in a file and, while it is read, in memory thrice. And its
compiled code follows the numbers in a tree without looking whether they lead anywhere.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree._tree import NODE_DTYPE, Tree

from plankton_features.errors import HeadError
from plankton_features.heads.file.stored_values import NODE_COLUMNS, TREE_COLUMNS, checked_array

_SUM_TOLERANCE = 1e-6
_HALF = {"int64": "int32"}


def trees_to_arrays(forest: RandomForestClassifier) -> dict[str, np.ndarray]:
    """What prediction and importances need of all trees.

    Parameters
    ----------
    forest : RandomForestClassifier
        Fitted to one label for each row.

    Returns
    -------
    dict of str to ndarray
        ``n_nodes``, ``depth`` of each tree; ``node_left_child`` and so on of all nodes of all
        trees; ``value_node``, ``value_class``, ``value``: the probabilities at leaves that are
        not 0. Those at inner nodes are left out: nothing looks at them.
    """
    trees = [estimator.tree_ for estimator in forest.estimators_]
    nodes = [tree.__getstate__()["nodes"] for tree in trees]
    leaves = [_leaf_values(tree) for tree in trees]
    n_nodes = np.array([len(part) for part in nodes])
    starts = np.cumsum(n_nodes) - n_nodes
    columns = {f"node_{name}": np.concatenate([part[name] for part in nodes])
               for name in NODE_DTYPE.names}
    return {
        "n_nodes": n_nodes, "depth": np.array([tree.max_depth for tree in trees]),
        **{name: _narrow(column) for name, column in columns.items()},
        "value_node": np.concatenate([start + leaf[0] for start, leaf in
                                      zip(starts, leaves, strict=True)]),
        "value_class": _narrow(np.concatenate([leaf[1] for leaf in leaves])),
        "value": np.concatenate([leaf[2] for leaf in leaves]),
    }


def arrays_to_trees(forest: RandomForestClassifier, arrays: dict[str, np.ndarray]) -> None:
    """Put trees into a forest that has one estimator without a tree.

    Parameters
    ----------
    forest : RandomForestClassifier
        Gets `estimators_`.
    arrays : dict of str to ndarray
        From `trees_to_arrays`.

    Raises
    ------
    HeadError
        If they do not describe trees.
    """
    n_nodes, width = arrays["n_nodes"], int(forest.n_features_in_)
    n_classes = int(forest.n_classes_)
    _check_columns(arrays, n_classes)
    nodes = np.zeros(len(arrays["node_feature"]), NODE_DTYPE)
    for name, column in zip(NODE_DTYPE.names, NODE_COLUMNS, strict=True):
        nodes[name] = arrays[column]
    ends = np.cumsum(n_nodes)
    cuts = np.searchsorted(arrays["value_node"], np.concatenate([[0], ends]))
    (template,) = forest.estimators_
    forest.estimators_ = []
    for i, (start, end) in enumerate(zip(ends - n_nodes, ends, strict=True)):
        part, cut = nodes[start:end], slice(cuts[i], cuts[i + 1])
        values = np.zeros((len(part), 1, n_classes))
        values[arrays["value_node"][cut] - start, 0, arrays["value_class"][cut]] = \
            arrays["value"][cut]
        _check_nodes(part, values[:, 0], width)
        tree = Tree(width, np.array([n_classes], np.intp), 1)
        tree.__setstate__({"max_depth": int(arrays["depth"][i]), "node_count": len(part),
                           "nodes": part, "values": values})
        forest.estimators_.append(copy.copy(template))
        forest.estimators_[-1].tree_ = tree


def dense_size(forest: RandomForestClassifier, arrays: dict[str, np.ndarray]) -> int:
    """Bytes that the trees take in memory."""
    of_each_node = int(NODE_DTYPE.itemsize) + 8 * int(forest.n_classes_)
    return len(arrays["node_feature"]) * of_each_node


def _leaf_values(tree: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = np.where((tree.children_left == -1)[:, None], tree.value[:, 0], 0.0)
    node, label = np.nonzero(values)
    return node, label, values[node, label]


def _narrow(column: np.ndarray) -> np.ndarray:
    """Whole numbers in half the room; counts of rows, nodes and classes are far below 2^31."""
    return column.astype(np.int32) if column.dtype == np.int64 else column


def _check_columns(arrays: dict[str, np.ndarray], n_classes: int) -> None:
    """Every column has numbers of its type, as many as there are nodes, trees or values."""
    lengths = {name: arrays[name].size for name in ("n_nodes", "node_feature", "value")}
    for name, (of, dtype) in TREE_COLUMNS.items():
        checked_array(arrays[name], (lengths[of],), (dtype, _HALF.get(dtype, dtype)),
                      called=f"the forest's {name}")
    n_nodes, node, label = arrays["n_nodes"], arrays["value_node"], arrays["value_class"]
    n = lengths["node_feature"]
    fits = (lengths["n_nodes"] > 0 and n_nodes.min() >= 1 and sum(n_nodes.tolist()) == n
            and lengths["value"] > 0 and (np.diff(node) >= 0).all()
            and node[0] >= 0 and node[-1] < n
            and label.min() >= 0 and label.max() < n_classes and arrays["value"].min() >= 0
            and arrays["depth"].min() >= 0 and arrays["depth"].max() < max(n, 1))
    if not fits:
        raise HeadError("the arrays of its trees do not fit each other")


def _check_nodes(nodes: np.ndarray, values: np.ndarray, width: int) -> None:
    """Children come after their parent, so that every path ends; features exist; leaves decide."""
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    own, n = np.arange(len(nodes)), len(nodes)
    leaf = (left == -1) & (right == -1)
    inner = ((left > own) & (right > own) & (left < n) & (right < n) & (feature >= 0)
             & (feature < width))
    if not (leaf | inner).all():
        raise HeadError("a tree of the classifier leads nowhere")
    if np.abs(values[leaf].sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        raise HeadError("a leaf of a tree has probabilities that do not sum to 1")
