"""Write a file beside its name first, so that under its name it is whole or as it was."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from plankton_features.errors import InputError, PlanktonFeaturesError, StoreError


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is missing, or whose name is a folder's.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StoreError
    """
    if not path.parent.is_dir():
        raise StoreError(f"{path}: the folder {path.parent} does not exist. Make it first, or "
                         "check the spelling.")
    if path.is_dir():
        raise StoreError(f"{path}: is a folder, expected the name of a file.")


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse a name that cannot be written to, before work begins.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    StoreError
        See `check_folder`.
    InputError
        If a file is there.
    """
    check_folder(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: is there already. Use --overwrite to replace it, or another "
                         "name.")


@contextmanager
def replacing(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO]:
    """A file to write to, which takes the place of `path` at the end.

    After an error or a kill, `path` is what it was before.

    Parameters
    ----------
    path : Path
    mode : {"wb", "w"}
    **options
        Of `open`.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    check_folder(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with writing(path), beside.open(mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            beside.replace(path)
            _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


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
        full = error.errno == errno.ENOSPC
        what = "the disk is full" if full else f"cannot be written ({error.strerror or error})"
        raise StoreError(f"{path}: {what}. Free some space, or choose a folder that you may write "
                         "to, and run the same command again.") from error


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


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
