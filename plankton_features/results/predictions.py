"""One vocabulary for all tables of predictions, from `taxon` and `probability` on."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.taxonomy import Taxonomy
from plankton_features.errors import InputError
from plankton_features.heads import FitResult, Head, Predictions

#: Taxa named in each row.
RANKS = 3
#: Before the name of a class in the columns of all probabilities.
PREFIX = "p_"

WhichProbabilities = Literal["top", "all"]


def prediction_table(head: Head, found: Predictions, images: pd.DataFrame,
                     probabilities: WhichProbabilities = "top") -> pd.DataFrame:
    """What a head says of each picture, as ``classify`` writes it.

    Parameters
    ----------
    head : Head
    found : Predictions
        Of n vectors.
    images : DataFrame of n rows
        Comes first, as it is.
    probabilities : {"top", "all"}, default="top"
        Whether those of all classes follow, in columns named ``p_`` and the class.

    Returns
    -------
    DataFrame of n rows
        With columns ``taxon``, ``probability``, up to two further taxa by falling probability,
        ``lineage`` (of heads with a taxonomy), ``abstained`` (yes or no), ``reason``,
        ``recipe_id``, ``head_id``.

    Raises
    ------
    InputError
        If `probabilities` is neither, or a column of `images` has the name of another.
    """
    check_which(probabilities)
    limits = None if head.thresholds is None else head.thresholds[found.code]
    table = pd.DataFrame(_said(head, found, limits), index=images.index)
    table = table.assign(recipe_id=head.recipe_id, head_id=head.head_id)
    more = [_all_probabilities(head.classes, found, images.index)] * (probabilities == "all")
    for name in images:
        if any(name in part for part in (table, *more)):
            raise InputError(f"column {name!r}: predictions have one of this name. Leave it out "
                             "of the columns to add, or rename it in the table and --update the "
                             "features.")
    return pd.concat([images, table, *more], axis=1)


def out_of_fold_table(result: FitResult, images: pd.DataFrame,
                      probabilities: WhichProbabilities = "top") -> pd.DataFrame:
    """Predictions of models that had not seen the row, one row for each image and repeat.

    Parameters
    ----------
    result : FitResult
    images : DataFrame
        With columns path, id, group and label, one row for each row that was fitted.
    probabilities : {"top", "all"}, default="top"
        See `prediction_table`.

    Returns
    -------
    DataFrame
        As `prediction_table`, with ``label_probability``, which is that of the given label,
        ``repeat`` and ``fold`` in place of the ids.

    Raises
    ------
    InputError
        If `probabilities` is neither.
    """
    check_which(probabilities)
    scored, blocks = result.out_of_fold, result.out_of_fold.blocks
    found = Predictions(scored.predicted, scored.probabilities.astype(np.float64), scored.accepted)
    limits = None
    if blocks[0].choice.thresholds is not None:
        limits = np.array([one.choice.thresholds for one in blocks])[scored.block, found.code]
    table = images.iloc[scored.row][["path", "id", "group", "label"]].reset_index(drop=True)
    table = table.assign(
        **_said(result.head, found, limits),
        label_probability=found.probabilities[np.arange(len(found)), result.y[scored.row]],
        repeat=np.array([one.repeat for one in blocks])[scored.block],
        fold=np.array([one.fold for one in blocks])[scored.block])
    more = [_all_probabilities(result.classes, found, table.index)] * (probabilities == "all")
    return pd.concat([table, *more], axis=1)


def check_which(probabilities: str) -> None:
    """Refuse what is no choice of probabilities to tell.

    Raises
    ------
    InputError
    """
    if probabilities not in get_args(WhichProbabilities):
        raise InputError(f"probabilities: expected one of {', '.join(get_args(WhichProbabilities))}"
                         f", got {probabilities}.")


def _said(head: Head, found: Predictions, limits: ArrayLike | None) -> dict[str, Any]:
    """The columns from ``taxon`` to ``reason``; `limits` are the thresholds of the decisions."""
    ranks, rows = found.ranked(RANKS), np.arange(len(found))
    columns: dict[str, Any] = {}
    for i in range(RANKS):
        end, known = f"_{i + 1}" if i else "", i < ranks.shape[1]
        columns[f"taxon{end}"] = head.classes[ranks[:, i]] if known else ""
        columns[f"probability{end}"] = found.probabilities[rows, ranks[:, i]] if known else np.nan
    if (stored := head.info.get("taxonomy")) is not None:
        taxonomy = Taxonomy.from_dict(stored)
        lineages = np.array([taxonomy.lineage_text(name) for name in head.classes.tolist()])
        columns["lineage"] = lineages[found.code]
    columns["abstained"] = np.where(found.accepted, "no", "yes")
    columns["reason"] = "" if limits is None else [
        "" if accepted else _reason(p, limit) for accepted, p, limit in
        zip(found.accepted, found.probability, np.asarray(limits), strict=True)]
    return columns


def _reason(probability: float, limit: float) -> str:
    if np.isinf(limit):
        return "never sure enough of this taxon: no threshold kept the promised precision"
    return f"probability {probability:.3f} below {limit:.3f}, the threshold of this taxon"


def _all_probabilities(classes: NDArray[np.str_], found: Predictions,
                       index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(found.probabilities, index=index,
                        columns=[PREFIX + name for name in classes.tolist()])
