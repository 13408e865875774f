"""Write a file beside its name first, so that under its name it is whole or as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from plankton_features.files.disk import sync, writing
from plankton_features.files.targets import check_target, keep_mode
from plankton_features.files.temporary import temporary_file


@contextmanager
def replacing(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """A file to write to, which takes the place of `path` at the end.

    After an error or a kill, `path` is what it was before. Of a link, the target is replaced. The
    new file has the permissions of the one before, or those that new files get.

    Parameters
    ----------
    path : Path
    mode : {"wb", "w"}
    **options
        Of `open`.

    Raises
    ------
    StoreError
        If it cannot be written, or is no file; see `check_target`.
    """
    target = check_target(path)
    with writing(path), temporary_file(target, mode, **options) as (beside, file):
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()
        keep_mode(beside, target)
        beside.replace(target)
        sync(target.parent)
