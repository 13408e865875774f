"""Names, locks and errors of a feature file that is being written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
from filelock import FileLock, Timeout

from plankton_features.errors import StoreError, one_line
from plankton_features.replacing import check_folder

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def partial_path(path: Path) -> Path:
    """Where a feature file is while it is being written.

    Parameters
    ----------
    path : Path
        The finished file's name.

    Returns
    -------
    Path
    """
    return path.with_name(path.name + ".partial")


def undo_path(path: Path) -> Path:
    """Where a copy of the unfinished file's structure is while that changes; see `Undo`."""
    return path.with_name(path.name + ".partial.undo")


class WriteLock:
    """Lets one process at a time write a feature file.

    The operating system drops the lock when a process ends, however it ends; what is left is
    an empty file that blocks nobody.

    Parameters
    ----------
    path : Path
        The feature file; the lock is ``<path>.lock`` beside it.
    """

    def __init__(self, path: Path):
        self._path = path
        self._lock = FileLock(f"{path}.lock", blocking=False)

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        StoreError
            If another process has it, or the folder is missing or cannot be written to.
        """
        check_folder(self._path)
        try:
            self._lock.acquire()
        except Timeout:
            raise StoreError(f"{self._path}: another process is writing this file. Wait until it "
                             "ends, or choose another name.") from None
        except OSError as error:
            # Network file systems without locks: better one writer on trust than none.
            if error.errno not in _NO_LOCKS:
                raise StoreError(f"{self._path}: cannot be written ({error.strerror}). Choose a "
                                 "folder that you may write to.") from error

    def release(self) -> None:
        """Let go of the lock."""
        with suppress(OSError):  # Windows removes no file that is open
            Path(self._lock.lock_file).unlink()
        self._lock.release()

    def __enter__(self) -> WriteLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Say which file failed, and what to do, for errors of the disk."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, RuntimeError) as error:  # h5py raises either
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        what = "the disk is full" if full else f"cannot be written ({one_line(error)})"
        raise StoreError(f"{path}: {what}. Free some space and run the same command again: it "
                         "continues where it stopped.") from error


@contextmanager
def broken_off(file: h5py.File) -> Iterator[None]:
    """If writing to a file fails or is interrupted, let nothing more of it reach the disk.

    After a failed write, HDF5 tries again whenever something is closed, complains each time, and
    crashes when the interpreter ends. So its descriptor is turned to where there is room.
    """
    try:
        yield
    except BaseException:
        with suppress(OSError, ValueError, RuntimeError):
            nowhere = _open_nowhere()
            os.dup2(nowhere, file.id.get_vfd_handle())
            os.close(nowhere)
        raise


def _open_nowhere() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("nowhere")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def sync(path: Path) -> None:
    """Have the operating system put a file, or the names in a folder, on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
