"""What frozen layers say of each picture, computed once."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.files.arrays import ArrayFile
from plankton_features.files.disk import check_room
from plankton_features.files.replacing import replacing
from plankton_features.finetuning.augmentation import turns
from plankton_features.finetuning.feeding import Feeder, Fetch, fetch_canvases
from plankton_features.finetuning.stepping import memory_advice
from plankton_features.progress import StepCallback, ignore_steps

Ints = NDArray[np.int64]


def precompute(function: Callable[[Any], list[Any]], canvases: NDArray[np.uint8], rows: Ints,
               folder: Path, name: str, key: dict[str, Any], *, n_views: int = 1, batch: int = 32,
               dtype: type = np.float32,
               progress: StepCallback = ignore_steps) -> tuple[np.ndarray, ...]:
    """Apply a function to pictures once, and keep what it gives on disk.

    Parameters
    ----------
    function : callable
        From canvases, uint8 of shape (batch, side, side, 1 or 3), to tensors of `batch` rows.
    canvases : ndarray of uint8, shape (n, side, side[, 3])
    rows : ndarray of int64, shape (m,)
        The others' values are not computed and must not be used.
    folder : Path
    name : str
        Of the files.
    key : dict
        What the values depend on, JSON-able; values of an earlier run with this key are taken
        over.
    n_views : int, default=1
        1, or 8 for all quarter turns and mirror images.
    batch : int, default=32
    dtype : type, default=float32
        Of the values kept.
    progress : callable of (done, total, what), optional

    Returns
    -------
    tuple of ndarray, each of shape (n, n_views, ...)

    Raises
    ------
    StoreError
        If the disk is too small.
    """
    import tensorflow as tf

    told = folder / f"{name}.json"
    paths = _finished(told, key)
    if paths is None:
        told.unlink(missing_ok=True)  # so that half of it never looks whole
        compiled = tf.function(function)
        paths = _compute(compiled, canvases, rows, folder, name, n_views, batch, dtype, progress)
        with replacing(told, "w", encoding="utf-8") as file:
            json.dump({"key": key, "files": [path.name for path in paths]}, file)
    return tuple(np.load(path, mmap_mode="r") for path in paths)


def _compute(function: Callable[[Any], list[Any]], canvases: NDArray[np.uint8], rows: Ints,
             folder: Path, name: str, n_views: int, batch: int, dtype: type,
             progress: StepCallback) -> list[Path]:
    files: list[ArrayFile] = []
    done, total = 0, n_views * len(rows)
    with ExitStack() as opened:
        for view in range(n_views):
            for part in Feeder(_fetch_view(canvases, view), batch).iterate(rows, None):
                with memory_advice(batch):
                    values: list[np.ndarray] = [np.asarray(one, dtype)
                                             for one in function(part.inputs[0])]
                if not files:
                    paths = [folder / f"{name}_{i}.npy" for i in range(len(values))]
                    shapes = [(len(canvases), n_views, *one.shape[1:]) for one in values]
                    files = _allocate(paths, shapes, dtype, opened)
                for file, one in zip(files, values, strict=True):
                    for row, value in zip(part.rows.tolist(), one, strict=True):
                        file.write((row, view), value)
                done += int(part.weights.sum())
                progress(done, total, "frozen layers")
    return [file.path for file in files]


def _allocate(paths: list[Path], shapes: list[tuple[int, ...]], dtype: type,
              opened: ExitStack) -> list[ArrayFile]:
    size = sum(int(np.prod(shape, dtype=np.int64)) for shape in shapes)
    check_room(paths[0].parent, size * np.dtype(dtype).itemsize,
               "the activations of the frozen layers need",
               "Leave --cache-frozen out, or free some space.")
    return [opened.enter_context(ArrayFile(path, shape, dtype))
            for path, shape in zip(paths, shapes, strict=True)]


def _fetch_view(canvases: NDArray[np.uint8], view: int) -> Fetch:
    plain = fetch_canvases(canvases, "none")

    def make(rows: Ints, rng: np.random.Generator | None) -> tuple[np.ndarray, ...]:
        pixels = plain(rows, rng)[0]
        grey = pixels.shape[-1] == 1
        turned = turns(pixels[..., 0] if grey else pixels, view)
        return (turned[..., None] if grey else turned,)

    return make


def _finished(told: Path, key: dict[str, Any]) -> list[Path] | None:
    try:
        found = json.loads(told.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    paths = [told.with_name(name) for name in found["files"]]
    same = found["key"] == json.loads(json.dumps(key)) and all(path.exists() for path in paths)
    return paths if same else None
