"""The files of an EcoTaxa export or import: a folder or a zip archive of tables and pictures."""

from __future__ import annotations

import csv
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images.content import Content
from plankton_features.images.ecotaxa.table import Table, open_table
from plankton_features.images.source import Files, times_of
from plankton_features.images.sources.folder import is_left_aside
from plankton_features.images.sources.zip_archive import ZipArchive
from plankton_features.images.spelling import composed, look_at

#: Names that EcoTaxa's import looks for, and those that some programs wrote.
TABLE_NAME = re.compile(r"ecotaxa.*\.(tsv|txt)", re.IGNORECASE | re.DOTALL)
_UVP6 = "Images.zip"
_HEAD = 2**16
_NEEDED = {"object_id", "img_file_name"}
_DRIVE = re.compile(r"[A-Za-z]:")


#: What the path of a picture ends with if an object before has it already.
_OF_OBJECT = re.compile(r"(.+) \(object .*\)", re.DOTALL)


def of_object(path: str, object_id: str) -> str:
    """The path by which one picture is that of a further object.

    Examples
    --------
    >>> of_object("a/850.jpg", "net1_7")
    'a/850.jpg (object net1_7)'
    """
    return f"{path} (object {object_id})"


class Place(NamedTuple):
    """Where a picture of a table lies.

    Attributes
    ----------
    path : str
        In the bundle.
    size : int
        In bytes; -1 if there is no such file.
    """

    path: str
    size: int


