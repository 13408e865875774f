"""Result files that are there whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plankton_features.csv_writing import write_csv
from plankton_features.files.replacing import replacing
from plankton_features.results.results import Results

if TYPE_CHECKING:
    import pandas as pd

StrPath = str | os.PathLike[str]

_TEXT = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}


def write_json(results: Results | Mapping[str, Any], path: StrPath) -> None:
    """Write results as JSON that any reader takes.

    Parameters
    ----------
    results : Results or mapping
        Of numbers, text, lists and mappings; NumPy's arrays and numbers are understood. NaN and
        infinity, which JSON does not have, become null.
    path : path-like
        Replaced at once, when all is written.

    Raises
    ------
    StoreError
        If the file cannot be written; what was there before is left as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json({"accuracy": np.float32(0.5), "mcc": np.nan}, Path(folder, "results.json"))
    ...     print(Path(folder, "results.json").read_text())
    {
     "accuracy": 0.5,
     "mcc": null
    }
    <BLANKLINE>
    """
    text = json.dumps(plain(content_of(results)), ensure_ascii=False, allow_nan=False, indent=1)
    write_text(text + "\n", path)


def write_predictions(frame: pd.DataFrame, path: StrPath) -> None:
    """Write predictions as CSV in UTF-8, without the frame's index; numbers have six digits.

    Parameters
    ----------
    frame : DataFrame
    path : path-like
        Replaced at once, when all is written.

    Raises
    ------
    StoreError
        If the file cannot be written; what was there before is left as it was.
    """
    with replacing(Path(path), "w", **_TEXT) as file:
        write_csv(frame, file, float_format="%.6g")


def content_of(results: Results | Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of results.json."""
    return results.to_dict() if isinstance(results, Results) else results


def write_text(text: str, path: StrPath) -> None:
    """Write text in UTF-8; what has no place in it (half a surrogate pair) as ``\\udc80``.

    Raises
    ------
    StoreError
        If the file cannot be written; what was there before is left as it was.
    """
    with replacing(Path(path), "w", **_TEXT) as file:
        file.write(text)


def plain(value: Any) -> Any:
    """The same of Python's own types only, with None for what is not finite.

    Examples
    --------
    >>> plain({"a": np.arange(2), "b": (np.inf, np.bool_(True))})
    {'a': [0, 1], 'b': [None, True]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
