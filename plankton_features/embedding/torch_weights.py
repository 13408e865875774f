"""Read a torch weights file without torch and without running code from it.

A torch ``.pth`` file is a pickle, and a pickle can call any function of the
machine that reads it. The reader here knows the few names (`ALLOWED_NAMES`)
and pickle opcodes a file of plain tensors needs and refuses the file at the first
other one. The allowed names stand for inert records, checked before use.

The layout is that of ``torch.save`` before torch 1.6 ("legacy"): five pickles
(magic number, format version, facts about the writing machine, state dict, list of
storage keys), then for each key an 8-byte element count and the raw numbers.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plankton_features.errors import WeightsError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
FORMAT_VERSION = 1001

# Torch writes numbers in the byte order of the writing machine; only little is read here.
_STORAGE_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}

# All that torch uses for a state dict. Left out, besides what makes other objects, are
# opcodes with lengths of 8 bytes: Python sets that much memory aside before it reads.
_TENSOR_OPCODES = (
    "PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINUNICODE "
    "EMPTY_DICT SETITEM SETITEMS EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 "
    "TUPLE3 BINPUT LONG_BINPUT BINGET LONG_BINGET GLOBAL REDUCE BUILD BINPERSID"
)
_OPCODES = frozenset(_TENSOR_OPCODES.split())
_MEMO_OPCODES = frozenset({"BINPUT", "LONG_BINPUT"})

_NEXT_STEP = (
    "Nothing from the file was run. If it came from a package or a download, install or "
    "download it again; if it is your own, save model.state_dict() with "
    "torch.save(..., _use_new_zipfile_serialization=False)."
)


class _StateDict(dict):
    """Stands for ``collections.OrderedDict``; drops the attributes torch hangs on it."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


