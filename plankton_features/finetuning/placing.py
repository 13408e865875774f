"""Put several files in place together, so that an error leaves all of them as they were."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from plankton_features.replacing import check_folder, writing


@contextmanager
def placing(targets: Sequence[Path], size: float = 0) -> Iterator[Path]:
    """A folder to write files in, which take their places together at the end.

    After an error, `targets` are what they were before. A kill leaves each of them whole, and the
    folder, whose name begins with a dot, beside them.

    Parameters
    ----------
    targets : sequence of Path
        In one folder; the files are to be written under the same names.
    size : float, default=0
        Bytes that must be free before the work begins.

    Yields
    ------
    Path
        The folder, beside `targets`.

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    for target in targets:
        check_folder(target)
    part = targets[0].with_name(f".{targets[0].name}.{uuid4().hex[:8]}.part")
    try:
        with writing(targets[0]):
            part.mkdir()
            if shutil.disk_usage(part).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield part
            _place(part, targets)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _place(part: Path, targets: Sequence[Path]) -> None:
    older = part / "older"
    older.mkdir()
    for target in targets:
        _sync(part / target.name)
        if target.exists():
            _link(target, older / target.name)
    try:
        for target in targets:
            (part / target.name).replace(target)
    except BaseException:
        for target in targets:
            _put_back(older / target.name, target)
        raise


def _sync(file: Path) -> None:
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # some file systems have no links
        shutil.copy2(source, target)


def _put_back(older: Path, target: Path) -> None:
    with suppress(OSError):
        if older.exists():
            older.replace(target)
        else:
            target.unlink()
