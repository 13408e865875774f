"""The catalog: which images there are, and what is known of each."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np

from plankton_features.errors import InputError

IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".webp"]
)


@dataclass(frozen=True)
class Catalog:
    """Images in a fixed order, one list per column, all of length n.

    Attributes
    ----------
    root : Path
        Folder that relative paths start from.
    path : list of str
        POSIX paths relative to `root` (absolute where a table gives them so).
    label, group, id : list of str
        Taxon, sampling unit and object id; empty where unknown.
    size : ndarray of shape (n,), int64
        File size in bytes, -1 where the file could not be looked at.
    ignored : dict of str to int
        Files left aside because their ending is not an image's, counted by ending.
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
        """Path of one image that the operating system can open."""
        return os.path.join(self.root, self.path[position])  # noqa: PTH118 (ten times faster)

    def fingerprint(self) -> dict[str, str]:
        """Digest of each column, so that two catalogs can tell in what they differ.

        Returns
        -------
        dict of str to str
            ``n`` and the SHA-256 (first 16 hex digits) of ``path``, ``label``, ``group``,
            ``id`` and ``size``.
        """
        columns = {name: _digest(getattr(self, name)) for name in ("path", "label", "group", "id")}
        return {"n": str(len(self)), **columns, "size": _digest(map(str, self.size))}

    def subset(self, positions: Sequence[int] | np.ndarray) -> Catalog:
        """The catalog of some of the images, in the order given."""
        columns = {
            name: [getattr(self, name)[i] for i in positions]
            for name in ("path", "label", "group", "id")
        }
        return Catalog(root=self.root, size=self.size[np.asarray(positions, dtype=int)], **columns)

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
        size = np.fromiter((_size(root / p) for p in path), dtype=np.int64, count=len(path))
        return cls(root=root, path=path, size=size, **filled)


def build_catalog(source: str | os.PathLike[str]) -> Catalog:
    """Find the images of a folder or a table.

    Parameters
    ----------
    source : path-like
        A folder: every image below it, labelled with the name of the folder that holds it
        (files directly in `source` stay unlabelled), in the order of their paths. Links to
        folders are followed, except those that lead back to a folder above them. Or a table
        (``.csv``, ``.tsv``, ``.txt``) with a column ``path`` and optionally ``label``,
        ``group`` and ``id``, in the table's order.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If there is nothing at `source`, or no image in it.
    """
    source = Path(source)
    if source.is_dir():
        return _from_folder(source)
    if source.is_file():
        from plankton_features.images.table import catalog_from_table

        return catalog_from_table(source)
    raise InputError(
        f"{source}: expected a folder of images or a CSV table, found nothing there "
        f"(looked in {Path.cwd()}). Check the spelling, or give the full path."
    )


def is_image_name(name: str) -> bool:
    """Whether a file's ending is an image's; case does not matter."""
    return PurePath(name).suffix.lower() in IMAGE_SUFFIXES


def _from_folder(root: Path) -> Catalog:
    found: list[tuple[str, str, int]] = []
    ignored: Counter[str] = Counter()
    for relative, folder, size, usable in _walk(root):
        if usable:
            found.append((relative, folder, size))
        else:
            ignored[PurePath(relative).suffix.lower() or "no ending"] += 1
    if not found:
        kinds = ", ".join(f"{n} {ending}" for ending, n in ignored.most_common(5)) or "no files"
        raise InputError(
            f"{root}: expected images ({' '.join(sorted(IMAGE_SUFFIXES))}) in it or in folders "
            f"below it; found {kinds}. Give the folder that holds the taxon folders."
        )
    found.sort()
    labels: dict[str, str] = {}
    return Catalog(
        root=root,
        path=[f[0] for f in found],
        label=[labels.setdefault(f[1], unicodedata.normalize("NFC", f[1])) for f in found],
        group=[""] * len(found),
        id=[""] * len(found),
        size=np.array([f[2] for f in found], dtype=np.int64),
        ignored=dict(ignored),
    )


def _walk(root: Path) -> Iterator[tuple[str, str, int, bool]]:
    """Yield (path relative to root, name of its folder, size, usable) of each file.

    Folders that end like an image, lead back to a folder above, or cannot be opened are
    yielded too: reading them fails, and so they are reported.
    """
    stack: list[tuple[str, str, str, frozenset[tuple[int, int]]]] = [
        (os.fspath(root), "", "", frozenset([_identity(root)]))
    ]
    while stack:
        folder, prefix, name, above = stack.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                relative, hidden = prefix + entry.name, entry.name.startswith(".")
                if not _is_dir(entry):
                    usable = is_image_name(entry.name) and not hidden
                    yield relative, name, _entry_size(entry), usable
                    continue
                if hidden:
                    continue
                identity = _identity(entry.path)
                dead_end = identity in above or not os.access(entry.path, os.R_OK | os.X_OK)
                if dead_end or is_image_name(entry.name):
                    yield relative, name, -1, True
                if not dead_end:
                    stack.append((entry.path, relative + "/", entry.name, above | {identity}))


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _identity(path: str | Path) -> tuple[int, int]:
    info = os.stat(path)  # noqa: PTH116
    return info.st_dev, info.st_ino


def _entry_size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:
        return -1


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return -1


def _posix(path: str) -> str:
    return path.replace(os.sep, "/") if os.sep != "/" else path


def _digest(values: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()[:16]
