"""What each epoch gave, as a table and for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from plankton_features.csv_writing import write_csv
from plankton_features.files.replacing import replacing

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
