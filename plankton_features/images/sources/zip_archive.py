"""Catalogs from zip archives, which are read as they are and never unpacked to the disk."""

from __future__ import annotations

import errno
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from plankton_features.errors import ImageFailure, InputError, one_line
from plankton_features.images.catalog import Catalog
from plankton_features.images.reader import MAX_BYTES
from plankton_features.images.source import times_of
from plankton_features.images.sources.folder import Found, catalog_of, found_at

_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800  # bits of a file's flags
_HEADER = struct.Struct("<4s22xHH")
"""Of each file: what it begins with, and how long the name and further fields after it are."""


class _Member(NamedTuple):
    """A file within the archive: where it begins, and what the list at the end says of it."""

    start: int
    packed: int
    size: int
    crc: int
    method: int
    flags: int


class ZipArchive:
    """Pictures in a zip archive.

    Paths are those of its files, with ``/`` between folders; one that leads out of the archive
    does not, as nothing of it is unpacked. Of several files of one name the last counts, as if it
    were unpacked.

    Parameters
    ----------
    root : Path
        The archive. It is listed when the first picture is read, and again in each process.
    """

    def __init__(self, root: Path):
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def __reduce__(self) -> tuple[type[ZipArchive], tuple[Path]]:
        return ZipArchive, (self.root,)

    def read(self, path: str) -> bytes:
        """See `ImageSource`."""
        try:
            member = self.members.get(path)
        except InputError as error:
            raise ImageFailure("read", one_line(error)) from error
        if member is None:
            raise ImageFailure("read", "no such file in the archive")
        _check(member)
        try:
            with self.root.open("rb") as file:
                return _unpacked(member, file)
        except (OSError, ValueError) as error:  # the latter: a place that no file has
            raise ImageFailure("read", f"{self.root.name}: {one_line(error, 120)}") from error

    def open(self, path: str) -> BinaryIO:
        """Open one file, to be read from its begin, however large it is.

        Raises
        ------
        OSError
            If it cannot be. Reading may raise what `zipfile` does of a damaged one.
        """
        try:
            with zipfile.ZipFile(self.root) as archive:
                infos = {_path_of(info): info for info in archive.infolist()}
                return cast(BinaryIO, archive.open(infos[path]))
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "no such file in the archive") from None
        except (RuntimeError, zipfile.BadZipFile) as error:  # encrypted, or packed otherwise
            raise OSError(errno.EIO, one_line(error, 120)) from error

    def where(self, path: str) -> str:
        """See `ImageSource`."""
        return f"{self.root.name}, {path}"

    def stamps(self, paths: Sequence[str]) -> Iterator[str]:
        """See `ImageSource`."""
        yield os.path.realpath(self.root)
        yield times_of(str(self.root))

    @cached_property
    def members(self) -> dict[str, _Member]:
        """Path to what is known of the file, in the archive's order.

        Raises
        ------
        InputError
            If it is not there, or is no zip archive.
        """
        try:
            if not self.root.is_file():  # a pipe would be waited for
                raise InputError(f"{self.root}: expected a zip archive, found none there.")
            with zipfile.ZipFile(self.root) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
        except (InputError, MemoryError):
            raise
        except OSError as error:
            raise InputError(f"{self.root}: cannot be read: {error.strerror}.") from error
        except Exception as error:  # zipfile raises nearly anything on damage
            raise InputError(f"{self.root}: expected a zip archive; it is none, or is damaged "
                             f"({one_line(error, 120)}). Copy it again, or unpack it and give the "
                             "folder.") from error
        return {path: _Member(info.header_offset, info.compress_size, info.file_size, info.CRC,
                              info.compress_type, info.flag_bits)
                for info in infos if (path := _path_of(info))}


def catalog_from_zip(archive: Path, label_level: int = -1) -> Catalog:
    """Find the images in a zip archive, as if in the folder that it would unpack to.

    Parameters
    ----------
    archive : Path
    label_level : int, default=-1
        Which folder of an image's path is its label, see `catalog_from_folder`.

    Returns
    -------
    Catalog
        What `catalog_from_folder` gives of the unpacked folder, but for links, which are not
        followed.

    Raises
    ------
    InputError
        If it is no zip archive, or has no image in it, or an image lies in fewer folders than
        `label_level` counts.
    """
    source = ZipArchive(archive)
    return catalog_of(_found(source, label_level), source, label_level)


def _found(source: ZipArchive, level: int) -> Iterator[Found]:
    aside: set[str] = set()
    for path, member in source.members.items():
        found = found_at(path, member.size, level)
        if found.path not in aside:  # a folder that is left aside is counted once
            yield found
        if found.path.endswith("/"):
            aside.add(found.path)


def _path_of(info: zipfile.ZipInfo) -> str:
    """A file's path below the archive's root, whatever the one who packed it wrote."""
    name = info.filename
    if not info.flag_bits & _UTF8:  # macOS writes UTF-8 and does not say so
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return "/".join(part for part in name.replace("\\", "/").split("/")
                    if part not in ("", ".", ".."))


def _check(member: _Member) -> None:
    """Refuse a file before memory is taken for it."""
    if member.flags & _ENCRYPTED:
        raise ImageFailure("read", "encrypted: unpack the archive with its password, and give the "
                                   "folder")
    if member.method not in (_STORED, _DEFLATED):
        raise ImageFailure("read", f"packed by method {member.method}, expected deflate: unpack "
                                   "the archive, and give the folder")
    if max(member.size, member.packed) > MAX_BYTES:
        raise ImageFailure("read", f"too large: {max(member.size, member.packed)} bytes, limit "
                                   f"{MAX_BYTES}")
    if not member.size:
        raise ImageFailure("read", "empty file")


def _unpacked(member: _Member, file: BinaryIO) -> bytes:
    """A file's bytes, never more than the list says."""
    file.seek(member.start)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(b"PK\3\4"):
        raise _damaged("it does not begin where the archive's list says")
    _, name, further = _HEADER.unpack(header)
    file.seek(name + further, os.SEEK_CUR)
    data = file.read(member.packed)
    if member.method == _DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size)
        except zlib.error as error:
            raise _damaged(one_line(error, 80)) from error
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise _damaged("its bytes are not those of the archive's list")
    return data


def _damaged(why: str) -> ImageFailure:
    return ImageFailure("read", f"damaged in the archive, which may have changed meanwhile: {why}")
