"""Extra columns of a catalog: whatever else is known of images, each column of one type."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from plankton_features.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

#: Names that a feature file has for itself; a table's column of that name is called otherwise.
RESERVED = frozenset((
    "path", "label", "group", "id", "sha256", "width", "height", "position", "full_scale",
    "contrast", "several_pages", "stage", "reason", "row"))
_WITH_UNIT = re.compile(r"(.*\S)\s*\[([^\[\]]+)\]", re.DOTALL)
_WHOLE = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_REAL = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]{1,4})?|-?\.[0-9]+"
                   rb"|[Nn][Aa][Nn]|-?[Ii][Nn][Ff]")
_SURE_DIGITS, _MOST_DIGITS = 15, 400
_MARKS = {"[t]", "[f]"}


def header_names(header: Sequence[str], below: Sequence[str]) -> list[tuple[str, str]]:
    """Name and unit of each column of a table.

    Parameters
    ----------
    header : sequence of str
        As written. ``depth [m]`` is the column ``depth`` with the unit ``m``.
    below : sequence of str
        Cells of a row of units below it; empty if there is none. Types (``[t]``, ``[f]``) are no
        units.

    Returns
    -------
    list of (str, str)
        All names are different: a name without letters is ``column_3``, one that the feature file
        needs itself ``table_width``, and one that is there already gets ``_2``.

    Examples
    --------
    >>> header_names(["depth [m]", "width", "", "depth"], ["", "px", "", ""])
    [('depth', 'm'), ('table_width', 'px'), ('column_3', ''), ('depth_2', '')]
    """
    cells = [*below, *[""] * len(header)][: len(header)]
    typed = {cell for cell in cells if cell} <= _MARKS
    found: dict[str, str] = {}
    for number, (text, cell) in enumerate(zip(header, cells, strict=True), start=1):
        match = _WITH_UNIT.fullmatch(text)
        name, unit = match.groups() if match else (text, "" if typed else cell.strip("[]()- "))
        name = f"table_{name}" if name in RESERVED else name or f"column_{number}"
        first, n = name, 2
        while name in found:
            name, n = f"{first}_{n}", n + 1
        found[name] = unit.strip()
    return list(found.items())


def packed(cells: Sequence[str]) -> np.ndarray:
    """Cells in UTF-8, shape (n,) of bytes: a tenth of what they take as objects."""
    try:
        return np.array(cells, dtype=np.bytes_)
    except UnicodeEncodeError:
        return np.array([cell.encode("utf-8", "surrogatepass") for cell in cells])


def column_of_cells(cells: Iterable[bytes]) -> pd.api.extensions.ExtensionArray:
    """A column of the narrowest type that loses nothing of what its cells say.

    Empty cells are missing. ``Int64`` if all others are whole numbers of 64 bits as one writes
    them (not ``007`` or ``+5``); ``Float64`` if all are numbers with a decimal point (or whole up
    to 2**53, or with an exponent, NaN or Inf) whose digits a float64 keeps; otherwise text.

    Parameters
    ----------
    cells : iterable of bytes
        UTF-8, without spaces around.

    Returns
    -------
    ExtensionArray
        Of dtype ``Int64``, ``Float64`` or ``string``.
    """
    import pandas as pd

    cells = list(cells)
    filled = [cell for cell in cells if cell]
    missing = np.array([not cell for cell in cells], bool)
    if filled and all(map(_WHOLE.fullmatch, filled)):
        numbers = [int(cell or b"0") for cell in cells]
        if min(numbers) > -(2**63) and max(numbers) < 2**63:
            return pd.arrays.IntegerArray(np.array(numbers, np.int64), missing)
    if filled and all(_REAL.fullmatch(cell) and _is_exact(cell) for cell in filled):
        return pd.arrays.FloatingArray(np.array([float(cell or b"0") for cell in cells]), missing)
    texts: dict[bytes, Any] = {b"": pd.NA}  # equal texts are one object
    for cell in filled:
        if cell not in texts:
            texts[cell] = cell.decode("utf-8", "surrogatepass")
    return pd.array(np.array([texts[cell] for cell in cells], object), dtype="string")


def _is_exact(cell: bytes) -> bool:
    """Whether the nearest float64, to as many digits, is what is written."""
    if len(cell) <= _SURE_DIGITS and b"e" not in cell.lower():
        return True
    number = float(cell) if len(cell) <= _MOST_DIGITS else math.inf
    if not math.isfinite(number):
        return len(cell) <= len("-inf") and b"." not in cell and not cell[-1:].isdigit()
    written = Decimal(cell.decode())
    if cell.lstrip(b"-").isdigit() and abs(written) > 2**53:
        return False  # whole numbers never pass through others
    if Decimal(repr(number)) == written:
        return True
    unit = Fraction(10) ** int(written.as_tuple().exponent)
    return abs(Fraction(number) - Fraction(written)) * 2 <= unit


def checked_columns(columns: pd.DataFrame | None, units: Mapping[str, str],
                    n: int) -> pd.DataFrame:
    """The extra columns of a catalog of n images, see `columns_of_frame`; none of None.

    Raises
    ------
    InputError
        If there are more or fewer rows, or units of columns that are not there.
    """
    import pandas as pd

    given = pd.DataFrame(index=range(n)) if columns is None else columns
    if len(given) != n:
        raise InputError(f"columns: expected {n} rows, one per path; got {len(given)}.")
    if odd := sorted(set(units) - set(given.columns)):
        raise InputError(f"units: there is no extra column {odd[0]!r}. Check the spelling.")
    return columns_of_frame(given)


def columns_of_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table of pandas as ``Int64``, ``Float64`` or ``string``.

    Parameters
    ----------
    frame : DataFrame
        Of numbers and text; truth values, dates and times become text, as pandas writes them. NaN
        of NumPy's floats is missing, as everywhere in pandas; in ``Float64`` it is a number.

    Returns
    -------
    DataFrame
        With the same names, and rows counted from 0.

    Raises
    ------
    InputError
        If a name is no text or there twice, or a column is neither.
    """
    import pandas as pd

    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str) or names.count(name) > 1:
            raise InputError(f"columns: expected different names, got {str(name)[:60]!r} "
                             f"{'twice' if isinstance(name, str) else 'which is no text'}.")
        if name in RESERVED:
            raise InputError(f"column {name!r}: is a name that the feature file has for itself. "
                             f"Rename it: df.rename(columns={{{name!r}: 'table_{name}'}}).")
    return pd.DataFrame({name: _typed(name, frame[name]) for name in names},
                        index=range(len(frame)))


