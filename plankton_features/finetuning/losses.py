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
        Nodes of the taxonomy that each class belongs to. Then the loss of a row is the mean of
        -log P(node) over the nodes of its label, so that confusing near taxa costs less, and
        what lies below a label costs nothing.

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
    nodes = None if lineages is None else lineages.astype(np.float32)

    def loss(logits: Any, y: Any, row_weights: Any) -> Any:
        shifted = tf.cast(logits, tf.float32) + offsets
        if nodes is None:
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(y, shifted)
        else:
            each = _lineage_loss(tf.nn.softmax(shifted), y, nodes)
        each *= tf.gather(weights, y) * row_weights
        return tf.reduce_sum(each) / tf.reduce_sum(row_weights)

    return loss


def _lineage_loss(probabilities: Any, y: Any, nodes: NDArray[np.float32]) -> Any:
    import tensorflow as tf

    of_row = tf.gather(nodes, y)
    logs = tf.math.log(tf.clip_by_value(probabilities @ nodes, _SMALLEST, 1.0))
    n_nodes = tf.maximum(tf.reduce_sum(of_row, axis=1), 1.0)  # 0 of a label that says nothing
    return -tf.reduce_sum(of_row * logs, axis=1) / n_nodes
