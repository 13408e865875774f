"""Which predictions are worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("path", "label", "taxon", "probability")
#: Right predictions listed of each class, to compare mistakes with.
PER_CLASS = 4


@dataclass(frozen=True)
class Picked:
    """Positions in `table`.

    Attributes
    ----------
    table : DataFrame
        One row for each image, the most confident prediction first.
    wall : ndarray of int
        Mistakes, the most confident first.
    listed : ndarray of int
        What to list: the wall, then in turn one more of each cell of the confusion matrix,
        frequent cells first. Pictures are made in this order while there is room.
    """

    table: pd.DataFrame
    wall: np.ndarray
    listed: np.ndarray


def pick(frame: pd.DataFrame, per_cell: int, most_mistakes: int, most_listed: int) -> Picked:
    """Choose mistakes for the wall, and a few rows of every cell of the confusion matrix.

    Parameters
    ----------
    frame : DataFrame
        Columns ``path``, ``label``, ``taxon``, ``probability`` and optionally ``repeat``, of which
        only 0 counts. ``taxon`` was ``predicted`` in files of earlier versions.
    per_cell : int
        Rows of each pair of different true and predicted classes; of right predictions
        `PER_CLASS` at the most.
    most_mistakes, most_listed : int
        Limits of wall and list.

    Returns
    -------
    Picked

    Raises
    ------
    InputError
        If a column is missing.
    """
    if "taxon" not in frame.columns:
        frame = frame.rename(columns={"predicted": "taxon"})
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise InputError(f"predictions: expected columns {', '.join(COLUMNS)}, without "
                         f"{', '.join(missing)}.")
    table = _most_confident_first(frame)
    wrong = (table["label"] != table["taxon"]).to_numpy()
    wall = np.flatnonzero(wrong)[:most_mistakes]
    turns = _in_turn(table, np.where(wrong, per_cell, min(per_cell, PER_CLASS)))
    listed = np.concatenate([wall, turns[~np.isin(turns, wall)]])[:max(most_listed, len(wall))]
    return Picked(table, wall, listed)


def _most_confident_first(frame: pd.DataFrame) -> pd.DataFrame:
    if "repeat" in frame.columns:
        frame = frame[frame["repeat"] == 0]
    table = frame[list(COLUMNS)].astype({"path": str, "label": str, "taxon": str})
    return table.sort_values(["probability", "path"], ascending=[False, True],
                             na_position="last", ignore_index=True)


def _in_turn(table: pd.DataFrame, allowed: np.ndarray) -> np.ndarray:
    """Rows cell by cell in turn: the first of every cell, the second of every cell, ..."""
    cells = table.groupby(["label", "taxon"], sort=False)
    turn = cells.cumcount().to_numpy()
    size = cells["path"].transform("size").to_numpy()
    order = np.lexsort((np.arange(len(table)), cells.ngroup().to_numpy(), -size, turn))
    allowed_ones: NDArray[np.intp] = order[turn[order] < allowed[order]]
    return allowed_ones
