"""What each epoch gave: scores of the validation part, as a table and for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.metrics import scores
from plankton_features.assessment.probability_metrics import log_loss
from plankton_features.csv_writing import write_csv
from plankton_features.files.replacing import replacing
from plankton_features.heads.predictions import at_real_frequencies

KEPT = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "mcc")


def network_probabilities(logits: np.ndarray, source: NDArray[np.float64]) -> NDArray[np.float64]:
    """The network's own probabilities, 0 for classes that it never trained.

    Parameters
    ----------
    logits : ndarray of float, shape (n, K)
    source : ndarray of float64, shape (K,)
        Class frequencies of training; 0 for absent classes.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Rows sum to 1.
    """
    from scipy.special import softmax

    found = np.zeros(logits.shape)
    seen = source > 0
    found[:, seen] = softmax(logits[:, seen].astype(np.float64), axis=1)
    return found


def validation_scores(y: NDArray[np.int64], logits: np.ndarray, source: NDArray[np.float64],
                      target: NDArray[np.float64]) -> dict[str, Any]:
    """How good answers are.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
    logits : ndarray of float, shape (n, K)
    source, target : ndarray of float64, shape (K,)
        Class frequencies that the network answers for, and the real ones.

    Returns
    -------
    dict of str to float
        Those of `KEPT`, and ``validation_loss``: the log-loss at real frequencies of rows whose
        class was trained; NaN if there is none.
    """
    own = network_probabilities(logits, source)
    corrected = at_real_frequencies(own, source, target)
    found = scores(confusion_matrix(y, own.argmax(axis=1), len(source)))
    known = source[y] > 0
    return {"validation_loss": float(log_loss(y[known], corrected[known])) if known.any()
            else float("nan"),
            **{name: float(found[name]) for name in KEPT}}


def better(record: dict[str, Any], metric: str) -> float:
    """The value by which epochs are compared; larger is better, and never NaN."""
    value = -record["validation_loss"] if metric == "loss" else record[metric]
    return value if np.isfinite(value) else -np.inf


_NOT_PLOTTED = ("phase", "epoch")


class Journal:
    """Writes the history after each epoch.

    Parameters
    ----------
    table : Path
        CSV file, replaced whole.
    events : Path
        Folder for TensorBoard, which shows it with ``tensorboard --logdir``.
    """

    def __init__(self, table: Path, events: Path):
        self.table, self.events = table, events
        self._writer: Any = None
        self._written = -1

    def __call__(self, history: list[dict[str, Any]]) -> None:
        """Write what is new.

        Raises
        ------
        StoreError
            If the table cannot be written.
        """
        if not history:
            return
        with replacing(self.table, "w", encoding="utf-8", newline="") as file:
            write_csv(pd.DataFrame(history), file)
        if self._written < 0:  # a run that goes on adds to what an earlier one wrote
            self._written = len(history) - 1 if self.events.exists() else 0
        for record in history[self._written :]:
            self._plot(record)
        self._written = len(history)

    def _plot(self, record: dict[str, Any]) -> None:
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.events))
        with self._writer.as_default(step=record["epoch"]):
            for name, value in record.items():
                if name not in _NOT_PLOTTED and not isinstance(value, str | bool):
                    tf.summary.write(name, tf.constant(float(value)), metadata=_scalar(name))
        self._writer.flush()


def _scalar(name: str) -> Any:
    """What tells TensorBoard, which need not be installed here, that it is a number."""
    from tensorflow.core.framework.summary_pb2 import SummaryMetadata

    told = SummaryMetadata(display_name=name)
    told.plugin_data.plugin_name = "scalars"
    return told
