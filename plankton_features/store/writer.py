"""Write a feature file block by block, so that a kill at any moment loses at most one block."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from filelock import FileLock, Timeout

from plankton_features.errors import MismatchError, StoreError, check_same
from plankton_features.store.schema import (
    FORMAT,
    TABLES,
    VERSION,
    Plan,
    create_datasets,
    to_column,
)


@dataclass
class Block:
    """Rows that are written together.

    Attributes
    ----------
    features : ndarray of shape (n, n_values), float32
    images, failures, duplicates : dict of str to sequence
        The columns of each table, see `TABLES`; of ``images`` all have length n.
    """

    features: np.ndarray
    images: Mapping[str, Sequence[Any]]
    failures: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    duplicates: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def partial_path(path: Path) -> Path:
    """Where a feature file is while it is being written."""
    return path.with_name(path.name + ".partial")


class FeatureStore:
    """A feature file being written.

    Use it as a context manager. Leaving it without `finish` keeps ``<path>.partial``, which
    opening again with the same header resumes.

    Parameters
    ----------
    path : path-like
        The file to write. It appears when `finish` is called, whole; until then its rows are in
        ``<path>.partial``.
    plan : Plan
        Room to make; used only for a new file.
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
        Images of the catalog dealt with for good: the position after the last valid row.

    Raises
    ------
    StoreError
        If another process writes this file, or it cannot be written.
    MismatchError
        If the file was begun with another header.

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

    def __init__(self, path: str | os.PathLike[str], plan: Plan, header: Mapping[str, object], *,
                 notes: Mapping[str, object] | None = None, overwrite: bool = False):
        self.path = Path(path)
        self.partial = partial_path(self.path)
        self._check_folder()
        self._lock = FileLock(f"{self.path}.lock", blocking=False)
        self._acquire()
        try:
            self._file = self._open(plan, header, notes or {}, overwrite)
            self.n_valid = int(self._file.attrs["n_valid"])
            self.n_done = self._recover()
        except BaseException:
            self._release()
            raise

    def append(self, block: Block) -> None:
        """Write a block for good: data, flush, count, flush.

        Raises
        ------
        StoreError
            If the disk is full or fails; what was written before is kept.
        """
        start, stop = self.n_valid, self.n_valid + len(block.features)
        with _named_errors(self.partial):
            self._file["features"][start:stop] = block.features
            self._write("images", block.images, start, stop)
            self._extend("failures", block.failures)
            self._extend("duplicates", block.duplicates)
            self._file.flush()
            self._file.attrs.modify("n_valid", np.int64(stop))
            self._file.flush()
        self.n_valid = stop

    def finish(self, notes: Mapping[str, object] | None = None) -> None:
        """Cut unused room off, mark the file complete and give it its name.

        Parameters
        ----------
        notes : dict of str to str, optional
            Root attributes to add.
        """
        with _named_errors(self.partial):
            self._resize("images", self.n_valid)
            self._file["features"].resize(self.n_valid, axis=0)
            for name, value in (notes or {}).items():
                self._file.attrs[name] = value
            self._file.attrs["complete"] = True
            self._file.close()
            _sync(self.partial)
            self.partial.replace(self.path)
            _sync(self.path.parent)

    def close(self) -> None:
        """Let go of the file; what was appended stays."""
        try:
            with _named_errors(self.partial):
                self._file.close()
        finally:
            self._release()

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

    def sha256(self) -> list[str]:
        """Content digests of the valid rows, in order."""
        return [d.decode() for d in self._file["images/sha256"][: self.n_valid]]

    def count(self, table: str) -> int:
        """Rows of ``failures`` or ``duplicates`` written so far."""
        return self._file[f"{table}/path"].shape[0]

    def _check_folder(self) -> None:
        if not self.path.parent.is_dir():
            raise StoreError(f"{self.path}: the folder {self.path.parent} does not exist. "
                             "Make it first, or check the spelling.")
        if self.path.is_dir():
            raise StoreError(f"{self.path}: is a folder, expected the name of a file such as "
                             "out.h5.")

    def _acquire(self) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            raise StoreError(f"{self.path}: another process is writing this file. Wait until it "
                             "ends, or choose another name.") from None
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror}). Choose a folder "
                             "you may write to.") from error

    def _release(self) -> None:
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def _open(self, plan: Plan, header: Mapping[str, object], notes: Mapping[str, object],
              overwrite: bool) -> h5py.File:
        if overwrite:
            self.partial.unlink(missing_ok=True)
        if self.partial.exists():
            return self._resume(header)
        return self._create(plan, header, notes)

    def _create(self, plan: Plan, header: Mapping[str, object],
                notes: Mapping[str, object]) -> h5py.File:
        fresh = self.partial.with_name(self.partial.name + ".new")
        with _named_errors(self.partial):
            with h5py.File(fresh, "w") as file:
                file.attrs["format"] = FORMAT
                file.attrs["format_version"] = VERSION
                file.attrs["n_valid"] = np.int64(0)
                file.attrs["complete"] = False
                for name, value in {**notes, **header}.items():
                    file.attrs[name] = value
                create_datasets(file, plan)
            fresh.replace(self.partial)
            return h5py.File(self.partial, "r+")

    def _resume(self, header: Mapping[str, object]) -> h5py.File:
        try:
            file = h5py.File(self.partial, "r+")
        except OSError as error:
            raise StoreError(f"{self.partial}: not a feature file that can be continued ({error})."
                             " Start again with --overwrite.") from error
        try:
            check_same(dict(file.attrs), header, f"{self.partial}: was begun differently",
                       "Use the same images and options as before, another file name, or "
                       "--overwrite.")
        except MismatchError:
            file.close()
            raise
        return file

    def _recover(self) -> int:
        """Drop what was written after the last counted row."""
        last = self._file["images/position"][self.n_valid - 1] if self.n_valid else -1
        n_done = int(last) + 1
        for table in ("failures", "duplicates"):
            positions = self._file[f"{table}/position"][:]
            self._resize(table, int(np.searchsorted(positions, n_done)))
        return n_done

    def _extend(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        n_new = len(columns.get("position", ()))
        if n_new:
            start = self.count(table)
            self._resize(table, start + n_new)
            self._write(table, columns, start, start + n_new)

    def _write(self, table: str, columns: Mapping[str, Sequence[Any]], start: int,
               stop: int) -> None:
        for name in TABLES[table]:
            dataset = self._file[f"{table}/{name}"]
            if name in columns:
                dataset[start:stop] = to_column(columns[name], dataset.dtype)
            else:
                dataset[start:stop] = np.zeros(stop - start, dataset.dtype)

    def _resize(self, table: str, rows: int) -> None:
        for name in TABLES[table]:
            self._file[f"{table}/{name}"].resize(rows, axis=0)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Say which file failed, and what to do, for errors of the disk."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # h5py raises either
        if isinstance(error, StoreError):
            raise
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        what = "the disk is full" if full else f"cannot be written ({error})"
        raise StoreError(f"{path}: {what}. Free some space and run the same command again: it "
                         "continues where it stopped.") from error


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