class _Storage(NamedTuple):
    """A run of numbers that comes later in the file."""

    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    """Stands for the result of ``torch._utils._rebuild_tensor_v2``."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any
    requires_grad: Any
    hooks: Any
    metadata: Any = None

    def __setstate__(self, state: object) -> None:
        # Without this method, a pickle could set attributes on the class itself.
        raise pickle.UnpicklingError(
            "expected a tensor record, got a record with a state of its own"
        )


# Storage types stand for mere strings: a pickle can neither call nor change a string.
_STAND_INS: dict[str, Any] = {
    "collections.OrderedDict": _StateDict,
    "torch._utils._rebuild_tensor_v2": _Tensor,
    **{f"torch.{name}": dtype for name, dtype in _STORAGE_DTYPES.items()},
}

ALLOWED_NAMES = frozenset(_STAND_INS)


class _RestrictedUnpickler(pickle.Unpickler):
    """Unpickler that knows `ALLOWED_NAMES` only and never imports.

    Attributes
    ----------
    storages : dict of str to _Storage
        Storages the file has referred to so far.
    """

    def __init__(self, stream: io.BytesIO):
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        full_name = f"{module}.{name}"
        if full_name not in ALLOWED_NAMES:
            raise pickle.UnpicklingError(
                f"expected only the names {', '.join(sorted(ALLOWED_NAMES))}, "
                f"got {full_name[:100]!r}, which is refused"
            )
        return _STAND_INS[full_name]

    def persistent_load(self, pid: Any) -> _Storage:
        storage = _parse_storage(pid)
        known = self.storages.setdefault(storage.key, storage)
        _require(known == storage, f"one description of storage {storage.key[:40]!r}", "two")
        return known


def _require(condition: bool, expected: str, got: str) -> None:
    if not condition:
        raise pickle.UnpicklingError(f"expected {expected}, got {got}")


def _is_count(value: object) -> bool:
    """Whether `value` is an int (not a bool) from 0 to the largest 64-bit one."""
    return type(value) is int and 0 <= value < 2**63


def _parse_storage(pid: Any) -> _Storage:
    _require(type(pid) is tuple and len(pid) == 6, "a storage of six fields", type(pid).__name__)
    kind, dtype, key, _location, length, view = pid
    _require(
        type(kind) is str and kind == "storage" and type(dtype) is str and type(key) is str,
        "the word 'storage', a storage type and a key",
        f"{type(kind).__name__}, {type(dtype).__name__}, {type(key).__name__}",
    )
    _require(dtype in _STORAGE_DTYPES.values(), "a known storage type", "another string")
    _require(_is_count(length), "a whole number of elements", "something else")
    _require(view is None, "storages of their own", "a view into another storage")
    return _Storage(key, dtype, length)


def _check_opcodes(stream: io.BytesIO) -> None:
    """Go through one pickle without running it, then back to its start."""
    start = stream.tell()
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(stream)):
        _require(opcode.name in _OPCODES, "a pickle of tensors", f"{opcode.name}, which is refused")
        # Python makes room for all memo places up to the highest, so one number can fill memory.
        if opcode.name in _MEMO_OPCODES:
            place: Any = argument
            _require(place <= count, f"a memo place up to {count}", str(place))
    stream.seek(start)


def _load_pickle(unpickler: _RestrictedUnpickler, stream: io.BytesIO, what: str) -> Any:
    """Load one pickle; any failure names the part of the file and where it begins."""
    start = stream.tell()
    try:
        _check_opcodes(stream)
        return unpickler.load()
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise pickle.UnpicklingError(f"{what} (from byte {start}): {reason}") from error


def _load_plain(stream: io.BytesIO, what: str) -> Any:
    return _load_pickle(_RestrictedUnpickler(stream), stream, what)


def _check_header(stream: io.BytesIO) -> None:
    _require(
        not stream.getvalue().startswith(b"PK\x03\x04"),
        "the torch format from before torch 1.6",
        "the newer zip format, which is not supported",
    )
    magic = _load_plain(stream, "magic number")
    _require(type(magic) is int and magic == MAGIC_NUMBER, "torch's magic number", "another value")
    version = _load_plain(stream, "format version")
    _require(
        type(version) is int and version == FORMAT_VERSION, f"version {FORMAT_VERSION}", "another"
    )
    machine = _load_plain(stream, "facts about the writing machine")
    _require(
        isinstance(machine, dict) and machine.get("little_endian") is True,
        "numbers in little-endian order",
        "another order",
    )


def _load_tensors(stream: io.BytesIO) -> tuple[dict[str, _Tensor], dict[str, _Storage]]:
    unpickler = _RestrictedUnpickler(stream)
    state = _load_pickle(unpickler, stream, "state dict")
    _require(isinstance(state, dict), "a dict of tensors", type(state).__name__)
    for name, tensor in state.items():
        _require(
            type(name) is str and isinstance(tensor, _Tensor),
            "a tensor under each name",
            f"{type(tensor).__name__} under a {type(name).__name__}",
        )
    return dict(state), unpickler.storages


def _read_storage(stream: io.BytesIO, storage: _Storage) -> np.ndarray:
    dtype = np.dtype(storage.dtype)
    start, size = stream.tell(), storage.length * dtype.itemsize
    count = int.from_bytes(stream.read(8), "little")
    left = len(stream.getvalue()) - stream.tell()
    _require(
        count == storage.length and size <= left,
        f"{storage.length} numbers ({size} bytes) for storage {storage.key[:40]!r} at byte {start}",
        f"{count} numbers and {max(left, 0)} bytes to the end of the file",
    )
    return np.frombuffer(stream.read(size), dtype=dtype)


def _read_storages(stream: io.BytesIO, storages: dict[str, _Storage]) -> dict[str, np.ndarray]:
    keys = _load_plain(stream, "list of storage keys")
    _require(
        type(keys) is list and all(type(key) is str for key in keys),
        "a list of storage keys",
        type(keys).__name__,
    )
    _require(
        len(keys) == len(storages) and set(keys) == set(storages),
        f"the {len(storages)} storages the tensors refer to",
        f"{len(keys)} storages, not all the same",
    )
    return {key: _read_storage(stream, storages[key]) for key in keys}


def _build_array(name: str, tensor: _Tensor, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """Contiguous copy of the numbers of one tensor, in the byte order of this machine."""
    where = f"tensor {name[:60]!r}"
    _require(isinstance(tensor.storage, _Storage), f"a storage for {where}", "something else")
    flat = numbers[tensor.storage.key]
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset
    _require(
        type(shape) is tuple
        and type(strides) is tuple
        and len(shape) == len(strides) <= 8
        and all(_is_count(value) for value in (*shape, *strides, offset)),
        f"shape, strides and offset of {where} as whole numbers",
        "something else",
    )
    # As many elements as the storage at most: else strides of 0 make a small file huge.
    last = offset + sum(max(n - 1, 0) * step for n, step in zip(shape, strides, strict=True))
    _require(
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
    but plain tensors (see `ALLOWED_NAMES`) is refused.

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
