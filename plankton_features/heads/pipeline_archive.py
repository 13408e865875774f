"""A fitted pipeline as bytes that can be read without running code from them."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from plankton_features.errors import HeadError
from plankton_features.heads.archive_checks import (
    ALLOWED,
    check_pipeline,
    check_types,
    states,
)
from plankton_features.heads.forest_arrays import arrays_to_trees, trees_to_arrays

#: More than this is no head: a forest of 300 trees on 100,000 rows and 121 classes has 6 GB.
MOST_BYTES = 8 * 2**30
_SCHEMA = "schema.json"
_LEVEL = 3  # of deflate; trees shrink 25-fold, and 6 takes twice the time for a tenth less


class Archive(NamedTuple):
    """A packed pipeline.

    Attributes
    ----------
    data : bytes
        Skops' file, without what changes from run to run (addresses in memory, times).
    digest : str
        SHA-256 of its content, 64 hexadecimal digits: the same whatever compressed it.
    """

    data: bytes
    digest: str


def pack_pipeline(pipeline: Pipeline) -> Archive:
    """Make the same bytes of the same pipeline, always.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, of the types in `ALLOWED`.

    Returns
    -------
    Archive

    Raises
    ------
    HeadError
        If it holds something of another type, or is too large.
    """
    try:
        raw = skops.io.dumps(_plain(pipeline), compression=ZIP_DEFLATED, compresslevel=1)
    except Exception as error:
        raise HeadError(f"this pipeline cannot be stored ({error}). Use the classifiers of "
                        "fit-head.") from error
    with ZipFile(io.BytesIO(raw)) as source:
        _refuse_large(source)
        schema = json.loads(source.read(_SCHEMA))
        check_types(schema)
        return _rewritten(source, schema)


def unpack_pipeline(archive: Archive) -> Pipeline:
    """Read what `pack_pipeline` made.

    Parameters
    ----------
    archive : Archive
        With the digest that its content shall have.

    Returns
    -------
    Pipeline

    Raises
    ------
    HeadError
        If the content is another, holds types that are not in `ALLOWED`, or more than
        `MOST_BYTES`.
    Exception
        Of any kind, if it is damaged.
    """
    with ZipFile(io.BytesIO(archive.data)) as source:
        _refuse_large(source)
        schema = json.loads(source.read(_SCHEMA))
        check_types(schema)
        names = [_SCHEMA, *(f"{i}.npy" for i in range(len(source.namelist()) - 1))]
        if _digest(_sha256(source.read(name)) for name in names) != archive.digest:
            raise HeadError("the classifier is not what was written: its SHA-256 differs")
    with warnings.catch_warnings():  # Head.version_note says it
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        pipeline = skops.io.loads(archive.data, trusted=sorted(set().union(*ALLOWED.values())))
        check_pipeline(pipeline)
        _complete(pipeline)
    return pipeline


def write_entry(archive: ZipFile, name: str, content: bytes, level: int | None = _LEVEL) -> None:
    """Add to a zip file, without the time of day."""
    entry = ZipInfo(name)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # or the operating system would be in it
    entry.compress_type = ZIP_DEFLATED if level else 0
    archive.writestr(entry, content, compresslevel=level)


def _rewritten(source: ZipFile, schema: dict[str, Any]) -> Archive:
    """Skops' file with arrays named by their order, each content once."""
    digests: dict[str, str] = {}
    names: dict[str, str] = {}
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as target:
        for state in states(schema):
            state.pop("__id__", None)
            if (file := state.get("file")) is None:
                continue
            if file not in names:
                content = source.read(file)
                digest = _sha256(content)
                if digest not in digests:
                    digests[digest] = f"{len(digests)}.npy"
                    write_entry(target, digests[digest], content)
                names[file] = digests[digest]
            state["file"] = names[file]
        text = json.dumps(schema, separators=(",", ":")).encode()
        write_entry(target, _SCHEMA, text)
    return Archive(buffer.getvalue(), _digest([_sha256(text), *digests]))


def _plain(pipeline: Pipeline) -> Pipeline:
    """The pipeline without trees, which are compiled code's own memory; see `_complete`."""
    *before, (name, last) = pipeline.steps
    last = copy.copy(last)
    if hasattr(last, "_tree"):
        last._tree = None  # made anew of the neighbours
    if hasattr(last, "estimators_"):
        last._tree_arrays = trees_to_arrays(last)
        last.estimators_ = [copy.copy(last.estimators_[0])]
        del last.estimators_[0].tree_
    return Pipeline([*before, (name, last)])


def _complete(pipeline: Pipeline) -> None:
    """Undo `_plain`."""
    last = pipeline.steps[-1][1]
    if getattr(last, "_fit_method", None) in ("kd_tree", "ball_tree"):
        last.fit(last._fit_X, last.classes_[last._y])
    if hasattr(last, "_tree_arrays"):
        arrays_to_trees(last, vars(last).pop("_tree_arrays"))


def _refuse_large(source: ZipFile) -> None:
    size = sum(entry.file_size for entry in source.infolist())
    if size > MOST_BYTES:
        raise HeadError(f"the classifier takes {size / 2**30:,.1f} GB, at most "
                        f"{MOST_BYTES / 2**30:,.0f} GB can be stored. Use fewer or smaller trees.")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return _sha256("\n".join(parts).encode())
