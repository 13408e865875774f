"""Values of extra columns, in Python and as they stand in a feature file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from plankton_features.errors import InputError
from plankton_features.store.columns import KINDS, MOST_TEXT, kind_of
from plankton_features.store.disk import Malformed

#: A missing whole number; the least of its type, as in R.
_LEAST = np.iinfo(np.int64).min
#: A missing number is a NaN with R's mark in its lower half.
_MISSING_BITS, _MARK, _LOWER_HALF = 0x7FF80000000007A2, 1954, 0xFFFFFFFF
#: Missing text is empty. Text that is empty, or nothing but this letter, has one more of it.
_EMPTY = "\x1a"


def typed(name: str, values: Any, kind: str) -> pd.api.extensions.ExtensionArray:
    """Values as pandas' array of a column's type.

    Parameters
    ----------
    name : str
        For messages.
    values : sequence
        None and ``pandas.NA`` are missing, and so is NaN, but in an array of type ``Float64``.
    kind : str
        See `KINDS`.

    Returns
    -------
    ExtensionArray
        Of dtype ``string``, ``Int64`` or ``Float64``.

    Raises
    ------
    InputError
        If they are of another type.
    """
    try:
        if kind == "text" and not isinstance(getattr(values, "dtype", None), pd.StringDtype):
            _check_texts(values)
        return pd.array(values, dtype=KINDS[kind])
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"column {name!r}: expected values of type {kind} ({error}).") from error


def all_missing(kind: str, n: int) -> pd.api.extensions.ExtensionArray:
    """The array of a column of which nothing is known."""
    return pd.array([pd.NA], dtype=KINDS[kind]).take(np.zeros(n, np.intp))


def longest(name: str, values: Any) -> int:
    """Bytes that the longest text of a column takes, at least 1.

    Raises
    ------
    InputError
        If a text is too long.
    """
    texts = typed(name, values, "text").unique()
    most = max(map(len, _texts(name, texts)), default=0)
    if most > MOST_TEXT:
        raise InputError(f"column {name!r}: a text takes {most:,} bytes, expected up to "
                         f"{MOST_TEXT:,}. Shorten it, or leave the column out.")
    return max(1, most)


def encode(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    """Values of an extra column as they are written.

    Parameters
    ----------
    name : str
        For messages.
    values : sequence
        See `typed`.
    dtype : dtype
        Of the dataset.

    Returns
    -------
    ndarray of `dtype`

    Raises
    ------
    InputError
        If they are of another type, or cannot be kept unchanged.
    """
    array = typed(name, values, kind_of(dtype))
    if dtype.kind == "S":
        texts = _texts(name, array)
        if (most := max(map(len, texts), default=0)) > dtype.itemsize:
            raise InputError(f"column {name!r}: a text takes {most:,} bytes, there is room for "
                             f"{dtype.itemsize:,}.")
        return np.array(texts, dtype)
    missing = np.asarray(array.isna())
    if dtype.kind == "i":
        numbers = array.to_numpy(np.int64, na_value=0)
        if (numbers == _LEAST).any():
            raise InputError(f"column {name!r}: the number {_LEAST} cannot be kept.")
        return np.where(missing, _LEAST, numbers)
    floats = np.array(array.to_numpy(np.float64, na_value=np.nan))
    floats[np.isnan(floats)] = np.nan
    floats.view(np.uint64)[missing] = _MISSING_BITS
    return floats


def decode(name: str, stored: np.ndarray) -> pd.api.extensions.ExtensionArray:
    """Values of an extra column as pandas' array, see `typed`.

    Parameters
    ----------
    name : str
        For messages.
    stored : ndarray
        As in the file.

    Raises
    ------
    Malformed
        Which names the first row.
    """
    return _DECODERS[kind_of(stored.dtype)](name, stored)


def _check_texts(values: Any) -> None:
    """Refuse what pandas would make text of."""
    for value in values:
        if not isinstance(value, str) and not pd.isna(value):
            raise TypeError(f"got {str(value)[:60]!r} of type {type(value).__name__}")


def _texts(name: str, array: Any) -> list[bytes]:
    found = []
    for value in array.to_numpy(object, na_value=None):
        if value is not None and "\0" in value:
            raise InputError(f"column {name!r}: a text has a zero byte, which is no text: "
                             f"{value[:60]!r}.")
        found.append(b"" if value is None else (
            value if value.strip(_EMPTY) else value + _EMPTY).encode("utf-8", "backslashreplace"))
    return found


def _decode_text(name: str, stored: np.ndarray) -> Any:
    seen: dict[bytes, Any] = {b"": pd.NA}  # equal texts are one object
    texts = np.empty(len(stored), object)
    for row, value in enumerate(stored.tolist()):
        if value not in seen:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                raise Malformed(f"column {name!r} is no UTF-8 text in row {row}") from None
            seen[value] = text if text.strip(_EMPTY) else text[:-1]
        texts[row] = seen[value]
    return pd.array(texts, dtype="string")


def _decode_whole(name: str, stored: np.ndarray) -> Any:
    limits = np.iinfo(stored.dtype)
    if limits.max > np.iinfo(np.int64).max and (large := stored > np.iinfo(np.int64).max).any():
        raise Malformed(f"column {name!r} is above 2^63 - 1 in row {int(large.argmax())}")
    marked = limits.min < 0 and limits.bits >= 32  # R's types with missing values
    missing = stored == limits.min if marked else np.zeros(len(stored), bool)
    return pd.arrays.IntegerArray(stored.astype(np.int64), missing)


def _decode_real(_: str, stored: np.ndarray) -> Any:
    numbers = stored.astype(np.float64)
    missing = np.isnan(numbers)
    if stored.dtype.itemsize == 8:
        missing &= numbers.view(np.uint64) & _LOWER_HALF == _MARK
    else:  # narrower ones have no room for the mark
        missing[:] = False
    return pd.arrays.FloatingArray(numbers, missing)


_DECODERS: dict[str, Callable[[str, np.ndarray], Any]] = {
    "text": _decode_text, "int64": _decode_whole, "float64": _decode_real}
