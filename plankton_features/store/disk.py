"""Names of a feature file, and what is said when it cannot be opened or written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from plankton_features.errors import StoreError, one_line
from plankton_features.files.disk import write_error
from plankton_features.files.kinds import kind_of
from plankton_features.files.locking import NO_LOCKS
from plankton_features.files.targets import followed

#: What HDF5 says of a file that this process has open already, without a lock.
_OTHER_FLAGS = "file locking flag values don't match"


class Malformed(ValueError):
    """What is wrong with a feature file, as part of a sentence."""


class Unusable(ValueError):
    """Why a file is no feature file that can be read here, as the end of a message."""


def partial_path(path: Path) -> Path:
    """Where a feature file is while it is being written.

    Parameters
    ----------
    path : Path
        The finished file's name; if it is a link, that of its target counts.

    Returns
    -------
    Path
    """
    path = followed(path)
    return path.with_name(path.name + ".partial")


def undo_path(path: Path) -> Path:
    """Where a copy of the unfinished file's structure is while that changes; see `Undo`."""
    partial = partial_path(path)
    return partial.with_name(partial.name + ".undo")


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Say which file failed, and what to do, for errors of the disk."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, RuntimeError) as error:  # h5py raises either
        raise write_error(path, error, one_line(error), "Free some space and run the same command "
                          "again: it continues where it stopped.") from error


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """A finished feature file; what goes wrong with it within is told in words.

    Raises
    ------
    StoreError
        If it is missing, damaged, malformed or no feature file; it begins with the path.
    """
    if not path.exists():
        partial = partial_path(path)
        hint = (f"; {partial.name} is there: run the command that began it again to finish it"
                if partial.exists() else "")
        raise StoreError(f"{path}: no such feature file{hint}.")
    if not path.is_file():  # a pipe would be waited for
        raise _other_kind(path)
    try:
        with open_to_read(path) as file:
            yield file
    except StoreError:
        raise
    except Unusable as error:
        raise StoreError(f"{path}: {error}") from error
    except Malformed as error:
        raise StoreError(f"{path}: damaged or not a sound feature file: {error}. Copy it again "
                         "from where it came from; if another program wrote it, see the page on "
                         "file formats.") from error
    # What h5py makes of damage.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        refuse_unread(path, error)
        if kind_of(path) not in ("", "an HDF5 file"):
            raise _other_kind(path) from error
        raise StoreError(f"{path}: cannot be opened, it is damaged or not a feature file "
                         f"({one_line(error)}). Copy it again from where it came from, or choose "
                         "another name.") from error


def _other_kind(path: Path) -> StoreError:
    return StoreError(f"{path}: is {kind_of(path)}, not a feature file. extract-features "
                      "makes one of images: extract-features imgs/ out.h5")


def open_to_read(path: Path) -> h5py.File:
    """Open a finished file: with a lock or, where the file system has none, without.

    Raises
    ------
    StoreError
        If it cannot be read, which does not mean that it is damaged.
    OSError, RuntimeError
        If HDF5 does not know it.
    """
    try:
        try:
            return h5py.File(path, "r")
        except OSError as error:
            if error.errno not in NO_LOCKS and _OTHER_FLAGS not in str(error):
                raise
            return h5py.File(path, "r", locking=False)  # a finished file is never written to
    except OSError as error:
        refuse_unread(path, error)
        raise


def refuse_unread(path: Path, error: Exception) -> None:
    """If the system, not HDF5, says why a file cannot be read, say it; the file may be sound.

    Raises
    ------
    StoreError
    """
    code = getattr(error, "errno", None)
    if code in (errno.EAGAIN, errno.EWOULDBLOCK):
        raise StoreError(f"{path}: another program has this file open and holds its lock. Wait "
                         "until it ends, or close the file there, and run the same command again. "
                         "If no program has it open, the file system keeps a lock that is out of "
                         "date: set HDF5_USE_FILE_LOCKING=FALSE in the environment.") from error
    if code in NO_LOCKS:
        raise StoreError(f"{path}: its file system has no locks. Set HDF5_USE_FILE_LOCKING=FALSE "
                         "in the environment and run the same command again.") from error
    if code not in (None, errno.EISDIR):
        raise StoreError(f"{path}: cannot be read ({os.strerror(code)}), which does not mean that "
                         "it is damaged. See that you may read it and that its disk is there, and "
                         "run the same command again.") from error


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
