"""Whether a file of arrays holds what it says, before Keras reads it.

HDF5 can claim arrays of any size that take no bytes, and take values from other files of the
machine that reads it: neither has a place in weights.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from plankton_features.errors import WeightsError

ARRAYS = "model.weights.h5"
#: Bytes of arrays for each byte of the file: weights hardly shrink; and a few more for all.
_ARRAYS_PER_BYTE, _FREE = 4, 2**24


def check_arrays(path: Path) -> None:
    """Refuse a file of weights whose arrays are not its own, or more than it can hold.

    Parameters
    ----------
    path : Path
        ``.h5``, ``.hdf5`` or ``.keras``.

    Raises
    ------
    WeightsError
        Which says what is wrong with which array.
    Exception
        Of any kind, if it is damaged or something else.
    """
    import h5py

    try:
        with h5py.File(_opened(path), "r") as file:
            size = sum(_sizes(file).values())
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}. Get the file again from where it came "
                           "from.") from error
    most = _FREE + _ARRAYS_PER_BYTE * path.stat().st_size
    if size > most:
        raise WeightsError(f"{path}: says that it holds {size:,} bytes of arrays, expected at most "
                           f"{most:,} in a file of its size. Get it again from where it came from.")


def checked_entry(archive: ZipFile, name: str, most: int) -> str:
    """The name of a part of a zip file; refused if it is missing, there twice or too large.

    Raises
    ------
    ValueError
    """
    if archive.namelist().count(name) != 1:
        raise ValueError(f"expected one {name} in it, got {archive.namelist().count(name)}")
    if archive.getinfo(name).file_size > most:
        raise ValueError(f"{name} takes {archive.getinfo(name).file_size:,} bytes, expected at "
                         f"most {most:,}")
    return name


def _opened(path: Path) -> Any:
    """The HDF5 file, or the one within a ``.keras`` file, which is not compressed."""
    if path.suffix != ".keras":
        return path
    with ZipFile(path) as archive:
        entry = archive.getinfo(checked_entry(archive, ARRAYS, path.stat().st_size))
        if entry.compress_type != ZIP_STORED:
            raise ValueError(f"{ARRAYS} is packed in a way that Keras does not")
        return io.BytesIO(archive.read(entry))


def _sizes(file: Any) -> dict[str, int]:
    """Bytes of each array; all are plain and lie in this file."""
    import h5py

    sizes: dict[str, int] = {}

    def problem(name: str, link: Any) -> str | None:
        if not isinstance(link, h5py.HardLink):
            return f"{name} is a link to elsewhere"
        if isinstance(found := file[name], h5py.Dataset):
            if found.external or found.is_virtual:
                return f"{name} takes its values from another file"
            if found.shape is None or found.dtype.kind not in "iufbS":
                return f"{name} holds {found.dtype}, expected numbers"
            sizes[name] = math.prod(found.shape) * found.dtype.itemsize
        return None

    if problems := file.visititems_links(problem):  # it stops at the first
        raise WeightsError(problems)
    return sizes
