"""The disk: what goes wrong with it, how much room it has, and when it has taken a file."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from plankton_features.errors import PlanktonFeaturesError, StoreError, one_line

_AGAIN = ("Free some space, or choose a folder that you may write to, and run the same command "
          "again.")
_ZEROS = bytes(2**20)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of errors of the disk which file cannot be written.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StoreError
    """
    try:
        yield
    except PlanktonFeaturesError:
        raise
    except OSError as error:
        raise write_error(path, error, error.strerror or one_line(error), _AGAIN) from error


def write_error(path: Path, error: Exception, reason: str, advice: str) -> StoreError:
    """What to say of a file that cannot be written.

    Parameters
    ----------
    path : Path
    error : Exception
    reason : str
        What it says.
    advice : str
        What to do.
    """
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    what = "the disk is full" if full else f"cannot be written ({reason})"
    return StoreError(f"{path}: {what}. {advice}")


def check_room(folder: Path, needed: float, what: str, instead: str) -> None:
    """Refuse what the disk has no room for.

    Parameters
    ----------
    folder : Path
        Where it will be.
    needed : float
        Bytes.
    what : str
        What needs them, with its verb.
    instead : str
        What to do.

    Raises
    ------
    StoreError
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(f"{folder}: {what} {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free. "
                         f"{instead}")


def reserve(file: IO[bytes], size: int) -> None:
    """Make a file so long, and have the disk keep the room for it.

    A file that is only made long has no room of its own: once the disk is full, writing to it
    through memory ends the process.

    Parameters
    ----------
    file : binary file
        Opened for writing, without a buffer or flushed.
    size : int
        Bytes; nothing is done if the file is as long already.

    Raises
    ------
    OSError
        With ``ENOSPC`` if there is not enough.
    """
    start = os.fstat(file.fileno()).st_size
    if size <= start:
        return
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), start, size - start)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
    at = file.tell()
    file.seek(start)
    for done in range(start, size, len(_ZEROS)):
        file.write(_ZEROS[: size - done])
    file.truncate(size)
    file.seek(at)


def sync(path: Path) -> None:
    """Have the operating system put a file, or the names in a folder, on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
