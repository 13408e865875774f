"""Pickles of plain tensors, read without torch and without running code from them.

A pickle can call any function of the machine that reads it. The reader here knows the few names
(`ALLOWED_NAMES`) and opcodes that a file of plain tensors needs and refuses the file at the first
other one. The allowed names stand for inert records, checked before use.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any, NamedTuple

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


class StateDict(dict[Any, Any]):
    """Stands for ``collections.OrderedDict``; drops the attributes torch hangs on it."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


class Storage(NamedTuple):
    """A run of numbers that comes later in the file."""

    key: str
    dtype: str
    length: int


class Tensor(NamedTuple):
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
    "collections.OrderedDict": StateDict,
    "torch._utils._rebuild_tensor_v2": Tensor,
    **{f"torch.{name}": dtype for name, dtype in _STORAGE_DTYPES.items()},
}

ALLOWED_NAMES = frozenset(_STAND_INS)


class RestrictedUnpickler(pickle.Unpickler):
    """Unpickler that knows `ALLOWED_NAMES` only and never imports.

    Attributes
    ----------
    storages : dict of str to Storage
        Storages the file has referred to so far.
    """

    def __init__(self, stream: io.BytesIO):
        super().__init__(stream)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        full_name = f"{module}.{name}"
        if full_name not in ALLOWED_NAMES:
            raise pickle.UnpicklingError(
                f"expected only the names {', '.join(sorted(ALLOWED_NAMES))}, "
                f"got {full_name[:100]!r}, which is refused"
            )
        return _STAND_INS[full_name]

    def persistent_load(self, pid: Any) -> Storage:
        storage = _parse_storage(pid)
        known = self.storages.setdefault(storage.key, storage)
        require(known == storage, f"one description of storage {storage.key[:40]!r}", "two")
        return known


def require(condition: bool, expected: str, got: str) -> None:
    """Refuse the file unless `condition` holds."""
    if not condition:
        raise pickle.UnpicklingError(f"expected {expected}, got {got}")


def is_count(value: object) -> bool:
    """Whether `value` is an int (not a bool) from 0 to the largest 64-bit one."""
    return type(value) is int and 0 <= value < 2**63


def _parse_storage(pid: Any) -> Storage:
    require(type(pid) is tuple and len(pid) == 6, "a storage of six fields", type(pid).__name__)
    kind, dtype, key, _location, length, view = pid
    require(
        type(kind) is str and kind == "storage" and type(dtype) is str and type(key) is str,
        "the word 'storage', a storage type and a key",
        f"{type(kind).__name__}, {type(dtype).__name__}, {type(key).__name__}",
    )
    require(dtype in _STORAGE_DTYPES.values(), "a known storage type", "another string")
    require(is_count(length), "a whole number of elements", "something else")
    require(view is None, "storages of their own", "a view into another storage")
    return Storage(key, dtype, length)


def _check_opcodes(stream: io.BytesIO) -> None:
    """Go through one pickle without running it, then back to its start."""
    start = stream.tell()
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(stream)):
        require(opcode.name in _OPCODES, "a pickle of tensors", f"{opcode.name}, which is refused")
        # Python makes room for all memo places up to the highest, so one number can fill memory.
        if opcode.name in _MEMO_OPCODES:
            place: Any = argument
            require(place <= count, f"a memo place up to {count}", str(place))
    stream.seek(start)


def load_pickle(unpickler: RestrictedUnpickler, stream: io.BytesIO, what: str) -> Any:
    """Load one pickle; any failure names the part of the file and where it begins."""
    start = stream.tell()
    try:
        _check_opcodes(stream)
        return unpickler.load()
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise pickle.UnpicklingError(f"{what} (from byte {start}): {reason}") from error
