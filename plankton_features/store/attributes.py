"""The root attributes of a feature file, checked when it is opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from plankton_features.errors import one_line
from plankton_features.store.disk import Malformed, Unusable
from plankton_features.store.schema import FORMAT, VERSION

#: Text that every reader may rely on: empty where a file of another program has none.
_TEXTS = ("weights_source", "engine", "precision")
_OTHER_TEXTS = ("device", "images", "versions", "merged_from", "precision_drift", "catalog_id",
                "catalog_path", "catalog_label", "catalog_group", "catalog_columns", "catalog_size",
                "catalog_n", "catalog_stamp")
_NUMBERS = ("batch", "n_found")
#: Names of root attributes or groups that only these files have.
_SIGNS = (
    ({"_NCProperties"}, "a netCDF file"),
    ({"keras_version", "model_weights", "_layer_checkpoint_dependencies"}, "a Keras network"),
    ({"PYTABLES_FORMAT_VERSION"}, "a table of pandas or PyTables"),
    ({"#refs#", "#subsystem#"}, "a MATLAB file"),
)


def read_attributes(file: h5py.File) -> dict[str, Any]:
    """Root attributes of a finished feature file; text as `str`, numbers as Python's.

    Parameters
    ----------
    file : h5py.File

    Returns
    -------
    dict of str to object

    Raises
    ------
    Unusable
        If it is another kind of file, not finished, or of a newer format.
    Malformed
        If one cannot be read.
    """
    attributes = dict(plain_attributes(file))
    _check_kind(file, attributes)
    return attributes


def check_attributes(attributes: dict[str, Any], n: int, width: int) -> None:
    """Check attributes against the rows and values of the vectors; empty text is added.

    Parameters
    ----------
    attributes : dict of str to object
        Of `read_attributes`.
    n, width : int

    Raises
    ------
    Malformed
    """
    for name in _TEXTS:
        attributes.setdefault(name, "")
    for name in (*_TEXTS, *_OTHER_TEXTS):
        _need(isinstance(attributes.get(name, ""), str),
              f"attribute {name} is {_told(attributes.get(name))}, expected text")
    for name in _NUMBERS:
        if name in attributes:
            attributes[name] = _whole(name, attributes[name])
    _check_count(attributes, n)
    _check_recipe(attributes)
    _check_blocks(attributes, width)


def expand_names(blocks: Sequence[tuple[str, int]]) -> list[str]:
    """Names of single values, from the names and lengths of the parts of a vector.

    Examples
    --------
    >>> expand_names([("mixed10_avg", 2), ("log_width", 1)])
    ['mixed10_avg_0', 'mixed10_avg_1', 'log_width']
    """
    return [name if n == 1 else f"{name}_{i}" for name, n in blocks for i in range(n)]


def whose(names: Collection[str]) -> str:
    """What an HDF5 file is that is no feature file.

    Parameters
    ----------
    names : collection of str
        Of its root attributes, and of what lies in its root.

    Returns
    -------
    str
        Such as ``a netCDF file``; empty if that cannot be told.

    Examples
    --------
    >>> whose({"_NCProperties", "temperature"}), whose({"x"})
    ('a netCDF file', '')
    """
    there = set(names)
    return next((kind for signs, kind in _SIGNS if signs & there), "")


def plain_attributes(file: h5py.File) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the root attributes; text as `str`, numbers as Python's.

    Raises
    ------
    Malformed
        If one cannot be read.
    """
    for name in file.attrs:
        try:
            value = file.attrs[name]
        except Exception as error:
            raise Malformed(f"attribute {name} cannot be read ({one_line(error)})") from error
        if isinstance(value, np.ndarray) and value.size == 1:  # as R writes single values
            value = value.reshape(-1)[0]
        if isinstance(value, bytes):
            try:
                value = value.decode()
            except UnicodeDecodeError:
                raise Malformed(f"attribute {name} is no UTF-8 text") from None
        yield name, value.item() if isinstance(value, np.generic) else value


def _check_kind(file: h5py.File, attributes: Mapping[str, Any]) -> None:
    found = attributes.get("format")
    if not isinstance(found, str) or found != FORMAT:
        if kind := whose({*attributes, *file}):
            raise Unusable(f"is {kind} (HDF5), not a feature file. extract-features makes one of "
                           "images: extract-features imgs/ out.h5")
        raise Unusable(f"HDF5, but not a feature file (attribute format is {_told(found)}, "
                       f"expected {FORMAT!r}).")
    number = attributes.get("format_version")
    if not isinstance(number, int) or number < 1:
        raise Malformed(f"attribute format_version is {_told(number)}, expected a whole number "
                        "from 1")
    if number > VERSION:
        raise Unusable(f"format {number}, this version of the package reads up to {VERSION}. "
                       "Update plankton_features.")
    complete = attributes.get("complete", False)
    _need(isinstance(complete, bool | int | float),
          f"attribute complete is {_told(complete)}, expected true")
    if not complete:
        raise Unusable("not finished. Run the command that began it again.")


def _check_count(attributes: Mapping[str, Any], n: int) -> None:
    said = attributes.get("n_valid", n)
    _need(_whole("n_valid", said) == n,
          f"attribute n_valid is {said}, but features has {n} rows")


def _check_recipe(attributes: Mapping[str, Any]) -> None:
    text = attributes.get("recipe")
    if not isinstance(text, str) or not isinstance(_json(text), dict):
        raise Malformed("attribute recipe is no JSON object")
    expected = hashlib.sha256(text.encode()).hexdigest()[:12]
    found = attributes.get("recipe_id", expected)
    _need(isinstance(found, str) and found == expected,
          f"attribute recipe_id is {_told(found)}, but the recipe's is {expected!r}")


def _check_blocks(attributes: Mapping[str, Any], width: int) -> None:
    blocks = _json(attributes.get("feature_blocks"))
    good = isinstance(blocks, list) and len(blocks) <= width and all(
        isinstance(block, list) and len(block) == 2 and isinstance(block[0], str)
        and type(block[1]) is int and 0 < block[1] <= width for block in blocks)
    _need(good, "attribute feature_blocks is no JSON list of names and lengths")
    total = sum(length for _, length in blocks)
    _need(total == width, f"the lengths of attribute feature_blocks sum to {total}, but features "
                          f"has {width} values")


def _whole(name: str, number: Any) -> int:
    """A whole number, also as R writes it: with a decimal point."""
    _need(isinstance(number, int | float) and number >= 0 and number % 1 == 0,
          f"attribute {name} is {_told(number)}, expected a whole number from 0")
    return int(number)


def _json(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _told(value: object) -> str:
    return "an array" if isinstance(value, np.ndarray) else repr(value)[:60]


def _need(good: Any, what: str) -> None:
    if not good:
        raise Malformed(what)
