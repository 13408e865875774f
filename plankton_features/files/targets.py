"""Which names can be written to."""

from __future__ import annotations

import stat
from pathlib import Path

from plankton_features.errors import InputError, StoreError
from plankton_features.files.disk import writing
from plankton_features.files.temporary import temporary_file

_KINDS = {stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe",
          stat.S_IFSOCK: "a socket"}
_MOST_LINKS = 40  # as Linux has it


def check_target(path: Path) -> Path:
    """Refuse a name that no file can be written under; nothing is changed.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path
        The file that will be replaced or made: where `path` leads, if it is a link.

    Raises
    ------
    StoreError
        If the folder is missing, or the name is that of a folder, a device, a pipe or a socket,
        or a link to one, or a link that leads nowhere.
    """
    with writing(path):
        kind = _kind(path)
        if kind == stat.S_IFDIR:
            raise StoreError(f"{path}: is a folder, expected the name of a file.")
        if kind not in (None, stat.S_IFREG):
            raise StoreError(f"{path}: is {_KINDS.get(kind, 'no file')}, expected the name of a "
                             "file. Nothing but files is replaced: choose another name.")
        target = followed(path)
        if not target.parent.is_dir():
            link = "" if target == path else f"a link to {target}: "
            raise StoreError(f"{path}: {link}the folder {target.parent} does not exist. Make it "
                             "first, or check the spelling.")
    return target


def check_output(path: Path, overwrite: bool) -> Path:
    """Refuse a name that cannot be written to, before work begins.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    Path
        See `check_target`.

    Raises
    ------
    StoreError
        See `check_target`; or if the folder cannot be written to.
    InputError
        If a file is there.
    """
    target = check_target(path)
    if target.exists() and not overwrite:
        raise InputError(f"{path}: is there already. Use --overwrite to replace it, or another "
                         "name.")
    with writing(path), temporary_file(target):
        pass  # rights, file systems and quotas can all be in the way: only trying tells
    return target


def followed(path: Path) -> Path:
    """Where a link leads in the end; any other path as it is.

    Raises
    ------
    StoreError
        If the link leads in a circle.
    """
    at = path
    for _ in range(_MOST_LINKS):
        if not at.is_symlink():
            return at
        at = at.parent / at.readlink()
    raise StoreError(f"{path}: a link that leads in a circle, expected the name of a file.")


def keep_mode(new: Path, older: Path) -> None:
    """Give a new file the permissions of the one whose place it takes, if there is one."""
    if older.exists():
        new.chmod(older.stat().st_mode & 0o777)


def _kind(path: Path) -> int | None:
    """What is at the end of a path's links; None if there is nothing."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except OSError:
        return None  # what is wrong with it shows when it is written to
