"""Write a feature file block by block, so that a kill at any moment loses at most one block."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from plankton_features.errors import StoreError
from plankton_features.files.disk import sync
from plankton_features.files.locking import WriteLock
from plankton_features.files.targets import check_target, keep_mode
from plankton_features.store.checking import extra_columns
from plankton_features.store.column_values import all_missing, encode
from plankton_features.store.columns import kind_of
from plankton_features.store.disk import broken_off, named_errors, partial_path, undo_path
from plankton_features.store.partial import create_partial, resume_partial
from plankton_features.store.schema import EXTRA, LATER, TABLES, Plan, all_datasets, to_column
from plankton_features.store.undo import Undo


@dataclass
class Block:
    """Rows that are written together.

    Attributes
    ----------
    features : ndarray of shape (n, n_values), float32
    images, failures, duplicates : dict of str to sequence
        The columns of each table, see `TABLES`, and the plan's extra columns; of ``images`` all
        have length n. ``position`` is needed and rises from block to block over the three
        tables; other columns that are not there are empty, zero, or what stands for *not known*,
        extra ones missing. In an extra column, None and ``pandas.NA`` are missing, and so is
        NaN, but in pandas' type ``Float64``.
    """

    features: np.ndarray
    images: Mapping[str, Sequence[Any]]
    failures: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    duplicates: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def grows_tables(self) -> bool:
        """Whether there are failures or duplicates in it."""
        return bool(len(self.failures.get("position", ())) or
                    len(self.duplicates.get("position", ())))


class FeatureStore:
    """A feature file being written.

    Use it as a context manager. Leaving it without `finish` keeps ``<path>.partial``, which
    opening again with the same header resumes.

    Parameters
    ----------
    path : path-like
        The file to write. It appears when `finish` is called, whole; until then its rows are in
        ``<path>.partial``.
    plan : Plan or None
        Room to make, and extra columns; None to continue what is there, whatever it is.
    header : dict of str to str or number
        Root attributes that decide the file's content. Resuming needs the same.
    notes : dict of str to str or number, optional
        Further root attributes, not compared.
    overwrite : bool, default=False
        Leave what an earlier run wrote aside, and write the file anew.

    Attributes
    ----------
    n_valid : int
        Rows written for good.
    n_done : int
        Images of the catalog dealt with for good: one more than the last position written.

    Raises
    ------
    StoreError
        If another process writes this file, or it cannot be written or continued.
    MismatchError
        If the file was begun with another header, or other extra columns.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "out.h5"
    >>> plan = Plan(n_images=1, n_values=2, text_bytes={"path": 9})
    >>> with FeatureStore(path, plan, {"recipe": "{}"}) as store:
    ...     store.append(Block(np.ones((1, 2), np.float32),
    ...                        dict(path=["a/1.png"], sha256=["0" * 64], position=[0])))
    ...     store.finish()
    >>> path.exists()
    True
    """

    def __init__(self, path: str | os.PathLike[str], plan: Plan | None,
                 header: Mapping[str, object], *, notes: Mapping[str, object] | None = None,
                 overwrite: bool = False):
        self.path = check_target(Path(path))
        self.partial = partial_path(self.path)
        self._undo = Undo(undo_path(self.path), self.partial)
        self._lock = WriteLock(self.path)
        self._lock.acquire()
        try:
            if plan is not None and (overwrite or not self.partial.exists()):
                self._file = create_partial(self.path, plan, {**(notes or {}), **header})
            else:
                self._file = resume_partial(self.path, header, plan)
            # Held open: HDF5 writes a dataset's rows when it is closed at the latest, and an error
            # then would be lost.
            self._datasets = all_datasets(self._file)
            self._extra = extra_columns(self._file)
            self.n_valid = int(self._file.attrs["n_valid"])
            self.n_done = self._count_done()
        except BaseException:
            self._lock.release()
            raise

    def append(self, block: Block) -> None:
        """Write a block for good: data, flush, count, flush.

        Parameters
        ----------
        block : Block

        Raises
        ------
        StoreError
            If the disk is full or fails; what was written before is kept.
        InputError
            If values of an extra column are of another type, or cannot be kept unchanged; nothing
            is written.
        """
        start, stop = self.n_valid, self.n_valid + len(block.features)
        images = self._as_stored("images", block.images, len(block.features))
        failures = self._as_stored("failures", block.failures)
        duplicates = self._as_stored("duplicates", block.duplicates)
        with named_errors(self.partial), broken_off(self._file):
            if block.grows_tables:
                self._undo.save(self._file)
            self._datasets["features"][start:stop] = block.features
            self._write(images, start, stop)
            self._extend("failures", failures)
            self._extend("duplicates", duplicates)
            self._flush()
            self._file.attrs.modify("n_valid", np.int64(stop))
            self._flush()
            self._undo.forget()
        self.n_valid = stop
        self.n_done = self._count_done()

    def finish(self, notes: Mapping[str, object] | None = None) -> None:
        """Cut unused room off, mark the file complete and give it its name.

        Parameters
        ----------
        notes : dict of str to str or number, optional
            Root attributes to add.

        Raises
        ------
        StoreError
            If the disk is full or fails; the unfinished file is kept.
        """
        with named_errors(self.partial):
            with broken_off(self._file):
                self._undo.save(self._file)
                self._resize("images", self.n_valid)
                self._datasets["features"].resize(self.n_valid, axis=0)
                for name, value in (notes or {}).items():
                    self._file.attrs[name] = value
                self._file.attrs["complete"] = True
                self._flush()
            self._file.close()
            sync(self.partial)
            self._undo.forget()
            keep_mode(self.partial, self.path)
            self.partial.replace(self.path)
            sync(self.path.parent)

    def close(self) -> None:
        """Let go of the file; what was appended stays."""
        try:
            with named_errors(self.partial):
                self._file.close()
        finally:
            self._lock.release()

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error is None:
            self.close()
            return
        try:  # an error is already on its way; a second one about the same disk would hide it
            self.close()
        except StoreError as second:
            error.add_note(str(second))

    def sha256(self) -> list[bytes]:
        """Content digests of the valid rows, in order, 32 bytes each."""
        stored = self._datasets["images/sha256"][: self.n_valid]
        return [bytes.fromhex(digest.decode()) for digest in stored]

    def count(self, table: str) -> int:
        """Rows of ``failures`` or ``duplicates`` written so far."""
        return len(self._datasets[f"{table}/position"])

    def positions(self, table: str) -> list[int]:
        """Positions in the catalog of the rows of a table so far."""
        stop = self.n_valid if table == "images" else self.count(table)
        positions: list[int] = self._datasets[f"{table}/position"][:stop].tolist()
        return positions

    def discard(self) -> None:
        """Remove the unfinished file. What is there under the finished name stays."""
        with named_errors(self.partial):
            self._file.close()
            self.partial.unlink()
            self._undo.forget()

    def _flush(self) -> None:
        self._file.flush()
        sync(self.partial)

    def _count_done(self) -> int:
        ends = {"images": self.n_valid, **{t: self.count(t) for t in ("failures", "duplicates")}}
        last = [self._datasets[f"{t}/position"][end - 1] for t, end in ends.items() if end]
        return int(max(last, default=-1)) + 1

    def _as_stored(self, table: str, columns: Mapping[str, Sequence[Any]],
                   rows: int | None = None) -> dict[str, np.ndarray]:
        """Values for all datasets of a table, by the names of these."""
        rows = len(columns.get("position", ())) if rows is None else rows
        found = {}
        for path, name in self._columns(table):
            dtype = self._datasets[path].dtype
            if name in TABLES[table]:
                absent = LATER.get(path, np.zeros((), dtype))
                found[path] = (to_column(columns[name], dtype) if name in columns
                               else np.full(rows, absent, dtype))
            else:
                values = columns[name] if name in columns else all_missing(kind_of(dtype), rows)
                found[path] = encode(name, values, dtype)
        return found

    def _extend(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        if n_new := len(columns[f"{table}/position"]):
            start = self.count(table)
            self._resize(table, start + n_new)
            self._write(columns, start, start + n_new)

    def _write(self, columns: Mapping[str, np.ndarray], start: int, stop: int) -> None:
        for path, values in columns.items():
            self._datasets[path][start:stop] = values

    def _resize(self, table: str, rows: int) -> None:
        for path, _ in self._columns(table):
            self._datasets[path].resize(rows, axis=0)

    def _columns(self, table: str) -> list[tuple[str, str]]:
        """Paths and names of the columns that this file has; one begun before may lack some."""
        names = [(f"{table}/{name}", name) for name in TABLES[table]]
        names += [(f"{EXTRA}/{table}/{link}", name) for name, link in self._extra.items()]
        return [(path, name) for path, name in names if path in self._datasets]
