"""Catalogs from folders."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np

from plankton_features.errors import InputError
from plankton_features.images.catalog import Catalog
from plankton_features.images.source import Files, ImageSource
from plankton_features.images.spelling import composed

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".webp")
)
#: Folders that systems leave among a person's: previews, bins, snapshots and what checks of a disk
#: found. In lower case; hidden ones are left aside in any case.
SYSTEM_FOLDERS = frozenset((
    "@eadir", "@tmp", "@sharebin", "#recycle", "#snapshot",                       # Synology
    "@recycle", "@recently-snapshot", "@__thumb", "@transcode",                   # QNAP
    "~snapshot",                                                                  # NetApp
    "$recycle.bin", "recycler", "recycled", "system volume information",          # Windows
    "$extend", "$winreagent", "config.msi",
    "__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder",  # macOS
    "lost+found", "lost.dir",                                                     # Linux, Android
    "__pycache__",
))
_FOUND_BY_CHKDSK = re.compile(r"found\.\d{3}", re.IGNORECASE)


def catalog_from_folder(root: Path, label_level: int = -1) -> Catalog:
    """Find the images in a folder and in all folders below it.

    Parameters
    ----------
    root : Path
    label_level : int, default=-1
        Which folder of an image's path is its label: 1 is the first below `root`, -1 the one
        that holds the image.

    Returns
    -------
    Catalog
        In the order of paths, labelled with the name of that folder; files directly in `root`
        stay unlabelled. Links to folders are followed, except those that lead back to a folder
        above them. Hidden files and folders, and folders that systems leave (such as ``@eaDir``,
        ``$RECYCLE.BIN``, ``lost+found``), are left aside and counted.

    Raises
    ------
    InputError
        If `root` cannot be opened or has no image in it, or an image lies in fewer folders than
        `label_level` counts.
    """
    return catalog_of(walk(root, label_level), Files(root), label_level)


def catalog_of(files: Iterable[Found], source: ImageSource, label_level: int) -> Catalog:
    """A catalog of the images among files in folders, in the order of their paths.

    Parameters
    ----------
    files : iterable of Found
    source : ImageSource
        That reads them.
    label_level : int
        That their labels were taken by.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If there is no image among them, or one lies in fewer folders than `label_level` counts.
    """
    if label_level == 0:
        raise _no_level(label_level, "there is no such folder")
    found: list[Found] = []
    ignored: Counter[str] = Counter()
    for file in files:
        if file.usable:
            _check_level(file, label_level)
            found.append(file)
        else:
            ignored[counted_as(file.path)] += 1
    if not found:
        raise _nothing_found(source, ignored)
    found.sort()
    return Catalog(
        source=source,
        path=[file.path for file in found],
        label=[composed(file.label) for file in found],
        group=[""] * len(found),
        id=[""] * len(found),
        size=np.array([file.size for file in found], dtype=np.int64),
        ignored=dict(ignored),
    )


def found_at(path: str, size: int, label_level: int) -> Found:
    """A file of an archive: an image or not, or else the folder above it that is left aside."""
    *folders, name = path.split("/")
    for depth, folder in enumerate(folders, start=1):
        if is_left_aside(folder):
            return Found("/".join(folders[:depth]) + "/", "", -1, False)
    label = _label("".join(f"{folder}/" for folder in folders), label_level)
    return Found(path, label, size, is_image_name(name) and not name.startswith("."))


def labels_of_several_folders(catalog: Catalog) -> dict[str, list[str]]:
    """The labels that were taken from more than one folder, with these.

    Parameters
    ----------
    catalog : Catalog
        Of a folder, labelled by the folder that holds the image.

    Returns
    -------
    dict of str to list of str

    Examples
    --------
    >>> labels_of_several_folders(Catalog.from_paths(
    ...     ["fish/adult/1.png", "copepod/adult/2.png", "salp/3.png"],
    ...     labels=["adult", "adult", "salp"]))
    {'adult': ['copepod/adult', 'fish/adult']}
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path, label in zip(catalog.path, catalog.label, strict=True):
        folder = path.rpartition("/")[0]
        if label and composed(folder.rpartition("/")[2]) == label:
            found[label].add(folder)
    return {label: sorted(folders) for label, folders in sorted(found.items()) if len(folders) > 1}


