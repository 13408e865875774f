"""All vignettes framed once, in a file that training reads from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.files.arrays import ArrayFile
from plankton_features.files.disk import check_room
from plankton_features.files.replacing import replacing
from plankton_features.images import Catalog, Census, Framing, Prepared, Preparer
from plankton_features.progress import Progress, ProgressCallback, ignore

_PIXELS, _ROWS = "canvases.npy", "canvases.json"
_FORM = 2  # of what is kept: 1 had only the number of conflicts
_CONFLICT = ["path", "label", "first_path", "first_label"]
_COLUMNS = ["path", "label", "group", "id", "sha256", "width", "height", "full_scale", "contrast",
            "several_pages"]


@dataclass(frozen=True)
class Gathered:
    """Framed vignettes, in the catalog's order.

    Attributes
    ----------
    canvases : ndarray of uint8, shape (n, side, side) or (n, side, side, 3)
        On disk; grey if all are.
    images : DataFrame of n rows
        With columns path, label, group, id, sha256, width, height, full_scale, contrast,
        several_pages.
    failures : DataFrame
        Images that could not be used: path, stage, reason. Nothing stands for them.
    duplicates : int
        Files left out because they repeat a picture.
    conflicts : DataFrame
        Those of them with another label: path, label, first_path, first_label.
    """

    canvases: NDArray[np.uint8]
    images: pd.DataFrame
    failures: pd.DataFrame
    duplicates: int
    conflicts: pd.DataFrame


def gather(catalog: Catalog, framing: Framing, folder: Path, *, threads: int = 2,
           progress: ProgressCallback = ignore) -> Gathered:
    """Read and frame every image once, or take over what an earlier run has gathered.

    That is taken over if nobody touched the files since.

    Parameters
    ----------
    catalog : Catalog
        Of labelled images.
    framing : Framing
    folder : Path
        Where the pixels are kept; must be there.
    threads : int, default=2
    progress : callable of Progress

    Returns
    -------
    Gathered

    Raises
    ------
    StoreError
        If the disk is too small.
    InputError
        If no image can be used.
    """
    key = {"catalog": catalog.fingerprint(), "framing": asdict(framing), "stamp": catalog.stamp(),
           "form": _FORM}
    told = _read(folder / _ROWS)
    if told is None or told["key"] != key:
        (folder / _ROWS).unlink(missing_ok=True)  # so that half of it never looks whole
        needed = 4 * len(catalog) * framing.canvas**2  # all in grey, and again in colour
        check_room(folder, needed, f"{len(catalog):,} canvases of {framing.canvas} px need up to",
                   "Free some space, choose another folder for the model, or a smaller --canvas.")
        told = {"key": key, **_fill(catalog, framing, folder / _PIXELS, threads, progress)}
        with replacing(folder / _ROWS, "w", encoding="utf-8") as file:
            json.dump(told, file)
    if not told["rows"]:
        raise InputError(f"{catalog.source}: none of {len(catalog)} images can be used. See them "
                         "with extract-features --dry-run.")
    canvases = np.load(folder / _PIXELS, mmap_mode="r")[: len(told["rows"])]
    return Gathered(canvases, pd.DataFrame(told["rows"], columns=_COLUMNS),
                    pd.DataFrame(told["failures"], columns=["path", "stage", "reason"]),
                    told["duplicates"], pd.DataFrame(told["conflicts"], columns=_CONFLICT))


def digest_of_pictures(folder: Path) -> str | None:
    """Digest of the contents of the vignettes that were framed in a folder; None if none were."""
    told = _read(folder / _ROWS)
    if told is None:
        return None
    sha256 = [row[_COLUMNS.index("sha256")] for row in told["rows"]]
    return hashlib.sha256("".join(sha256).encode()).hexdigest()[:16]


def _fill(catalog: Catalog, framing: Framing, path: Path, threads: int,
          progress: ProgressCallback) -> dict[str, Any]:
    census = Census(catalog.label)
    rows: list[list[Any]] = []
    failures: list[list[str]] = []
    preparer = Preparer(catalog, framing, threads)
    with _Pixels(path, len(catalog), framing.canvas) as pixels:
        for n, image in enumerate(preparer.iterate(range(len(catalog))), start=1):
            i, sort = image.position, census.sort(image)
            if image.failure is not None:
                failures.append([catalog.path[i], image.failure.stage, str(image.failure)])
            elif sort == "new":
                pixels.put(len(rows), image)
                rows.append([catalog.path[i], catalog.label[i], catalog.group[i], catalog.id[i],
                             image.sha256.hex(), image.width, image.height, image.full_scale,
                             image.contrast, image.several])
            progress(Progress(n, len(catalog), census.failed, census.duplicates))
    conflicts = [[catalog.path[i], catalog.label[i], catalog.path[first], catalog.label[first]]
                 for i, first in census.conflicts]
    return {"rows": rows, "failures": failures, "duplicates": census.duplicates,
            "conflicts": conflicts}


def in_colour(canvases: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Canvases of shape (n, side, side[, 3]) with three channels, in memory."""
    pixels = np.asarray(canvases)
    return pixels if pixels.ndim == 4 else _three(pixels)


class _Pixels:
    """A file of canvases, grey until the first one in colour comes."""

    def __init__(self, path: Path, n: int, side: int):
        self.path, self.shape = path, (n, side, side)
        self.file = ArrayFile(path, self.shape, np.uint8)

    def put(self, row: int, image: Prepared) -> None:
        canvas = image.canvas
        assert canvas is not None
        if canvas.ndim == 3 and len(self.file.shape) == 3:
            self._recolour(row)
        self.file.write((row,), canvas if canvas.ndim == len(self.file.shape) - 1
                        else _three(canvas))

    def _recolour(self, filled: int) -> None:
        path = self.path.with_suffix(".colour.npy")
        grey, self.file = self.file, ArrayFile(path, (*self.shape, 3), np.uint8)
        with grey:
            for row in range(filled):
                self.file.write((row,), _three(grey.read((row,))))
        self.file.rename(self.path)

    def __enter__(self) -> _Pixels:
        return self

    def __exit__(self, *error: Any) -> None:
        self.file.__exit__(*error)


def _three(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same in three channels."""
    return np.repeat(grey[..., None], 3, axis=-1)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return None
