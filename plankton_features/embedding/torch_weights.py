"""Read a torch weights file without torch and without running code from it.

The layout is that of ``torch.save`` before torch 1.6 ("legacy"): five pickles
(magic number, format version, facts about the writing machine, state dict, list of
storage keys), then for each key an 8-byte element count and the raw numbers.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.tensor_pickle import (
    RestrictedUnpickler,
    Storage,
    Tensor,
    is_count,
    load_pickle,
    require,
)
from plankton_features.errors import WeightsError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
FORMAT_VERSION = 1001

_NEXT_STEP = (
    "Nothing from the file was run. If it came from a package or a download, install or "
    "download it again; if it is your own, save model.state_dict() with "
    "torch.save(..., _use_new_zipfile_serialization=False)."
)


def _load_plain(stream: io.BytesIO, what: str) -> Any:
    return load_pickle(RestrictedUnpickler(stream), stream, what)


def _check_header(stream: io.BytesIO) -> None:
    require(
        not stream.getvalue().startswith(b"PK\x03\x04"),
        "the torch format from before torch 1.6",
        "the newer zip format, which is not supported",
    )
    magic = _load_plain(stream, "magic number")
    require(type(magic) is int and magic == MAGIC_NUMBER, "torch's magic number", "another value")
    version = _load_plain(stream, "format version")
    require(
        type(version) is int and version == FORMAT_VERSION, f"version {FORMAT_VERSION}", "another"
    )
    machine = _load_plain(stream, "facts about the writing machine")
    require(
        isinstance(machine, dict) and machine.get("little_endian") is True,
        "numbers in little-endian order",
        "another order",
    )


def _load_tensors(stream: io.BytesIO) -> tuple[dict[str, Tensor], dict[str, Storage]]:
    unpickler = RestrictedUnpickler(stream)
    state = load_pickle(unpickler, stream, "state dict")
    require(isinstance(state, dict), "a dict of tensors", type(state).__name__)
    for name, tensor in state.items():
        require(
            type(name) is str and isinstance(tensor, Tensor),
            "a tensor under each name",
            f"{type(tensor).__name__} under a {type(name).__name__}",
        )
    return dict(state), unpickler.storages


def _read_storage(stream: io.BytesIO, storage: Storage) -> np.ndarray:
    dtype = np.dtype(storage.dtype)
    start, size = stream.tell(), storage.length * dtype.itemsize
    count = int.from_bytes(stream.read(8), "little")
    left = len(stream.getvalue()) - stream.tell()
    require(
        count == storage.length and size <= left,
        f"{storage.length} numbers ({size} bytes) for storage {storage.key[:40]!r} at byte {start}",
        f"{count} numbers and {max(left, 0)} bytes to the end of the file",
    )
    return np.frombuffer(stream.read(size), dtype=dtype)


def _read_storages(stream: io.BytesIO, storages: dict[str, Storage]) -> dict[str, np.ndarray]:
    keys = _load_plain(stream, "list of storage keys")
    require(
        type(keys) is list and all(type(key) is str for key in keys),
        "a list of storage keys",
        type(keys).__name__,
    )
    require(
        len(keys) == len(storages) and set(keys) == set(storages),
        f"the {len(storages)} storages the tensors refer to",
        f"{len(keys)} storages, not all the same",
    )
    return {key: _read_storage(stream, storages[key]) for key in keys}


def _build_array(name: str, tensor: Tensor, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """Contiguous copy of the numbers of one tensor, in the byte order of this machine."""
    where = f"tensor {name[:60]!r}"
    require(isinstance(tensor.storage, Storage), f"a storage for {where}", "something else")
    flat = numbers[tensor.storage.key]
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset
    require(
        type(shape) is tuple
        and type(strides) is tuple
        and len(shape) == len(strides) <= 8
        and all(is_count(value) for value in (*shape, *strides, offset)),
        f"shape, strides and offset of {where} as whole numbers",
        "something else",
    )
    # As many elements as the storage at most: else strides of 0 make a small file huge.
    last = offset + sum(max(n - 1, 0) * step for n, step in zip(shape, strides, strict=True))
    require(
        math.prod(shape) <= flat.size and (0 in shape or last < flat.size),
        f"{where} within its {flat.size} numbers",
        "a tensor that reaches beyond",
    )
    if 0 in shape:
        return np.empty(shape, flat.dtype.newbyteorder("="))
    steps = [step * flat.itemsize for step in strides]
    view = np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False)
    return np.array(view, dtype=flat.dtype.newbyteorder("="), order="C")


def _parse(content: bytes) -> dict[str, np.ndarray]:
    stream = io.BytesIO(content)
    _check_header(stream)
    tensors, storages = _load_tensors(stream)
    numbers = _read_storages(stream, storages)
    return {name: _build_array(name, tensor, numbers) for name, tensor in tensors.items()}


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """Read the tensors of a torch weights file in the format from before torch 1.6.

    Torch is not needed, and no code from the file is run: a file that names anything
    but plain tensors (`tensor_pickle.ALLOWED_NAMES`) is refused.

    Parameters
    ----------
    path : str or Path
        File written by ``torch.save(model.state_dict(), path)`` with torch before 1.6,
        or later with ``_use_new_zipfile_serialization=False``.

    Returns
    -------
    dict of str to ndarray
        Parameter name to array, in the order of the file, with the shape and the dtype
        (float16, float32, float64, int8 to int64, uint8 or bool) torch would give.
        Each array is a C-contiguous copy of its own.

    Raises
    ------
    WeightsError
        If the file cannot be read, is damaged, cut short, in torch's zip format, or
        refers to anything that is not a plain tensor.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path}: expected a readable file of network weights, got: "
            f"{error.strerror or error}. Check the path and the permission to read it."
        ) from error
    try:
        return _parse(content)
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise WeightsError(
            f"{path} ({len(content)} bytes) is not a usable torch weights file: {reason}. "
            f"{_NEXT_STEP}"
        ) from error
