"""Files and folders that are there only while something is written.

Their names are drawn at random, and they are made so that neither a file nor a link of that name
can be in the way. While the process lives it holds a lock on them: what nobody holds is left over
from a process that was killed, and goes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows, which removes no file that is open
    fcntl = None  # type: ignore[assignment]

FILE, FOLDER = "tmp", "part"
_NAME = re.compile(r"\.(?P<target>.+)\.(?P<host>[0-9a-f]{8})-[0-9a-f]{8}\.(tmp|part)", re.DOTALL)


@contextmanager
def temporary_file(target: Path, mode: str = "wb",
                   **options: Any) -> Iterator[tuple[Path, IO[Any]]]:
    """A new file beside `target`, which is gone in the end unless it was given another name.

    Parameters
    ----------
    target : Path
    mode : {"wb", "w", "w+b"}
    **options
        Of `open`.

    Yields
    ------
    path : Path
    file : file
        May be closed.
    """
    remove_leftovers(target)
    while True:
        path = _new_name(target, FILE)
        with (path.open(mode.replace("w", "x"), **options) as file,
              _holding(os.dup(file.fileno()), path) as there):
            if there:
                try:
                    yield path, file
                finally:
                    with suppress(OSError):  # Windows removes no file that is open
                        file.close()
                    with suppress(OSError):
                        path.unlink(missing_ok=True)
                return


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, which is gone in the end unless it was given another name.

    Nobody else can look into it.

    Parameters
    ----------
    target : Path

    Yields
    ------
    Path
    """
    remove_leftovers(target)
    while True:
        path = _new_name(target, FOLDER)
        path.mkdir(0o700)
        with _holding(_open_folder(path), path) as there:
            if there:
                try:
                    yield path
                finally:
                    shutil.rmtree(path, ignore_errors=True)
                return


def remove_leftovers(target: Path) -> None:
    """Remove what killed processes have left beside `target` when they wrote it.

    Parameters
    ----------
    target : Path
    """
    for path in _made_here(target.parent, target.name):
        with _held_if_dead(path) as dead:
            if dead and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif dead:
                with suppress(OSError):
                    path.unlink()


def leftovers(folder: Path) -> list[Path]:
    """Temporary files and folders in a folder that no process holds any more.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
        Without those that another computer made: whether its process lives cannot be seen.
    """
    return [path for path in _made_here(folder) if _is_dead(path)]


def _made_here(folder: Path, target: str | None = None) -> list[Path]:
    """What this computer has made, of all targets or one."""
    try:
        named = [(path, _NAME.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    except OSError:  # it can be written to and not be listed
        return []
    return [path for path, found in named if found and found["host"] == _host()
            and target in (None, found["target"])]


def _is_dead(path: Path) -> bool:
    with _held_if_dead(path) as dead:
        return dead


@contextmanager
def _held_if_dead(path: Path) -> Iterator[bool]:
    """Whether nobody holds a temporary file or folder; if so, it is held meanwhile."""
    try:
        descriptor = _open_folder(path) if path.is_dir() else _open_file(path)
    except OSError:  # another user's, a link, or gone
        yield False
        return
    with _holding(descriptor, path, wait=False) as there:
        yield there and fcntl is not None


@contextmanager
def _holding(descriptor: int | None, path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold an open file or folder, and say whether it still has its name.

    A process that looks for leftovers may have taken it for one before it was held.
    """
    try:
        yield _lock(descriptor, wait) and _is_at(descriptor, path)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int | None, wait: bool) -> bool:
    if descriptor is None or fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another; or no locks here, and then nobody takes it for a leftover
        return wait
    return True


def _is_at(descriptor: int | None, path: Path) -> bool:
    if descriptor is None or os.name == "nt":
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _open_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _open_folder(path: Path) -> int | None:
    if os.name == "nt":  # Windows opens no folders
        return None
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_NOFOLLOW", 0))


def _new_name(target: Path, ending: str) -> Path:
    return target.with_name(f".{target.name}.{_host()}-{uuid4().hex[:8]}.{ending}")


def _host() -> str:
    """This computer: a lock may be seen by the processes of one computer only."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"
