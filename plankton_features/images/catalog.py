"""The catalog: which images there are, and what is known of each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plankton_features.errors import InputError
from plankton_features.images.spelling import composed, look_at

COLUMNS = ("path", "label", "group", "id")


@dataclass(frozen=True, eq=False)
class Catalog:
    """Images in a fixed order, one list per column, all of length n.

    Attributes
    ----------
    root : Path
        Folder that relative paths start from.
    path : list of str
        POSIX paths relative to `root` (absolute where a table gives them so).
    label, group, id : list of str
        Taxon, sampling unit and object id; empty where unknown. Labels are in Unicode's
        composed form (NFC), so that one taxon written in two ways is one class.
    size : ndarray of shape (n,), int64
        File size in bytes, -1 where the file could not be looked at.
    ignored : dict of str to int
        What was left aside: files whose ending is not an image's, counted by ending, and hidden
        folders and those that systems leave, counted by name, with a slash at its end.
    """

    root: Path
    path: list[str]
    label: list[str]
    group: list[str]
    id: list[str]
    size: np.ndarray
    ignored: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.path)

    def file(self, position: int) -> str:
        """Path of one image; `read_bytes` finds it in another normal form of Unicode too."""
        return os.path.join(self.root, self.path[position])  # noqa: PTH118 (ten times faster)

    def fingerprint(self) -> dict[str, str]:
        """Digest of each column, so that two catalogs can tell in what they differ.

        Returns
        -------
        dict of str to str
            ``n`` and the SHA-256 (first 16 hex digits) of ``path``, ``label``, ``group``,
            ``id`` and ``size``.
        """
        columns = {name: _digest(getattr(self, name)) for name in COLUMNS}
        return {"n": str(len(self)), **columns, "size": _digest(map(str, self.size))}

    def stamp(self) -> str:
        """Digest of where the files are, their sizes and the times of their last changes.

        It costs a look at each file, none is read. Files of the same names and stamp were not
        touched in between; of another stamp, their contents may be the same or not.

        Returns
        -------
        str
            First 16 hex digits of a SHA-256.
        """
        files = map(self.file, range(len(self)))
        return _digest([os.path.realpath(self.root), *map(_times, files)])

    def subset(self, positions: Sequence[int] | np.ndarray) -> Catalog:
        """The catalog of some of the images, in the order given.

        Parameters
        ----------
        positions : sequence of int, or ndarray of shape (n,) of bool

        Returns
        -------
        Catalog
            With nothing in `ignored`.

        Raises
        ------
        IndexError
            If a position is out of range, or a mask has another length.
        """
        chosen = np.arange(len(self))[positions if len(positions) else slice(0)]
        columns = {name: [getattr(self, name)[i] for i in chosen] for name in COLUMNS}
        return Catalog(root=self.root, size=self.size[chosen], ignored={}, **columns)

    @classmethod
    def from_paths(
        cls,
        paths: Iterable[str | os.PathLike[str]],
        *,
        root: str | os.PathLike[str] = ".",
        labels: Iterable[str] | None = None,
        groups: Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
    ) -> Catalog:
        """Make a catalog of paths in the order given.

        Parameters
        ----------
        paths : iterable of path-like
            Files, absolute or relative to `root`. They need not exist: a missing file
            becomes a failure when it is read.
        root : path-like, default="."
        labels, groups, ids : iterable of str of the same length, optional

        Returns
        -------
        Catalog

        Raises
        ------
        InputError
            If the columns differ in length.
        """
        root = Path(root)
        path = [_posix(os.fspath(p)) for p in paths]
        columns = {"label": labels, "group": groups, "id": ids}
        filled = {k: [""] * len(path) if v is None else list(v) for k, v in columns.items()}
        for name, values in filled.items():
            if len(values) != len(path):
                raise InputError(f"{name}: expected {len(path)} values, one per path; "
                                 f"got {len(values)}. Give one per path, or none at all.")
        filled["label"] = [composed(label) for label in filled["label"]]
        size = np.fromiter((_size(root / p) for p in path), dtype=np.int64, count=len(path))
        return cls(root=root, path=path, size=size, ignored={}, **filled)


def _size(path: Path) -> int:
    try:
        return look_at(os.fspath(path)).st_size
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return -1


def _times(path: str) -> str:
    """Size and times of a file. Unlike the first, the second cannot be set back."""
    try:
        info = look_at(path)
    except (OSError, ValueError):
        return "-"
    return f"{info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}"


def _posix(path: str) -> str:
    return path.replace(os.sep, "/") if os.sep != "/" else path


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


def _digest(values: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:16]
