"""Labels as rows of 0 and 1 over the nodes of a taxonomy, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from plankton_features.assessment.checks import as_names, first_few
from plankton_features.assessment.taxonomy import Taxonomy, lineage_matrix
from plankton_features.errors import InputError


class LineageEncoder(TransformerMixin, BaseEstimator,
                     auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Labels as rows of 0 and 1, with a 1 for the taxon and each of its ancestors, and back.

    Where only the classes themselves are wanted (one-hot), scikit-learn's ``LabelBinarizer`` is
    the encoder; of two classes it makes a single column.

    Parameters
    ----------
    taxonomy : Taxonomy

    Attributes
    ----------
    classes_ : ndarray of str, shape (K,)
        Labels seen by `fit`, sorted.
    nodes_ : ndarray of str, shape (n_nodes,)
        What each column stands for, in the order of `lineage_matrix`.
    lineages_ : ndarray of bool, shape (n_nodes, n_nodes)
        Row j is the lineage of node j.

    Examples
    --------
    >>> taxa = Taxonomy.from_table(["Copepoda", "Calanus", "Oithona"], ["", "Copepoda", "Copepoda"])
    >>> encoder = LineageEncoder(taxa).fit(["Calanus", "Oithona"])
    >>> encoder.transform(["Oithona", "Copepoda"]).tolist()
    [[1, 0, 1], [1, 0, 0]]
    >>> encoder.inverse_transform([[1, 1, 0]]).tolist()
    ['Calanus']
    """

    def __init__(self, taxonomy: Taxonomy):
        self.taxonomy = taxonomy

    def fit(self, y: ArrayLike) -> LineageEncoder:
        """Learn the nodes.

        Parameters
        ----------
        y : array-like of str, shape (n_rows,)

        Returns
        -------
        LineageEncoder

        Raises
        ------
        InputError
            If labels are not in the taxonomy.
        """
        self.classes_ = np.array(sorted(set(_labels(y))))
        nodes, _ = lineage_matrix(self.taxonomy, self.classes_)
        self.nodes_, self.lineages_ = np.array(nodes), lineage_matrix(self.taxonomy, nodes)[1]
        return self

    def transform(self, y: ArrayLike) -> NDArray[np.uint8]:
        """Encode.

        Parameters
        ----------
        y : array-like of str, shape (n_rows,)
            In `nodes_`: classes or their ancestors.

        Returns
        -------
        ndarray of uint8, shape (n_rows, n_nodes)

        Raises
        ------
        InputError
            If labels are no nodes; the message names the first ones.
        """
        check_is_fitted(self)
        column, labels = {str(node): j for j, node in enumerate(self.nodes_)}, _labels(y)
        unknown = [label for label in dict.fromkeys(labels) if label not in column]
        if unknown:
            raise InputError("labels: expected those of fit or their ancestors, got "
                             f"{first_few(unknown)}. Fit with all labels.")
        return self.lineages_[[column[label] for label in labels]].astype(np.uint8)

    def inverse_transform(self, Y: ArrayLike) -> NDArray[np.str_]:
        """The deepest node of each row.

        Parameters
        ----------
        Y : array-like of 0 and 1, shape (n_rows, n_nodes)

        Returns
        -------
        ndarray of str, shape (n_rows,)

        Raises
        ------
        InputError
            If a row is no lineage: without an ancestor, or with two branches.
        """
        check_is_fitted(self)
        rows = np.asarray(Y)
        if rows.ndim != 2 or rows.shape[1] != len(self.nodes_):
            raise InputError(f"Y: expected shape (rows, {len(self.nodes_)}), one column for each "
                             f"node, got {rows.shape}.")
        deepest = rows.shape[1] - 1 - (rows != 0)[:, ::-1].argmax(axis=1)
        wrong = np.flatnonzero((rows != self.lineages_[deepest]).any(axis=1))
        if len(wrong):
            raise InputError(f"Y: expected lineages of 0 and 1, but row {wrong[0]} has "
                             f"{self._what(rows[wrong[0]])}. Set a taxon with all its ancestors, "
                             "and no other.")
        taxa: NDArray[np.str_] = self.nodes_[deepest]
        return taxa

    def _what(self, row: NDArray[np.bool_]) -> str:
        """What is wrong with a row."""
        if not np.isin(row, [0, 1]).all():
            return "other numbers"
        if not row.any():
            return "no taxon"
        deepest = np.flatnonzero(row)[-1]
        missing, more = ([str(name) for name in self.nodes_[side]] for side in (
            self.lineages_[deepest] & (row == 0), ~self.lineages_[deepest] & (row == 1)))
        return (f"{self.nodes_[deepest]} without {first_few(missing)}" if missing else
                f"both {self.nodes_[deepest]} and {first_few(more)}")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.one_d_labels = True
        return tags


def _labels(y: ArrayLike) -> list[str]:
    array = np.asarray(y)
    if array.ndim != 1 or not array.size:
        raise InputError(f"labels: expected a row of at least one name, got shape {array.shape}.")
    return as_names(array.tolist())
