"""Arrays on disk that are filled part by part."""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plankton_features.files.disk import reserve, writing


class ArrayFile:
    """An ``.npy`` file whose room is taken at once and whose rows are written one by one.

    Nothing is written through memory: where the disk has no room left after all, an error says
    so, and the process goes on.

    Parameters
    ----------
    path : Path
        Is replaced.
    shape : tuple of int
    dtype : type or dtype

    Raises
    ------
    StoreError
        If there is not enough room, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ArrayFile(Path(folder, "a.npy"), (2, 3), np.uint8) as file:
    ...         file.write((1,), [7, 8, 9])
    ...     np.load(Path(folder, "a.npy"))
    array([[0, 0, 0],
           [7, 8, 9]], dtype=uint8)
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any):
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        with writing(path):
            path.unlink(missing_ok=True)
            self._file = path.open("x+b", buffering=0)
            try:
                np.lib.format.write_array_header_1_0(self._file, {
                    "descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False,
                    "shape": shape})
                self._start = self._file.tell()
                reserve(self._file, self._start + self.dtype.itemsize * math.prod(shape))
            except BaseException:
                self._file.close()
                path.unlink()
                raise

    def rename(self, path: Path) -> None:
        """Give the file another name, in place of one that is there.

        Parameters
        ----------
        path : Path

        Raises
        ------
        StoreError
            If it cannot be renamed.
        """
        self.close()  # Windows renames no file that is open
        with writing(path):
            self._file = self.path.replace(path).open("r+b", buffering=0)
        self.path = path

    def write(self, index: tuple[int, ...], values: ArrayLike) -> None:
        """Write ``array[index]``.

        Parameters
        ----------
        index : tuple of int
            Of the first axes.
        values : array-like
            Of the shape of the other axes.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        with writing(self.path):
            self._seek(index)
            data = memoryview(np.ascontiguousarray(values, self.dtype).tobytes())
            while data:
                data = data[self._file.write(data):]

    def read(self, index: tuple[int, ...]) -> np.ndarray:
        """Read ``array[index]``; see `write`."""
        shape = self.shape[len(index):]
        self._seek(index)
        data = self._file.read(self.dtype.itemsize * math.prod(shape))
        return np.frombuffer(data, self.dtype).reshape(shape)

    def close(self) -> None:
        """Have all of it on the disk, and let go of the file."""
        with writing(self.path), self._file:
            os.fsync(self._file.fileno())

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self._file.close()

    def _seek(self, index: tuple[int, ...]) -> None:
        inner = math.prod(self.shape[len(index):])
        row = int(np.ravel_multi_index(index, self.shape[: len(index)]))
        self._file.seek(self._start + row * inner * self.dtype.itemsize)