class Bundle:
    """Tables and pictures of a folder or zip archive.

    Paths have ``/`` between folders. In a folder, UVP6's archives (``*Images.zip``) are read in
    place, as if they were folders.

    Parameters
    ----------
    root : Path
    failures : mapping of str to str, optional
        Paths that are not read, and why.
    """

    def __init__(self, root: Path, failures: Mapping[str, str] | None = None):
        self.root = root
        self.failures = dict(failures or {})
        self._archives: dict[str, ZipArchive] = {}
        self._forms: dict[Path, dict[str, str]] = {}

    def __str__(self) -> str:
        return str(self.root)

    def __reduce__(self) -> tuple[type[Bundle], tuple[Path, dict[str, str]]]:
        return Bundle, (self.root, self.failures)

    def read(self, path: str) -> Content:
        """See `ImageSource`."""
        if path in self.failures:
            raise ImageFailure("list", self.failures[path])
        files, inner = self._holder(self._picture(path))
        return files.read(inner)

    def where(self, path: str) -> str:
        """See `ImageSource`."""
        return path if self._zipped is None else self._zipped.where(path)

    def stamps(self, paths: Sequence[str]) -> Iterator[str]:
        """See `ImageSource`."""
        yield os.path.realpath(self.root)
        seen: set[Path] = set()
        for path in paths:
            files, inner = self._holder(self._picture(path))
            if isinstance(files, Files):
                yield times_of(files.file(inner))
            elif files.root not in seen:
                seen.add(files.root)
                yield times_of(str(files.root))

    def table_paths(self) -> list[str]:
        """Paths of all tables, sorted.

        Those named like EcoTaxa's; and in folders without, other ``.tsv`` that have columns
        ``object_id`` and ``img_file_name``, as ZooProcess leaves them.
        """
        return sorted(self._tables())

    def is_any(self) -> bool:
        """Whether there is any table; not if the archive is damaged or nothing is there."""
        try:
            return next(self._tables(), None) is not None
        except InputError:
            return False

    def table(self, path: str) -> Table:
        """Open a table.

        Raises
        ------
        InputError
            See `open_table`.
        """
        return open_table(path, partial(self.open, path))

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading bytes.

        Raises
        ------
        OSError
        """
        files, inner = self._holder(path)
        if isinstance(files, ZipArchive):
            return files.open(inner)
        return Path(files.file(inner)).open("rb")

    def place(self, table: str, name: str) -> Place:
        """Where the picture lies that a table names.

        Parameters
        ----------
        table : str
            Path of the table.
        name : str
            Of the picture, below the folder of the table, or else the bundle's.

        Raises
        ------
        ValueError
            If it is empty, or leads out of the bundle; the message says so.
        """
        folder = posixpath.dirname(table)
        paths = [self._inside(folder, name), self._inside("", name)]
        if "\\" in name:
            paths.append(self._inside(folder, name.replace("\\", "/")))
        for path in paths:
            if (size := self._size(path)) >= 0:
                return Place(path, size)
        return Place(paths[-1 if "\\" in name else 0], -1)

    def _inside(self, folder: str, name: str) -> str:
        if not name:
            raise ValueError("img_file_name is empty")
        whole = posixpath.normpath(posixpath.join(folder, name))
        if whole.startswith(("../", "/")) or whole == ".." or _DRIVE.match(name) or "\0" in name:
            raise ValueError(f"img_file_name '{name}' leads out of the folder or archive, and is "
                             "not read. Put the picture beside the table")
        return whole

    def _picture(self, path: str) -> str:
        """The path of a picture that several objects have."""
        further = _OF_OBJECT.fullmatch(path)
        return further[1] if further and self._size(path) < 0 else path

    def _size(self, path: str) -> int:
        files, inner = self._holder(path)
        if isinstance(files, ZipArchive):
            member = files.members.get(inner)
            return -1 if member is None else member.size
        try:
            return look_at(files.file(inner)).st_size
        except (OSError, ValueError):
            return -1

    @cached_property
    def _zipped(self) -> ZipArchive | None:
        return ZipArchive(self.root) if self.root.is_file() else None

    def _holder(self, path: str) -> tuple[Files | ZipArchive, str]:
        """What holds a file (folder, archive, archive in the folder), and its path in there."""
        if self._zipped is not None:
            return self._zipped, self._spelled(self._zipped, path)
        head, mark, inner = path.partition(_UVP6 + "/")
        if mark and (archive := self._archive(head + _UVP6)):
            return archive, self._spelled(archive, inner)
        return Files(self.root), path

    def _archive(self, path: str) -> ZipArchive | None:
        if path not in self._archives and (self.root / path).is_file():
            self._archives[path] = ZipArchive(self.root / path)
        return self._archives.get(path)

    def _spelled(self, archive: ZipArchive, path: str) -> str:
        """A path as the archive spells it, which may be another normal form of Unicode."""
        if path.isascii() or path in archive.members:
            return path
        if archive.root not in self._forms:
            self._forms[archive.root] = {composed(name): name for name in archive.members
                                         if not name.isascii()}
        return self._forms[archive.root].get(composed(path), path)

    def _tables(self) -> Iterator[str]:
        for folder, names in self._folders():
            named = [name for name in names if TABLE_NAME.fullmatch(name)]
            for name in named or [name for name in names if name.lower().endswith(".tsv")]:
                path = posixpath.join(folder, name)
                if named or self._is_table(path):
                    yield path

    def _folders(self) -> Iterator[tuple[str, list[str]]]:
        """Folders, and names of files in them; of what is left aside, none."""
        if self._zipped is not None:
            yield from _by_folder(self._zipped)
            return
        for where, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not is_left_aside(name))
            folder = Path(where).relative_to(self.root).as_posix()
            folder = "" if folder == "." else folder
            yield folder, [name for name in names if not name.startswith(".")]
            for name in sorted(names):
                if name.endswith(_UVP6) and (
                        archive := self._archive(posixpath.join(folder, name))):
                    for inner, within in _by_folder(archive):
                        yield posixpath.join(folder, name, inner), within

    def _is_table(self, path: str) -> bool:
        try:
            with self.open(path) as file:
                line = file.read(_HEAD).decode("utf-8-sig", "replace").partition("\n")[0]
        except OSError:
            return False
        cells = next(csv.reader([line], delimiter="\t"), [])
        return {cell.strip().lower() for cell in cells} >= _NEEDED


def _by_folder(archive: ZipArchive) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for path in archive.members:
        folder, _, name = path.rpartition("/")
        if not any(is_left_aside(part) for part in folder.split("/")) and name[:1] != ".":
            found.setdefault(folder, []).append(name)
    yield from sorted(found.items())
