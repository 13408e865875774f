"""One process at a time writes a file."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from plankton_features.errors import StoreError
from plankton_features.files.targets import check_target

#: What file systems without locks answer.
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
_WRITING = "another process is writing this file. Wait until it ends, or choose another name."


class WriteLock:
    """Lets one process at a time write a file.

    The operating system drops the lock when a process ends, however it ends; what is left is
    an empty file that blocks nobody.

    Parameters
    ----------
    path : Path
        The file; the lock is ``<path>.lock`` beside it, or beside what it is a link to.
    told : str, optional
        What to say if another process has the lock.
    wait : bool, default=False
        Wait for that process rather than say so.
    """

    def __init__(self, path: Path, told: str = _WRITING, wait: bool = False):
        self._path, self._told, self._wait = path, told, wait
        self._lock: FileLock | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        StoreError
            If another process has it, or the file cannot be written there.
        """
        target = check_target(self._path)
        # A lock made of the mere existence of a file would outlive a process that was killed.
        self._lock = FileLock(f"{target}.lock", blocking=self._wait, fallback_to_soft=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise StoreError(f"{self._path}: {self._told}") from None
        except OSError as error:
            # Network file systems without locks: better one writer on trust than none.
            if error.errno not in NO_LOCKS:
                raise StoreError(f"{self._path}: cannot be written ({error.strerror}). Choose a "
                                 "folder that you may write to.") from error

    def release(self) -> None:
        """Let go of the lock."""
        if self._lock is None:
            return
        try:
            with suppress(OSError):  # Windows removes no file that is open
                Path(self._lock.lock_file).unlink()
        finally:
            self._lock.release()

    def __enter__(self) -> WriteLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
