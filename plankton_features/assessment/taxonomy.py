"""Taxa as trees: lineages, and which classes belong to which node.

Labels may be of mixed depth: a taxon and its ancestor can both be classes. Names are compared in
Unicode's composed form and without spaces at their ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.checks import as_names, as_probabilities, composed, first_few
from plankton_features.assessment.confusion import Floats
from plankton_features.errors import InputError

_COLUMNS = ("names", "parents", "ranks")


@dataclass(frozen=True)
class Taxonomy:
    """A forest of taxa; made by `from_table`, which checks it.

    Attributes
    ----------
    names : tuple of str
        Each taxon once, in the order of the table.
    parents : tuple of int
        Position of each taxon's parent in `names`; -1 for roots.
    ranks : tuple of str
        Empty where there is none.

    Examples
    --------
    >>> taxa = Taxonomy.from_table(["Eukaryota", "Metazoa", "Annelida", "detritus"],
    ...                            ["", "Eukaryota", "Metazoa", ""])
    >>> taxa.lineage_text("Annelida")
    'Annelida -> Metazoa -> Eukaryota'
    >>> "Copepoda" in taxa
    False
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    ranks: tuple[str, ...]

    @classmethod
    def from_table(cls, names: Iterable[object], parents: Iterable[object],
                   ranks: Iterable[object] | None = None) -> Taxonomy:
        """Check a table of taxa.

        Parameters
        ----------
        names : iterable of str, length n_rows
            A row that is there twice counts once.
        parents : iterable of str, length n_rows
            Names; empty (or None, or NaN) for a root.
        ranks : iterable of str, length n_rows, optional
            Such as ``family``; some or all may be empty.

        Returns
        -------
        Taxonomy

        Raises
        ------
        InputError
            If a name is empty, has two parents or ranks, or a parent without a row, or if parents
            go in a circle. The message names the first such taxa.
        """
        name, parent = as_names(names), as_names(parents)
        rank = [""] * len(name) if ranks is None else as_names(ranks)
        _check_columns(name, parent, rank)
        rows = _one_row_each(name, parent, rank)
        position = {taxon: i for i, taxon in enumerate(rows)} | {"": -1}
        absent = [f"{above} (of {taxon})" for taxon, (above, _) in rows.items()
                  if above not in position]
        if absent:
            raise InputError("taxonomy: parents that are not in the table: "
                             f"{first_few(absent)}. Add a row for each, without a parent if it "
                             "is a root.")
        above = tuple(position[up] for up, _ in rows.values())
        _refuse_circles(list(rows), above)
        return cls(tuple(rows), above, tuple(rank for _, rank in rows.values()))

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def __contains__(self, name: object) -> bool:
        return composed(str(name)) in self._position

    def lineage(self, name: str) -> tuple[str, ...]:
        """The taxon, its parent and so on up to its root.

        Raises
        ------
        InputError
            If there is no such taxon.
        """
        node = self._position.get(composed(str(name)), -1)
        if node < 0:
            raise InputError(f"taxonomy: {name} is not in it. Add a row for it to the table.")
        found = []
        while node >= 0:
            found.append(self.names[node])
            node = self.parents[node]
        return tuple(found)

    def lineage_text(self, name: str) -> str:
        """`lineage` as ``Annelida -> Metazoa -> Eukaryota``."""
        return " -> ".join(self.lineage(name))

    def to_dict(self) -> dict[str, list[str]]:
        """The table as plain lists for JSON, for `from_dict`."""
        parents = [self.names[up] if up >= 0 else "" for up in self.parents]
        return {"names": list(self.names), "parents": parents, "ranks": list(self.ranks)}

    @classmethod
    def from_dict(cls, stored: object) -> Taxonomy:
        """What `to_dict` gave.

        Raises
        ------
        InputError
            If it is something else, or not a taxonomy.
        """
        columns = [stored.get(name) for name in _COLUMNS] if isinstance(stored, Mapping) else [None]
        if not all(isinstance(column, list) and all(isinstance(text, str) for text in column)
                   for column in columns):
            raise InputError("taxonomy: expected lists of text called names, parents and ranks. Is "
                             "this what Taxonomy.to_dict wrote?")
        return cls.from_table(*columns)


