"""What the archive of a pipeline may consist of, looked at before anything is made of it."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from plankton_features.errors import HeadError

#: How skops makes an object -> the types that may be made so. Skops alone would make any of
#: scikit-learn's estimators and call any of NumPy's functions.
ALLOWED: dict[str, set[str]] = {
    "ObjectNode": {
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.decomposition._pca.PCA",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.neighbors._classification.KNeighborsClassifier",
        "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
        "sklearn.preprocessing._label.LabelBinarizer",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.tree._classes.DecisionTreeClassifier",
    },
    "DictNode": {"builtins.dict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "JsonNode": {"builtins.str"},
    "TypeNode": {"builtins.str", "builtins.int", "numpy.int64"},
    "NdArrayNode": {"numpy.ndarray", "numpy.float32", "numpy.float64", "numpy.int32",
                    "numpy.int64", "numpy.bool", "numpy.bool_"},
}
#: What else stands in the description of an object, besides its type.
_KEYS = {"ObjectNode": {"content"}, "DictNode": {"content", "key_types"}, "ListNode": {"content"},
         "TupleNode": {"content"}, "JsonNode": {"content", "is_json"}, "TypeNode": set(),
         "NdArrayNode": {"type", "file"}}
_TYPE = {"__class__", "__module__", "__loader__"}
_ROOT = {"protocol", "_skops_version"}
SCHEMA = "schema.json"
#: Most bytes of the schema, and further ones for each class (weights of classes stand in it).
_MOST_SCHEMA, _MOST_SCHEMA_PER_CLASS = 2**20, 2**10
_MOST_NESTING = 40
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def states(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object that a skops schema describes, outer ones first."""
    if isinstance(schema, dict):
        if "__loader__" in schema:
            yield schema
        for value in list(schema.values()):
            yield from states(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from states(value)


def check_types(schema: Any) -> None:
    """Refuse types that are not in `ALLOWED`, before anything is made of them.

    Parameters
    ----------
    schema : dict
        Skops' description of the object.

    Raises
    ------
    HeadError
        Which names them.
    """
    found = {(s["__loader__"], f"{s['__module__']}.{s['__class__']}") for s in states(schema)}
    if other := sorted(f"{name} ({how})" for how, name in found
                       if name not in ALLOWED.get(how, ())):
        raise HeadError(f"holds {', '.join(other[:5])}; a head is made of scaler, PCA and one of "
                        "fit-head's classifiers, and of nothing else.")


def read_schema(source: ZipFile, n_classes: int) -> Any:
    """Skops' description of a pipeline, of allowed types and in the one form that they have.

    Parameters
    ----------
    source : ZipFile
        Skops' file.
    n_classes : int
        K, which bounds its size.

    Returns
    -------
    dict

    Raises
    ------
    HeadError
        If it is too large, in another form, or names other types.
    """
    most = _MOST_SCHEMA + _MOST_SCHEMA_PER_CLASS * n_classes
    schema = json.loads(read_member(source, SCHEMA, most))
    check_types(schema)
    _check_form(schema, _MOST_NESTING, _ROOT)
    return schema


def read_member(archive: ZipFile, name: str, most: int) -> bytes:
    """A file of a zip file, refused if it says that it takes more than `most` bytes.

    Raises
    ------
    HeadError
        If it is too large, or packed in a way that heads are not.
    """
    return archive.read(checked_entry(archive, name, most))


def checked_entry(archive: ZipFile, name: str, most: int) -> ZipInfo:
    """What a zip file says of one of its files; see `read_member`."""
    entry = archive.getinfo(name)
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or entry.flag_bits & 1:
        raise HeadError(f"{name} is packed in a way that heads are not")
    if entry.file_size > most:
        raise HeadError(f"{name} takes {entry.file_size:,} bytes, expected at most {most:,}")
    return entry


def arrays_size(source: ZipFile, schema: Any) -> int:
    """Bytes of all arrays that a schema names, those named several times counted so often.

    Parameters
    ----------
    source : ZipFile
        Skops' file.
    schema : dict
        From `read_schema`.

    Returns
    -------
    int

    Raises
    ------
    HeadError
        If an array is missing, of another kind than plain numbers in one or two dimensions, or
        its header does not fit its length; or if there are other files.
    """
    named = [state["file"] for state in states(schema) if "file" in state]
    expected = [SCHEMA, *(f"{i}.npy" for i in range(len(set(named))))]
    if sorted(source.namelist()) != sorted(expected) or set(named) != set(expected[1:]):
        raise HeadError("the classifier's arrays are not those that its schema names")
    sizes = {name: _array_size(source, name) for name in set(named)}
    return sum(sizes[name] for name in named)


def _array_size(source: ZipFile, name: str) -> int:
    entry = checked_entry(source, name, 2**62)
    with source.open(entry) as file:
        try:
            shape, _, dtype = _HEADERS[npy.read_magic(file)](file)
            start = file.tell()
        except (KeyError, ValueError, EOFError, BadZipFile) as error:
            raise HeadError(f"{name} is no array") from error
    plain = dtype.kind in "iufb" and dtype.isnative and dtype.itemsize <= 8 and len(shape) <= 2
    if not plain or min(shape, default=0) < 0:
        raise HeadError(f"{name} holds {np.dtype(dtype).str} of shape {shape}, expected numbers in "
                        "one or two dimensions")
    if start + math.prod(shape) * dtype.itemsize != entry.file_size:
        raise HeadError(f"{name} takes {entry.file_size:,} bytes, which is not what its shape "
                        f"{shape} needs")
    return entry.file_size


def _check_form(state: Any, nesting: int, further: Collection[str] = ()) -> None:
    """Each object says what it is, and holds what one of its kind does."""
    _need(nesting > 0 and isinstance(state, dict) and state.get("__loader__") in _KEYS)
    how, content = state["__loader__"], state.get("content")
    _need(state.keys() - set(further) == _TYPE | _KEYS[how])
    if how == "NdArrayNode":
        _need(state["type"] == "numpy" and isinstance(state["file"], str))
    elif how == "JsonNode":
        _need(state["is_json"] is True and isinstance(content, str)
              and not content.lstrip().startswith(("[", "{")))
    elif how != "TypeNode":
        for part in _parts(state):
            _check_form(part, nesting - 1)


def _parts(state: dict[str, Any]) -> list[Any]:
    """The objects within an object."""
    how, content = state["__loader__"], state["content"]
    if how in ("ListNode", "TupleNode"):
        _need(isinstance(content, list))
        return list(content)
    _need(isinstance(content, dict))
    if how == "ObjectNode":  # its attributes, whose names are text
        _need(content.get("__loader__") == "DictNode"
              and all(kind == "str" for kind in _kinds_of_keys(content)))
        return [content]
    _need(len(_kinds_of_keys(state)) == len(content))
    return [state["key_types"], *content.values()]


def _kinds_of_keys(state: dict[str, Any]) -> list[Any]:
    kinds = state.get("key_types")
    _need(isinstance(kinds, dict) and kinds.get("__loader__") == "ListNode")
    kinds = kinds.get("content")  # type: ignore[union-attr]
    _need(isinstance(kinds, list) and all(
        isinstance(kind, dict) and kind.get("__loader__") == "TypeNode" for kind in kinds))
    return [kind.get("__class__") for kind in kinds]


def _need(fits: bool) -> None:
    if not fits:
        raise HeadError("the classifier's schema is not of the form that skops writes")