def _typed(name: str, values: pd.Series) -> Any:
    import pandas as pd
    from pandas.api import types

    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    kind = values.dtype
    try:
        if types.is_bool_dtype(kind) or types.is_datetime64_any_dtype(kind):
            texts = values.astype(object).map(str, na_action="ignore")
            return pd.array(texts.where(values.notna(), None).to_numpy(object), dtype="string")
        if types.is_integer_dtype(kind):
            return pd.array(values, dtype="Int64")
        if types.is_float_dtype(kind):
            return pd.array(values, dtype="Float64")
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"column {name!r}: {error}.") from error
    odd = [value for value in values if not isinstance(value, str) and not pd.isna(value)]
    if odd:
        raise InputError(f"column {name!r}: expected numbers or text, got {type(odd[0]).__name__} "
                         f"{str(odd[0])[:60]!r}. Make it text: df[{name!r}].astype(str).")
    return pd.array(values.to_numpy(object), dtype="string")


def columns_digest(columns: pd.DataFrame, units: Mapping[str, str]) -> str:
    """First 16 hex digits of a SHA-256 of names, types, units and values; empty without columns."""
    if not columns.shape[1]:
        return ""
    digest = hashlib.sha256()
    for name in columns:
        values = columns[name].array
        missing = np.asarray(values.isna())
        digest.update(f"{name}\0{values.dtype}\0{units.get(name, '')}\0".encode(errors="replace"))
        digest.update(missing.tobytes())
        if values.dtype.name == "string":
            texts = values.to_numpy(object, na_value="")
            digest.update("\0".join(texts).encode("utf-8", "surrogatepass"))
        else:
            kind = "<i8" if values.dtype.name == "Int64" else "<f8"
            digest.update(values.to_numpy(kind, na_value=0).tobytes())
    return digest.hexdigest()[:16]


def text_digest(values: Iterable[str]) -> str:
    """First 16 hex digits of a SHA-256 of texts in their order."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:16]