def lineage_matrix(taxonomy: Taxonomy,
                   classes: Iterable[str]) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Which nodes each class belongs to: its own and those of its ancestors.

    Parameters
    ----------
    taxonomy : Taxonomy
    classes : iterable of str, length K
        Names in it, at least one.

    Returns
    -------
    nodes : tuple of str
        Those that a class reaches: roots first, then by depth, of equal depth by name. In a row
        of `A`, the first node is the root and the last one the class itself.
    A : ndarray of bool, shape (K, n_nodes)

    Raises
    ------
    InputError
        If classes are not in the taxonomy; the message names the first ones.

    Examples
    --------
    >>> taxa = Taxonomy.from_table(["Crustacea", "Copepoda", "Calanus", "Oithona"],
    ...                            ["", "Crustacea", "Copepoda", "Copepoda"])
    >>> nodes, A = lineage_matrix(taxa, ["Calanus", "Copepoda"])
    >>> nodes, A.astype(int).tolist()
    (('Crustacea', 'Copepoda', 'Calanus'), [[1, 1, 1], [1, 1, 0]])
    """
    names = [str(name) for name in classes]
    unknown = [name for name in dict.fromkeys(names) if name not in taxonomy]
    if unknown or not names:
        raise InputError("classes: expected names in the taxonomy, got "
                         f"{first_few(unknown) or 'none'}. Add a row to the table for each class.")
    lineages = [taxonomy.lineage(name)[::-1] for name in names]
    depth = {node: i for lineage in lineages for i, node in enumerate(lineage)}
    column = {node: j for j, node in enumerate(sorted(depth, key=lambda name: (depth[name], name)))}
    A = np.zeros((len(names), len(column)), dtype=bool)
    for k, lineage in enumerate(lineages):
        A[k, [column[node] for node in lineage]] = True
    return tuple(column), A


def node_probabilities(probabilities: ArrayLike, A: ArrayLike) -> Floats:
    """Probability of each node: the sum over the classes that belong to it.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_rows, K)
        In [0, 1]; rows sum to 1.
    A : array-like of bool, shape (K, n_nodes)
        From `lineage_matrix`.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_nodes)
        In [0, 1]; never more than that of the parent, but for rounding.

    Raises
    ------
    InputError
        If arrays do not fit each other or their ranges.

    Examples
    --------
    >>> node_probabilities([[0.75, 0.25]], [[1, 1, 1], [1, 1, 0]]).tolist()
    [[1.0, 1.0, 0.75]]
    """
    p, lineages = as_probabilities(probabilities), as_lineages(A)
    if p.shape[1] != len(lineages):
        raise InputError(f"probabilities: expected {len(lineages)} columns, one for each row of "
                         f"A, got {p.shape[1]}.")
    return np.clip(p @ lineages.astype(np.float64), 0, 1)


def as_lineages(A: ArrayLike) -> NDArray[np.bool_]:
    """A lineage matrix, checked: of 0 and 1, every class in a node, one parent for each node.

    Parameters
    ----------
    A : array-like, shape (K, n_nodes)

    Returns
    -------
    ndarray of bool, shape (K, n_nodes)

    Raises
    ------
    InputError
        If it is another matrix, or its columns are in another order.
    """
    array = np.asarray(A)
    if not (array.ndim == 2 and array.size and np.isin(array, [0, 1]).all()
            and array.any(axis=1).all() and _one_parent_each(array != 0)):
        raise InputError("A: expected the 0 and 1 of lineage_matrix, where the first node of a row "
                         "is a root and each further one is below it; got another array of shape "
                         f"{array.shape}. Make it anew and keep the order of its columns.")
    lineages: NDArray[np.bool_] = array != 0
    return lineages


def _one_parent_each(A: NDArray[np.bool_]) -> bool:
    """Whether the node before a node is the same in all rows that have it."""
    n_nodes = A.shape[1]
    last = np.maximum.accumulate(np.where(A, np.arange(n_nodes), -1), axis=1)
    before = np.column_stack([np.full(len(A), -1), last[:, :-1]])
    least, most = np.where(A, before, n_nodes).min(axis=0), np.where(A, before, -1).max(axis=0)
    return bool((most <= least).all())


def _check_columns(names: list[str], parents: list[str], ranks: list[str]) -> None:
    if not names:
        raise InputError("taxonomy: expected at least one taxon, got an empty table.")
    for column, values in (("parents", parents), ("ranks", ranks)):
        if len(values) != len(names):
            raise InputError(f"{column}: expected one for each of {len(names)} names, got "
                             f"{len(values)}.")
    if "" in names:
        row = names.index("")
        raise InputError(f"taxonomy: row {row + 1} has no name (its parent: "
                         f"{parents[row] or 'none'}). Name it or delete it.")


def _one_row_each(names: list[str], parents: list[str],
                  ranks: list[str]) -> dict[str, tuple[str, str]]:
    """Parent and rank of each name."""
    rows: dict[str, dict[tuple[str, str], None]] = {}
    for name, parent, rank in zip(names, parents, ranks, strict=True):
        rows.setdefault(name, {})[parent, rank] = None
    double = [f"{name} ({'; '.join(', '.join(filter(None, row)) or 'a root' for row in seen)})"
              for name, seen in rows.items() if len(seen) > 1]
    if double:
        raise InputError("taxonomy: expected one parent and rank for each name, got more for "
                         f"{first_few(double)}. Give taxa of the same name names of their own.")
    return {name: next(iter(seen)) for name, seen in rows.items()}


def _refuse_circles(names: list[str], parents: Sequence[int]) -> None:
    checked: set[int] = set()
    for node in range(len(names)):
        path: dict[int, None] = {}
        while node >= 0 and node not in checked and node not in path:
            path[node] = None
            node = parents[node]
        if node in path:
            steps = list(path)
            circle = [names[step] for step in [*steps[steps.index(node):], node]]
            raise InputError(f"taxonomy: parents go in a circle: {' -> '.join(circle)}. Leave the "
                             "parent of the uppermost taxon empty.")
        checked.update(path)
