"""The loss of a training step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.finetuning.frequencies import class_weights, logit_offsets
from plankton_features.finetuning.options import TuneOptions

#: Probabilities count as at least this in logarithms.
_SMALLEST = 1e-7


def make_loss(options: TuneOptions, epoch_counts: NDArray[np.int64],
              lineages: NDArray[np.bool_] | None = None) -> Callable[[Any, Any, Any], Any]:
    """Mean loss of a batch, as a function of tensors.

    Parameters
    ----------
    options : TuneOptions
    epoch_counts : ndarray of int64, shape (K,)
        Rows of each class in an epoch.
    lineages : ndarray of bool, shape (K, n_nodes), optional
        See `lineage_matrix`. Then the loss of a row is that of `lineage_weights`, with which
        confusing near taxa costs less.

    Returns
    -------
    callable
        From logits (n, K), labels (n,) and weights (n,) to one number.
    """
    import tensorflow as tf

    weights = np.ones(len(epoch_counts), np.float32)
    if options.sampler == "class-weight":
        weights = class_weights(epoch_counts).astype(np.float32)
    offsets = np.zeros(len(epoch_counts), np.float32)
    if options.sampler == "logit-adjustment":
        offsets = logit_offsets(epoch_counts, options.tau).astype(np.float32)
    parts = None if lineages is None else lineage_weights(lineages)

    def loss(logits: Any, y: Any, row_weights: Any) -> Any:
        shifted = tf.cast(logits, tf.float32) + offsets
        if parts is None:
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(y, shifted)
        else:
            each = _lineage_loss(tf.nn.softmax(shifted), y, *parts)
        each *= tf.gather(weights, y) * row_weights
        return tf.reduce_sum(each) / tf.reduce_sum(row_weights)

    return loss


def lineage_weights(lineages: NDArray[np.bool_]) -> tuple[NDArray[np.float32],
                                                         NDArray[np.float32]]:
    """Nodes of a taxonomy and their weights in the loss of each class.

    At every depth the nodes there, and the classes that end above it, divide the classes; the
    loss is the mean over depths of -log P(the part that holds the label). Each depth is the
    log-loss of a division, so the least loss is at the true frequencies, whatever the depth of
    the labels.

    Parameters
    ----------
    lineages : ndarray of bool, shape (K, n_nodes)
        Nodes that each class belongs to, itself and its ancestors.

    Returns
    -------
    members : ndarray of float32, shape (K, n)
        1 for each class in a node of two classes or more, then each class alone.
    weights : ndarray of float32, shape (K, n)
        Rows sum to 1.

    Examples
    --------
    >>> members, weights = lineage_weights(np.array([[1, 1, 0], [1, 0, 1]], bool))
    >>> weights.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    n_below = lineages.sum(axis=0)
    inner = lineages[:, (n_below > 1) & (n_below < len(lineages))].astype(np.float32)
    depth = inner.sum(axis=1)
    own = np.diag(depth.max(initial=0) + 1 - depth).astype(np.float32)
    weights = np.concatenate([inner, own], axis=1)
    members = np.concatenate([inner, np.eye(len(lineages), dtype=np.float32)], axis=1)
    return members, weights / weights.sum(axis=1, keepdims=True)


def _lineage_loss(probabilities: Any, y: Any, members: NDArray[np.float32],
                  weights: NDArray[np.float32]) -> Any:
    import tensorflow as tf

    logs = tf.math.log(tf.clip_by_value(probabilities @ members, _SMALLEST, 1.0))
    return -tf.reduce_sum(tf.gather(weights, y) * logs, axis=1)
