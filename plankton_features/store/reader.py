"""Read a feature file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plankton_features.errors import InputError, StoreError
from plankton_features.store.attributes import expand_names
from plankton_features.store.checking import (
    check_digests,
    check_file,
    check_finite,
    check_values,
    extra_columns,
)
from plankton_features.store.column_values import all_missing, decode
from plankton_features.store.columns import kind_of, unit_of
from plankton_features.store.contents import Contents, read_contents
from plankton_features.store.disk import opened
from plankton_features.store.schema import EXTRA, LATER, TABLES


def read_features(path: str | os.PathLike[str]) -> FeatureFile:
    """Open a finished feature file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    FeatureFile

    Raises
    ------
    StoreError
        If it is missing, not finished, damaged, or of a newer format.
    """
    return FeatureFile(Path(path))


class FeatureFile:
    """A finished feature file. Columns are read when they are asked for.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    path : Path
    attributes : dict
        The root attributes.
    shape : (int, int)
        Vectors, and values of each.
    extra_columns : dict of str to str
        What else is known of the images, in the order of its source: name to ``text``,
        ``int64`` or ``float64``.
    units : dict of str to str
        Of those extra columns that have one, such as ``m``.

    Raises
    ------
    StoreError
        See `read_features`.
    """

    def __init__(self, path: Path):
        self.path = path
        with opened(path) as file:
            self.attributes = check_file(file)
            self.shape: tuple[int, int] = file["features"].shape
            self._counts = {table: len(file[f"{table}/position"]) for table in TABLES}
            self._links = extra_columns(file)
            extra = {name: file[f"{EXTRA}/images/{link}"] for name, link in self._links.items()}
            self.extra_columns = {name: kind_of(item.dtype) for name, item in extra.items()}
            units = {name: unit_of(item, name) for name, item in extra.items()}
            self.units = {name: unit for name, unit in units.items() if unit}

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return (f"FeatureFile({str(self.path)!r}, {self.shape[0]} x {self.shape[1]}, "
                f"recipe_id={self.recipe_id!r})")

    @cached_property
    def X(self) -> np.ndarray:
        """The vectors, shape (n, n_values), float32; read once, never copied to float64."""
        with opened(self.path) as file:
            return self._checked(file["features"][:].astype(np.float32, copy=False), 0)

    @cached_property
    def y(self) -> np.ndarray:
        """Labels, shape (n,), object array of str; empty text where unlabelled."""
        return np.asarray(self._column("images", "label"))

    @cached_property
    def groups(self) -> np.ndarray | None:
        """Groups, shape (n,), object array of str; None if no image has one."""
        groups = self._column("images", "group")
        return groups if any(groups) else None

    @cached_property
    def paths(self) -> np.ndarray:
        """Paths, shape (n,), object array of str."""
        return np.asarray(self._column("images", "path"))

    @property
    def recipe(self) -> dict[str, object]:
        """The recipe's fields; `Recipe.from_json` makes a Recipe of ``attributes["recipe"]``."""
        return dict(json.loads(str(self.attributes["recipe"])))

    @property
    def recipe_id(self) -> str:
        """Digest of the recipe."""
        return hashlib.sha256(str(self.attributes["recipe"]).encode()).hexdigest()[:12]

    @cached_property
    def images(self) -> pd.DataFrame:
        """One row for each vector: path, label, group, id, sha256, width, height, position.

        And full_scale, contrast, several_pages (see `extraction.remarks_of`), which files of
        earlier versions lack, and the extra columns, as pandas' ``string``, ``Int64`` and
        ``Float64``: ``pandas.NA`` is missing; empty text and NaN are not.
        """
        return self._table("images")

    @cached_property
    def failures(self) -> pd.DataFrame:
        """One row for each image that could not be used: path, label, stage, reason; and extras."""
        return self._table("failures")

    @cached_property
    def duplicates(self) -> pd.DataFrame:
        """One row for each further path of a picture, extras too; ``row`` is its vector's row."""
        return self._table("duplicates")

    def columns(self, *names: str) -> pd.DataFrame:
        """Some columns of `images`, without reading the others; *not known* for those it lacks.

        Parameters
        ----------
        *names : str

        Returns
        -------
        DataFrame of n rows

        Raises
        ------
        InputError
            If there is no column of that name.
        """
        return self.table("images", *names)

    def table(self, table: str, *names: str) -> pd.DataFrame:
        """Some columns of ``images``, ``failures`` or ``duplicates``, as `columns` does."""
        return pd.DataFrame({name: self._column(table, name) for name in names},
                            index=range(self._counts[table]))

    def count(self, table: str) -> int:
        """Rows of ``images``, ``failures`` or ``duplicates``, without reading them."""
        return self._counts[table]

    def count_conflicts(self) -> int:
        """Rows of `label_conflicts`, reading nothing but labels."""
        return int(self._conflicting().sum())

    def label_conflicts(self) -> pd.DataFrame:
        """Duplicates whose label differs from that of the first path of the same picture.

        Returns
        -------
        DataFrame
            With columns path, label, first_path, first_label.
        """
        table = self.duplicates[self._conflicting()].reset_index(drop=True)
        first = self.columns("path", "label").iloc[table["row"]].reset_index(drop=True)
        return table[["path", "label"]].assign(first_path=first["path"],
                                               first_label=first["label"])

    def to_frame(self) -> pd.DataFrame:
        """The vectors as a DataFrame of shape (n, n_values), float32, indexed by path."""
        return pd.DataFrame(self.X, index=pd.Index(self.paths, name="path"),
                            columns=self.feature_names, copy=False)

    @property
    def feature_names(self) -> list[str]:
        """A name for each value of the vectors, such as ``mixed10_avg_0``."""
        return expand_names(json.loads(str(self.attributes["feature_blocks"])))

    def iter_blocks(self, rows: int = 4096) -> Iterator[np.ndarray]:
        """Yield the vectors in blocks, without holding them all in memory.

        Parameters
        ----------
        rows : int, default=4096

        Yields
        ------
        ndarray of shape (at most `rows`, n_values), float32
        """
        for start, block in self._blocks(rows):
            yield self._checked(block, start)

    def take(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Read the vectors of some rows only.

        Parameters
        ----------
        rows : sequence of int
            In any order, with repetitions.

        Returns
        -------
        ndarray of shape (len(rows), n_values), float32
        """
        rows = np.asarray(rows, dtype=np.int64)
        taken = np.empty((len(rows), self.shape[1]), np.float32)
        with opened(self.path) as file:
            features = file["features"]
            size = features.chunks[0] if features.chunks else len(self)
            for chunk in np.unique(rows // size):
                here = rows // size == chunk
                taken[here] = features[chunk * size : (chunk + 1) * size][rows[here] % size]
        return self._checked(taken, rows)

    def digests(self) -> list[bytes]:
        """SHA-256 of the file of each row, 32 bytes each."""
        with opened(self.path) as file:
            return check_digests(file["images/sha256"][:])

    def contents(self) -> Contents:
        """Which content each image of the catalog had."""
        with opened(self.path) as file:
            return read_contents(file, len(self))

    def _table(self, table: str) -> pd.DataFrame:
        with opened(self.path) as file:
            absent = {name for name in LATER if name not in file}
        own = [name for name in TABLES[table] if f"{table}/{name}" not in absent]
        return self.table(table, *own, *self.extra_columns)

    def _column(self, table: str, name: str) -> Any:
        """A column of a table; *not known* or missing where the file lacks it."""
        if name not in (known := {**TABLES[table], **self._links}):
            raise InputError(f"{self.path}: has no column {name!r}. There are {', '.join(known)}.")
        extra = name in self._links
        path = f"{EXTRA}/{table}/{self._links[name]}" if extra else f"{table}/{name}"
        with opened(self.path) as file:
            if extra:
                return (decode(name, file[path][:]) if path in file
                        else all_missing(self.extra_columns[name], self._counts[table]))
            if path in LATER and path not in file:
                return np.full(self._counts[table], LATER[path], TABLES[table][name])
            return check_values(path, file[path][:])

    def not_finite(self) -> list[str]:
        """Paths of the vectors that have values which are no finite numbers.

        Returns
        -------
        list of str
        """
        bad = [start + np.flatnonzero(~check_finite(block))
               for start, block in self._blocks(4096)]
        return self.paths[np.concatenate(bad)].tolist() if bad else []

    def _blocks(self, rows: int) -> Iterator[tuple[int, np.ndarray]]:
        with opened(self.path) as file:
            for start in range(0, len(self), rows):
                yield start, file["features"][start : start + rows].astype(np.float32, copy=False)

    def _checked(self, vectors: np.ndarray, rows: int | np.ndarray) -> np.ndarray:
        """Vectors of rows, or of those from a row on, if all their values are finite."""
        finite = check_finite(vectors)
        if not finite.all():
            first = int(np.flatnonzero(~finite)[0])
            row = rows + first if isinstance(rows, int) else int(rows[first])
            raise StoreError(f"{self.path}: the vector of {self.paths[row]} (row {row}) has values "
                             "that are not finite. Extract the features anew.")
        return vectors

    def _conflicting(self) -> np.ndarray:
        """Whether the label of each duplicate differs from the first one's, (n,) bool."""
        if not self.count("duplicates"):
            return np.zeros(0, bool)
        with opened(self.path) as file:
            first = file["images/label"][:][file["duplicates/row"][:]]
            return np.asarray(file["duplicates/label"][:] != first)
