"""Which content each image of a feature file had, finished or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plankton_features.store.checking import check_digests


class _Datasets(Protocol):
    def __getitem__(self, name: str) -> np.ndarray: ...


@dataclass(frozen=True)
class Contents:
    """What a feature file knows of the images dealt with, by their positions in the catalog.

    Attributes
    ----------
    digests : dict of int to bytes
        SHA-256 of each image that has a vector, 32 bytes; of duplicates too.
    failed : list of int
        Positions of images that could not be used.
    """

    digests: dict[int, bytes]
    failed: list[int]


def read_contents(file: _Datasets, n_rows: int) -> Contents:
    """Read what the first `n_rows` rows, the duplicates and the failures came from.

    Parameters
    ----------
    file : h5py.File
    n_rows : int

    Returns
    -------
    Contents
    """
    digests = check_digests(file["images/sha256"][:n_rows])
    found = dict(zip(file["images/position"][:n_rows].tolist(), digests, strict=True))
    again = zip(file["duplicates/position"][:].tolist(), file["duplicates/row"][:].tolist(),
                strict=True)
    found.update((position, digests[row]) for position, row in again)
    return Contents(found, file["failures/position"][:].tolist())