def is_image_name(name: str) -> bool:
    """Whether a file's ending is an image's; case does not matter."""
    return PurePath(name).suffix.lower() in IMAGE_SUFFIXES


def is_left_aside(folder: str) -> bool:
    """Whether a folder of this name is hidden, or one that systems leave.

    Examples
    --------
    >>> [is_left_aside(name) for name in ("@eaDir", ".Trash-1000", "Copepoda")]
    [True, True, False]
    """
    return (folder.startswith(".") or folder.lower() in SYSTEM_FOLDERS
            or _FOUND_BY_CHKDSK.fullmatch(folder) is not None)


def counted_as(path: str) -> str:
    """What it is counted as: a file by its ending, a folder by its name."""
    if path.endswith("/"):
        return PurePath(path).name + "/"
    return PurePath(path).suffix.lower() or "no ending"


class Found(NamedTuple):
    """A file: its path, label, size in bytes, and whether it is an image.

    A path that ends with a slash is of a folder that is left aside.
    """

    path: str
    label: str
    size: int
    usable: bool


@dataclass
class _Folder:
    """A folder to be searched: where it is, its path from the root, its images' label, and what
    it lies in."""

    where: str
    prefix: str
    label: str
    above: frozenset[tuple[int, int]]

    def holds(self, entry: os.DirEntry[str], usable: bool) -> Found:
        return Found(self.prefix + entry.name, self.label, _size(entry), usable)


def walk(root: Path, level: int = -1) -> Iterator[Found]:
    """Yield every file, and the folders that are left aside.

    Folders that end like an image, lead back to a folder above, or cannot be opened are
    yielded too: reading them fails, and so they are reported.
    """
    folders = [_Folder(os.fspath(root), "", "", frozenset())]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder.where) as scan:
                entries = list(scan)
            here = folder.above | {_identity(folder.where)}
        except OSError as error:
            if not folder.prefix:
                raise InputError(f"{root}: cannot open this folder: {error.strerror}. "
                                 "Check its permissions.") from error
            yield Found(folder.prefix.rstrip("/"), folder.label, -1, True)
            continue
        for entry in entries:
            if not _is_dir(entry):
                hidden = entry.name.startswith(".")
                yield folder.holds(entry, is_image_name(entry.name) and not hidden)
            elif is_left_aside(entry.name):
                yield Found(f"{folder.prefix}{entry.name}/", "", -1, False)
            else:
                loop = entry.is_symlink() and _identity(entry.path) in here
                if loop or is_image_name(entry.name):
                    yield folder.holds(entry, True)
                if not loop:
                    prefix = folder.prefix + entry.name + "/"
                    folders.append(_Folder(entry.path, prefix, _label(prefix, level), here))


def _label(prefix: str, level: int) -> str:
    """The folder at a level of a path from the root; empty if there are not so many."""
    names = prefix.split("/")[:-1]
    return names[level - (level > 0)] if abs(level) <= len(names) else ""


def _check_level(file: Found, level: int) -> None:
    if "/" in file.path and not file.label:
        n = file.path.count("/")
        raise _no_level(level, f"'{file.path}' lies in {n} folder{'s' if n > 1 else ''}")


def _no_level(level: int, why: str) -> InputError:
    return InputError(f"label-level {level}: {why}. Count from 1 (the first) or from -1 (the one "
                      "that holds the image), or give a table with a column label.")


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _identity(path: str) -> tuple[int, int]:
    info = os.stat(path)  # noqa: PTH116
    return info.st_dev, info.st_ino


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:
        return -1


def _nothing_found(source: ImageSource, ignored: Counter[str]) -> InputError:
    kinds = ", ".join(f"{n} {ending}" for ending, n in ignored.most_common(5)) or "no files"
    return InputError(
        f"{source}: expected images ({' '.join(sorted(IMAGE_SUFFIXES))}) in it or in folders "
        f"below it; found {kinds}. Give the folder that holds the taxon folders."
    )
