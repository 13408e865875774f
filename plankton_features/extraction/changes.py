"""Whether the pictures that a feature file was made from are those that are there now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from plankton_features.errors import ImageFailure, OtherPicturesError
from plankton_features.images import Catalog, Framing, Preparer
from plankton_features.images.preparing import chunks
from plankton_features.progress import Progress, ProgressCallback, ignore
from plankton_features.store import FeatureFile
from plankton_features.store.contents import Contents

_SHOWN = 3


@dataclass
class Changes:
    """Paths whose files are not what they were.

    Attributes
    ----------
    compared : int
        Files compared.
    changed : list of str
        Of another content.
    unreadable : list of str
        Had a vector, and cannot be read now.
    usable : list of str
        Had failed, and can be used now.
    """

    compared: int
    changed: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    usable: list[str] = field(default_factory=list)

    def refuse(self, what: str, next_step: str) -> None:
        """Refuse a file of other pictures, if they are others.

        Raises
        ------
        OtherPicturesError
            With a field for each kind: 0, and the number of files.
        """
        kinds = {"changed": self.changed, "unreadable": self.unreadable, "usable now": self.usable}
        found = {kind: paths for kind, paths in kinds.items() if paths}
        if not found:
            return
        if self.unreadable:
            next_step = ("Is a drive or a folder missing? Put that right, and run the same command "
                         f"again.\n{next_step}")
        lines = "\n".join(f"  {kind}: {len(paths):,} of {self.compared:,} files, {_such_as(paths)}"
                          for kind, paths in found.items())
        raise OtherPicturesError(
            f"{what}: was made from other pictures of the same names, or they have changed since. "
            f"These differ:\n{lines}\n{next_step}",
            {kind: (0, len(paths)) for kind, paths in found.items()})


def find_changes(contents: Contents, catalog: Catalog, framing: Framing, *, threads: int = 2,
                 progress: ProgressCallback = ignore) -> Changes:
    """Read the files again: those with a vector to compare their digests, the failed ones to use.

    Parameters
    ----------
    contents : Contents
        Of a feature file of the same catalog, as far as it got.
    catalog : Catalog
    framing : Framing
    threads : int, default=2
        Threads that read.
    progress : callable of Progress

    Returns
    -------
    Changes
    """
    known = sorted(contents.digests)
    found = Changes(len(known) + len(contents.failed))
    digests = content_digests(catalog, known, threads)
    for n, (position, digest) in enumerate(zip(known, digests, strict=True), start=1):
        if digest != contents.digests[position]:
            (found.changed if digest else found.unreadable).append(catalog.path[position])
        progress(Progress(n, found.compared, len(found.changed) + len(found.unreadable)))
    again = Preparer(catalog, framing, threads).iterate(contents.failed)
    found.usable += [catalog.path[i.position] for i in again if i.failure is None]
    return found


def listed_changes(file: FeatureFile, catalog: Catalog) -> list[str]:
    """Lines that count and name paths which are gone, new, or under another label."""
    tables = (file.images, file.duplicates, file.failures)
    before = {path: label for table in tables
              for path, label in zip(table["path"], table["label"], strict=True)}
    now = dict(zip(catalog.path, catalog.label, strict=True))
    kinds = {"gone": [path for path in before if path not in now],
             "new": [path for path in now if path not in before],
             "relabelled": [path for path, label in now.items()
                            if before.get(path, label) != label]}
    return [f"  {kind}: {len(paths):,} files, {_such_as(paths)}"
            for kind, paths in kinds.items() if paths]


def _such_as(paths: list[str]) -> str:
    return f"such as {', '.join(paths[:_SHOWN])}"


def content_digests(catalog: Catalog, positions: Sequence[int],
                    threads: int = 2) -> Iterator[bytes]:
    """SHA-256 of contents, in order, 32 bytes each; none of those that cannot be read.

    Parameters
    ----------
    catalog : Catalog
    positions : sequence of int
    threads : int, default=2

    Yields
    ------
    bytes
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="digest")
    try:
        for some in pool.map(lambda chunk: [digest_or_none(catalog, i) for i in chunk],
                             chunks(positions)):
            yield from some
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def digest_or_none(catalog: Catalog, position: int) -> bytes:
    """SHA-256 of a picture's content, 32 bytes; none if it cannot be read."""
    try:
        return catalog.digest(position)
    except ImageFailure:
        return b""
