"""Files that belong together are replaced together, or not at all.

They are written to a folder of their own. When all of them are whole, it is given the name that
says so; then each is moved to its place. If the process is killed between the first and the last
move, the folder is still there, and whoever writes or reads these files next moves the rest.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from plankton_features.errors import StoreError
from plankton_features.files.disk import sync, writing
from plankton_features.files.locking import WriteLock
from plankton_features.files.replacing import replacing
from plankton_features.files.targets import check_output, check_target, followed, keep_mode
from plankton_features.files.temporary import temporary_folder

_OLDER = "older"


class Together:
    """Several files to write. Use it as a context manager around the whole work.

    Entering takes a lock, ends what a killed process has left half done, and refuses names that
    cannot be written to: all this before the work begins.

    Parameters
    ----------
    paths : sequence of Path
        In one folder. The first names the lock.
    overwrite : bool, default=False
        Whether files that are there may be replaced.

    Raises
    ------
    StoreError
        If another process writes them, or they cannot be written.
    InputError
        If one is there and may not be replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     head, report = Path(name, "a.head"), Path(name, "a.html")
    ...     with Together([head, report]) as files:
    ...         with files.written() as folder:
    ...             for path in (head, report):
    ...                 _ = (folder / path.name).write_text("new")
    ...     sorted(path.name for path in Path(name).iterdir())
    ['a.head', 'a.html']
    """

    def __init__(self, paths: Sequence[Path], overwrite: bool = False):
        self.paths, self._overwrite = list(paths), overwrite
        self._lock = WriteLock(self.paths[0])

    def __enter__(self) -> Self:
        for path in self.paths:
            check_target(path)
        self._lock.acquire()
        try:
            _finish(self.paths[0])
            for path in self.paths:
                check_output(path, self._overwrite)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @contextmanager
    def written(self, size: float = 0) -> Iterator[Path]:
        """A folder to write all files in, under their names; they are moved at the end.

        After an error, the files are what they were before.

        Parameters
        ----------
        size : float, default=0
            Bytes that must be free.

        Yields
        ------
        Path

        Raises
        ------
        StoreError
            If they cannot be written.
        """
        first = self.paths[0]
        with writing(first), temporary_folder(first) as part:
            if shutil.disk_usage(part).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            try:
                yield part
            except StoreError as error:  # of the names that a person knows
                raise StoreError(str(error).replace(str(part), str(first.parent))) from error
            self._put_in_place(part)

    def _put_in_place(self, part: Path) -> None:
        for path in self.paths:
            sync(part / path.name)
            keep_mode(part / path.name, path)
        whole = whole_folder(self.paths[0])
        _keep_older(part, self.paths)
        sync(part)
        part.rename(whole)
        try:
            _move(self.paths[0])
        except BaseException:
            _put_back(whole, self.paths)
            whole.rename(part)
            raise


@contextmanager
def placing(paths: Sequence[Path], size: float = 0) -> Iterator[Path]:
    """A folder to write files in, which replace others together; see `Together`.

    Parameters
    ----------
    paths : sequence of Path
    size : float, default=0
        Bytes that must be free.

    Yields
    ------
    Path

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    with Together(paths, overwrite=True) as files, files.written(size) as folder:
        yield folder


def whole_folder(first: Path) -> Path:
    """Where files that are all whole wait to be moved.

    Parameters
    ----------
    first : Path
        The first of them.
    """
    return first.with_name(f".{first.name}.whole")


def finish_moving(first: Path) -> None:
    """Before files are read: end what a killed process has left half done.

    Nothing is done while another process is at it, or where this user may not write: each file is
    whole by itself.

    Parameters
    ----------
    first : Path
        The first of the files.
    """
    if whole_folder(first).is_dir():
        with suppress(StoreError, OSError), WriteLock(first):
            _finish(first)


def _finish(first: Path) -> None:
    """Move what is whole; the lock is held."""
    whole = whole_folder(first)
    if not whole.is_dir() or whole.is_symlink():
        return
    if hasattr(os, "geteuid") and whole.stat().st_uid != os.geteuid():
        raise StoreError(f"{first}: another user's files wait to be moved here, in {whole}. Ask "
                         "them to run their command again, or choose another name.")
    with writing(first):
        _move(first)


def _move(first: Path) -> None:
    """Move every file to its place, `first` last, and remove the folder."""
    whole, parent = whole_folder(first), first.parent
    sync(parent)
    for file in sorted(whole.iterdir(), key=lambda file: file.name == first.name):
        if file.name != _OLDER:
            _move_file(file, followed(parent / file.name))
    sync(parent)
    shutil.rmtree(whole)


def _move_file(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a link to another disk
            raise
        with file.open("rb") as source, replacing(target) as copy:
            shutil.copyfileobj(source, copy)
        file.unlink()


def _keep_older(part: Path, paths: Sequence[Path]) -> None:
    """Keep what will be replaced, in case not all can be moved."""
    (part / _OLDER).mkdir()
    for path in paths:
        if path.exists():
            _link(followed(path), part / _OLDER / path.name)


def _put_back(whole: Path, paths: Sequence[Path]) -> None:
    """Undo moves. A kill meanwhile leaves all new files in `whole`, to be moved again."""
    for path in paths:
        new, older, target = whole / path.name, whole / _OLDER / path.name, followed(path)
        if new.exists():
            continue
        _link(target, new)
        if older.exists():
            _move_file(older, target)
        else:
            target.unlink()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # some file systems have no links
        shutil.copy2(source, target)
