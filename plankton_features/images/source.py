"""Where the pictures of a catalog lie, and how one of them is read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images.content import Content, check_pixels, content_digest
from plankton_features.images.reader import read_bytes
from plankton_features.images.spelling import look_at


class ImageSource(Protocol):
    """What reads the pictures of a catalog by their paths.

    It is read from by several threads at once, and is pickled to other processes: it holds names
    and places, and opens what it needs when it is asked. Its `str` names it for people.

    Attributes
    ----------
    root : Path or None
        The folder or file that holds the pictures; None if they are in memory only.
    """

    @property
    def root(self) -> Path | None: ...

    def read(self, path: str) -> Content:
        """Read one picture, at most `reader.MAX_BYTES` of it.

        Returns
        -------
        bytes, or ndarray of shape (height, width[, 3 or 4]), uint8
            An encoded image, which is decoded elsewhere; or pixels.

        Raises
        ------
        ImageFailure
            With stage ``list`` or ``read``.
        """

    def where(self, path: str) -> str:
        """Where a picture lies, in words for messages."""

    def stamps(self, paths: Sequence[str]) -> Iterable[str]:
        """Texts that stay the same only while nobody touches these pictures.

        A look at files, such as their sizes and times, is enough; none is read. The order counts.
        """


@dataclass(frozen=True)
class Files:
    """Pictures that are files of their own.

    Parameters
    ----------
    root : Path
        Folder that relative paths start from.
    """

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def file(self, path: str) -> str:
        """Path of a picture; `read_bytes` finds it in another normal form of Unicode too."""
        return os.path.join(self.root, path)  # noqa: PTH118 (ten times faster)

    def read(self, path: str) -> bytes:
        """See `ImageSource`."""
        return read_bytes(self.file(path))

    def where(self, path: str) -> str:
        """See `ImageSource`."""
        return path

    def stamps(self, paths: Sequence[str]) -> Iterator[str]:
        """See `ImageSource`."""
        yield os.path.realpath(self.root)
        yield from (times_of(self.file(path)) for path in paths)


class Arrays:
    """Pictures in memory.

    Parameters
    ----------
    pictures : mapping of str to ndarray of shape (height, width[, 3 or 4]), uint8

    Raises
    ------
    InputError
        If one has another shape or type.
    """

    root = None

    def __init__(self, pictures: Mapping[str, NDArray[np.uint8]]):
        self._pictures = dict(pictures)
        for path, pixels in self._pictures.items():
            try:
                check_pixels(pixels)
            except ImageFailure as failure:
                raise InputError(f"{self.where(path)}: {failure.reason}.") from None

    def __str__(self) -> str:
        return "pictures in memory"

    def read(self, path: str) -> NDArray[np.uint8]:
        """See `ImageSource`."""
        try:
            return self._pictures[path]
        except KeyError:
            raise ImageFailure("read", "no such picture") from None

    def where(self, path: str) -> str:
        """See `ImageSource`."""
        return f"picture {path}"

    def stamps(self, paths: Sequence[str]) -> Iterator[str]:
        """See `ImageSource`."""
        return (content_digest(self.read(path)).hex() for path in paths)


def size_of(path: str) -> int:
    """Size of a file in bytes, -1 where it could not be looked at."""
    try:
        return look_at(path).st_size
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return -1


def times_of(path: str) -> str:
    """Size and times of a file. Unlike the first, the second cannot be set back."""
    try:
        info = look_at(path)
    except (OSError, ValueError):
        return "-"
    return f"{info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}"
