"""The catalog: which images there are, and what is known of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.images.columns import checked_columns, columns_digest, text_digest
from plankton_features.images.content import Content, content_digest, picture_of
from plankton_features.images.source import Arrays, Files, ImageSource, size_of
from plankton_features.images.spelling import composed

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("path", "label", "group", "id")


@dataclass(frozen=True, eq=False)
class Catalog:
    """Images in a fixed order, one list per column, all of length n.

    Attributes
    ----------
    source : ImageSource
        What reads the pictures by their paths.
    path : list of str
        What tells the pictures apart. Of files, POSIX paths relative to `root` (absolute where a
        table gives them so).
    label, group, id : list of str
        Taxon, sampling unit and object id; empty where unknown. Labels are in Unicode's
        composed form (NFC), so that one taxon written in two ways is one class.
    size : ndarray of shape (n,), int64
        Of the pictures' contents in bytes, -1 where a file could not be looked at.
    ignored : dict of str to int
        What was left aside: files whose ending is not an image's, counted by ending, and hidden
        folders and those that systems leave, counted by name, with a slash at its end.
    recognised : str
        What was found, in a line for a person; empty for folders and tables of images.
    columns : DataFrame of n rows
        What else is known of each, by pandas' types ``string``, ``Int64`` and ``Float64``.
    units : dict of str to str
        Of those of `columns` that have one, such as ``m``.
    """

    source: ImageSource
    path: list[str]
    label: list[str]
    group: list[str]
    id: list[str]
    size: np.ndarray
    ignored: dict[str, int] = field(default_factory=dict)
    recognised: str = ""
    columns: pd.DataFrame = field(default=None)
    units: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", checked_columns(self.columns, self.units, len(self)))

    def __len__(self) -> int:
        return len(self.path)

    @property
    def root(self) -> Path | None:
        """The folder or file that holds the pictures; None if they are in memory only."""
        return self.source.root

    def content(self, position: int) -> Content:
        """What one picture is read as: the bytes of an image file, or pixels.

        Raises
        ------
        ImageFailure
            If it cannot be read.
        """
        return self.source.read(self.path[position])

    def read(self, position: int, *, depth: str = "auto") -> NDArray[np.uint8]:
        """Pixels of one picture.

        Parameters
        ----------
        position : int
        depth : {"auto", "8", "10", "12", "14", "16", "float"}, default="auto"
            Scale of samples of more than 8 bits, see `decode_image`.

        Returns
        -------
        ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8

        Raises
        ------
        ImageFailure
            If it cannot be read or decoded.
        """
        return picture_of(self.content(position), depth=depth).pixels

    def digest(self, position: int) -> bytes:
        """SHA-256 of one picture's content, 32 bytes, see `content_digest`.

        Raises
        ------
        ImageFailure
            If it cannot be read.
        """
        return content_digest(self.content(position))

    def where(self, position: int) -> str:
        """Where one picture lies, in words for messages."""
        return self.source.where(self.path[position])

    def file(self, position: int) -> str:
        """Path of the file that one picture is.

        Raises
        ------
        InputError
            If pictures are no files of their own, but lie in an archive or in memory.
        """
        if not isinstance(self.source, Files):
            raise InputError(f"{self.where(position)}: is no file of its own. Read its pixels with "
                             f"catalog.read({position}).")
        return self.source.file(self.path[position])

    def fingerprint(self) -> dict[str, str]:
        """Digest of each column, so that two catalogs can tell in what they differ.

        Returns
        -------
        dict of str to str
            ``n`` and the SHA-256 (first 16 hex digits) of ``path``, ``label``, ``group``,
            ``id``, ``columns`` (all extra ones; empty if there are none) and ``size``.
        """
        columns = {name: text_digest(getattr(self, name)) for name in COLUMNS}
        return {"n": str(len(self)), **columns, "size": text_digest(map(str, self.size)),
                "columns": columns_digest(self.columns, self.units)}

    def stamp(self) -> str:
        """Digest of where the pictures lie, their sizes and the times of their last changes.

        It costs a look at each file, none is read. Pictures of the same names and stamp were not
        touched in between; of another stamp, their contents may be the same or not.

        Returns
        -------
        str
            First 16 hex digits of a SHA-256.
        """
        return text_digest(self.source.stamps(self.path))

    def subset(self, positions: Sequence[int] | np.ndarray) -> Catalog:
        """The catalog of some of the images, in the order given.

        Parameters
        ----------
        positions : sequence of int, or ndarray of shape (n,) of bool

        Returns
        -------
        Catalog
            With nothing in `ignored` and `recognised`.

        Raises
        ------
        IndexError
            If a position is out of range, or a mask has another length.
        """
        chosen = np.arange(len(self))[positions if len(positions) else slice(0)]
        known: dict[str, Any] = {name: [getattr(self, name)[i] for i in chosen]
                                 for name in COLUMNS}
        return Catalog(source=self.source, size=self.size[chosen], **known,
                       columns=self.columns.iloc[chosen], units=self.units)

    @classmethod
    def from_paths(
        cls,
        paths: Iterable[str | os.PathLike[str]],
        *,
        root: str | os.PathLike[str] = ".",
        labels: Iterable[str] | None = None,
        groups: Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
        columns: pd.DataFrame | None = None,
        units: dict[str, str] | None = None,
    ) -> Catalog:
        """Make a catalog of paths in the order given.

        Parameters
        ----------
        paths : iterable of path-like
            Files, absolute or relative to `root`. They need not exist: a missing file
            becomes a failure when it is read.
        root : path-like, default="."
        labels, groups, ids : iterable of str of the same length, optional
        columns : DataFrame of as many rows, optional
            What else is known: numbers and text, see `columns_of_frame`.
        units : dict of str to str, optional
            Of those of `columns` that have one.

        Returns
        -------
        Catalog

        Raises
        ------
        InputError
            If the columns differ in length, or one cannot be kept.
        """
        path = [os.fspath(p).replace(os.sep, "/") for p in paths]
        source = Files(Path(root))
        sizes = (size_of(source.file(p)) for p in path)
        size = np.fromiter(sizes, dtype=np.int64, count=len(path))
        known = _columns(len(path), label=labels, group=groups, id=ids)
        return cls(source=source, path=path, size=size, ignored={}, **known,
                   columns=columns, units=units or {})

    @classmethod
    def from_arrays(
        cls,
        pictures: Iterable[NDArray[np.uint8]],
        *,
        paths: Iterable[str] | None = None,
        labels: Iterable[str] | None = None,
        groups: Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
    ) -> Catalog:
        """Make a catalog of pictures in memory, in the order given.

        Parameters
        ----------
        pictures : iterable of ndarray of shape (height, width[, 3 or 4]), uint8
        paths : iterable of str of the same length, optional
            Different names; by default the numbers from 0.
        labels, groups, ids : iterable of str of the same length, optional

        Returns
        -------
        Catalog

        Raises
        ------
        InputError
            If a picture has another shape or type, columns differ in length, or two pictures
            have one name.

        Examples
        --------
        >>> catalog = Catalog.from_arrays([np.zeros((4, 6), np.uint8)], labels=["bubble"])
        >>> catalog.path, catalog.read(0).shape
        (['0'], (4, 6))
        """
        arrays = list(pictures)
        path = list(map(str, range(len(arrays))) if paths is None else paths)
        columns = _columns(len(arrays), path=path, label=labels, group=groups, id=ids)
        if len(set(path)) < len(path):
            raise InputError("paths: expected a different one for each picture.")
        source = Arrays(dict(zip(path, arrays, strict=True)))
        size = np.array([pixels.nbytes for pixels in arrays], dtype=np.int64)
        return cls(source=source, size=size, **columns)


def _columns(n: int, **given: Iterable[str] | None) -> dict[str, Any]:
    """Columns of n texts, empty ones where none are given."""
    filled = {k: [""] * n if v is None else list(v) for k, v in given.items()}
    for name, values in filled.items():
        if len(values) != n:
            raise InputError(f"{name}: expected {n} values, one per path; "
                             f"got {len(values)}. Give one per path, or none at all.")
    return {**filled, "label": [composed(label) for label in filled["label"]]}


def check_catalog(catalog: object) -> None:
    """Refuse what is no catalog, such as the name of a folder, and one without images.

    Raises
    ------
    InputError
    """
    if not isinstance(catalog, Catalog):
        is_path = isinstance(catalog, str | os.PathLike)
        got, folder = (repr(str(catalog)),) * 2 if is_path else (type(catalog).__name__, "FOLDER")
        raise InputError(f"catalog: expected a Catalog, got {got}. Make one with "
                         f"build_catalog({folder}).")
    if not len(catalog):
        raise InputError("catalog: holds no images. Were they looked for in another folder, or "
                         "with another ending than theirs? build_catalog(FOLDER) finds images of "
                         "all kinds.")
