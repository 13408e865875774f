"""Extra columns of a feature file: their names, types and units."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote

import h5py
import numpy as np

from plankton_features.errors import InputError
from plankton_features.store.disk import Malformed

#: Types of extra columns, and those of pandas that they are in Python.
KINDS = {"text": "string", "int64": "Int64", "float64": "Float64"}
#: Bytes of a text.
MOST_TEXT = 2**16
MOST_COLUMNS = 4096
MOST_NAME = 255
_NOT_IN_LINKS = re.compile(r"[%/\x00-\x1f\x7f]|\A\.{1,2}\Z")


def link_name(name: str) -> str:
    """What the dataset of a column is called, so that any name can be one.

    Examples
    --------
    >>> link_name("depth"), link_name("CTD/temp 10%")
    ('depth', 'CTD%2Ftemp 10%25')
    """
    return _NOT_IN_LINKS.sub(lambda found: "".join(f"%{ord(c):02X}" for c in found[0]), name)


def linked_names(links: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """Names of columns, in the order of the names of their datasets, to these.

    Parameters
    ----------
    links : collection of str
    taken : collection of str
        Names that an extra column cannot have.

    Raises
    ------
    Malformed
        If there are too many, or one is no name of a column, or two are the same.
    """
    if len(links) > MOST_COLUMNS:
        raise Malformed(f"columns has {len(links):,} columns, expected up to {MOST_COLUMNS:,}")
    found: dict[str, str] = {}
    for link in links:
        try:
            name = unquote(link, errors="strict")
        except UnicodeDecodeError:
            name = link
        if fault := fault_of(name, taken) or ("there twice" if name in found else ""):
            raise Malformed(f"columns/images/{link[:60]!r} is {fault}")
        found[name] = link
    return found


def check_columns(columns: Mapping[str, str], units: Mapping[str, str],
                  taken: Collection[str]) -> None:
    """Refuse names, types and units that extra columns cannot have.

    Parameters
    ----------
    columns : mapping of str to str
        Name to type, see `KINDS`.
    units : mapping of str to str
    taken : collection of str
        Names that an extra column cannot have.

    Raises
    ------
    InputError
    """
    if len(columns) > MOST_COLUMNS:
        raise InputError(f"columns: expected up to {MOST_COLUMNS:,} extra columns, got "
                         f"{len(columns):,}. Leave out what nobody needs.")
    for name, kind in columns.items():
        if fault := fault_of(name, taken):
            raise InputError(f"column {name[:60]!r} is {fault}. Give it another name.")
        if kind not in KINDS:
            raise InputError(f"column {name!r}: expected one of the types {', '.join(KINDS)}, got "
                             f"{kind!r}.")
    for name, unit in units.items():
        if name not in columns:
            raise InputError(f"units: there is no extra column {name!r}. Check the spelling.")
        if not isinstance(unit, str) or (unit and fault_of(unit, ())):
            raise InputError(f"column {name!r}: expected a unit in at most {MOST_NAME} letters, "
                             f"such as 'm'; got {str(unit)[:60]!r}.")


def fault_of(name: str, taken: Collection[str]) -> str:
    """Why a column cannot be called so; empty if it can."""
    if name in taken:
        return "a name that the feature file has for itself"
    if not name or "\0" in name or len(name) > MOST_NAME:
        return f"no name of 1 to {MOST_NAME} letters without zero bytes"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "no text"
    return ""


def kind_of(dtype: np.dtype) -> str:
    """Type of the extra column that a dataset can be; empty if it can be none."""
    if dtype.kind == "S" and dtype.itemsize <= MOST_TEXT:
        return "text"
    if dtype.itemsize > 8:
        return ""
    return {"i": "int64", "u": "int64", "f": "float64"}.get(dtype.kind, "")


def described(columns: Mapping[str, str], units: Mapping[str, str]) -> dict[str, str]:
    """Type and unit of each column in words, to be compared.

    Examples
    --------
    >>> described({"depth": "float64", "ship": "text"}, {"depth": "m"})
    {'depth': 'float64 in m', 'ship': 'text'}
    """
    return {name: f"{kind} in {units[name]}" if units.get(name) else kind
            for name, kind in columns.items()}


def unit_of(dataset: h5py.Dataset, name: str) -> str:
    """The unit of a column, empty if it has none.

    Raises
    ------
    Malformed
        If it is no text.
    """
    unit = dataset.attrs.get("unit", "")
    if isinstance(unit, np.ndarray) and unit.size == 1:  # as R writes single values
        unit = unit.reshape(-1)[0]
    if isinstance(unit, bytes):
        unit = unit.decode("utf-8", "replace")
    if not isinstance(unit, str) or len(unit) > MOST_NAME:
        raise Malformed(f"the unit of column {name!r} is no short text")
    return unit
