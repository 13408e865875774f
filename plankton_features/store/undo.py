"""A copy of an HDF5 file's structure, to put back if a change of it is cut short.

HDF5 writes its structure (headers, chunk indices, the file's length) in several steps, and a kill
between two of them leaves a file that cannot be read. Rows of images change no structure; growing
a table and cutting off unused room do.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from plankton_features.files.disk import sync


class Undo:
    """Keeps the structure of one file aside while it changes.

    Parameters
    ----------
    path : Path
        Where to keep it. While that file exists, the change is not valid.
    target : Path
        The HDF5 file.
    """

    def __init__(self, path: Path, target: Path):
        self.path = path
        self.target = target

    def save(self, file: h5py.File) -> None:
        """Copy everything of a flushed file but the values of its datasets."""
        size = self.target.stat().st_size
        spans = _gaps(_value_spans(file), size)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        with self.target.open("rb") as source, fresh.open("xb") as copy:
            np.savez(copy, size=size, spans=spans, data=_read(source, spans))
        sync(fresh)
        fresh.replace(self.path)
        sync(self.path.parent)

    def put_back(self) -> None:
        """Undo the change that was cut short, if there was one."""
        if not self.path.exists():
            return
        if self.target.exists():
            with self.path.open("rb") as copy, np.load(copy) as saved:
                size, spans, data = (saved[name] for name in ("size", "spans", "data"))
            with self.target.open("r+b") as file:
                _write(file, spans, data)
                file.truncate(int(size))
            sync(self.target)
        self.forget()

    def forget(self) -> None:
        """Make the change valid."""
        self.path.unlink(missing_ok=True)
        self.path.with_name(self.path.name + ".new").unlink(missing_ok=True)


def _value_spans(file: h5py.File) -> np.ndarray:
    """Start and end of every chunk of every dataset, (n, 2) int64, ascending."""
    chunks: list[tuple[int, int]] = []

    def look(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            item.id.chunk_iter(lambda c: chunks.append((c.byte_offset, c.byte_offset + c.size)))

    file.visititems(look)
    return np.array(sorted(chunks), np.int64).reshape(-1, 2)


def _gaps(spans: np.ndarray, size: int) -> np.ndarray:
    """What lies between the spans in a file of `size` bytes, (n, 2) int64."""
    starts = np.concatenate([[0], spans[:, 1]])
    ends = np.concatenate([spans[:, 0], [size]])
    wide = ends > starts
    return np.stack([starts[wide], ends[wide]], axis=1)


def _read(file: BinaryIO, spans: np.ndarray) -> np.ndarray:
    parts = []
    for start, end in spans.tolist():
        file.seek(start)
        parts.append(file.read(end - start))
    return np.frombuffer(b"".join(parts), np.uint8)


def _write(file: BinaryIO, spans: np.ndarray, data: np.ndarray) -> None:
    done = 0
    for start, end in spans.tolist():
        file.seek(start)
        file.write(data[done : done + end - start].tobytes())
        done += end - start
