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
from plankton_features.heads.file.archive_checks import (
    ALLOWED,
    SCHEMA,
    arrays_size,
    check_types,
    read_schema,
    states,
)
from plankton_features.heads.file.fitted_checks import check_pipeline
from plankton_features.heads.file.forest_arrays import arrays_to_trees, dense_size, trees_to_arrays
from plankton_features.machine import available_memory

#: More than this is no head: a forest of 300 trees on 100,000 rows and 121 classes has 6 GB.
MOST_BYTES = 8 * 2**30
#: What a small file may unpack to, and a larger one for each of its bytes. Arrays of forests
#: shrink five-fold; and a node, which takes a number for each class in memory, to 11 bytes.
_FREE, _ARRAYS_PER_BYTE, _BYTES_PER_NODE = 2**26, 32, 2
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
        _refuse_large(sum(entry.file_size for entry in source.infolist()))
        schema = json.loads(source.read(SCHEMA))
        check_types(schema)
        return _rewritten(source, schema)


def unpack_pipeline(archive: Archive, n_features: int, n_classes: int) -> Pipeline:
    """Read what `pack_pipeline` made.

    Parameters
    ----------
    archive : Archive
        With the digest that its content shall have.
    n_features, n_classes : int
        Values in a vector, and K, to which everything in it must fit.

    Returns
    -------
    Pipeline

    Raises
    ------
    HeadError
        If the content is another, holds types that are not in `ALLOWED`, numbers that do not fit
        each other, or more than a file of its size can have or than memory is there.
    Exception
        Of any kind, if it is damaged.

    Notes
    -----
    Sizes are added up from what the archive says of itself, each array as often as it is named,
    before any is read. A file of b bytes may unpack to arrays of 64 MiB + 32 b, and of trees, of
    which each node takes 8 bytes for each class, to 64 MiB + 4 K b; never to more than
    `MOST_BYTES`.
    """
    size = len(archive.data)
    with ZipFile(io.BytesIO(archive.data)) as source:
        schema = read_schema(source, n_classes)
        _refuse_large(arrays_size(source, schema), _ARRAYS_PER_BYTE * size, copies=2)
        names = [SCHEMA, *(f"{i}.npy" for i in range(len(source.namelist()) - 1))]
        if _digest(_sha256(source.read(name)) for name in names) != archive.digest:
            raise HeadError("the classifier is not what was written: its SHA-256 differs")
    with warnings.catch_warnings():  # Head.version_note says it
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        pipeline = skops.io.loads(archive.data, trusted=sorted(set().union(*ALLOWED.values())))
        check_pipeline(pipeline, n_features, n_classes)
        _complete(pipeline, size)
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
        write_entry(target, SCHEMA, text)
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


def _complete(pipeline: Pipeline, size: int) -> None:
    """Undo `_plain`, for a checked pipeline of an archive of `size` bytes."""
    last = pipeline.steps[-1][1]
    if getattr(last, "_fit_method", None) in ("kd_tree", "ball_tree"):
        last.fit(last._fit_X, last.classes_[last._y])
    if hasattr(last, "_tree_arrays"):
        arrays = vars(last).pop("_tree_arrays")
        _refuse_large(dense_size(last, arrays), 8 * last.n_classes_ * size // _BYTES_PER_NODE)
        arrays_to_trees(last, arrays)


def _refuse_large(need: int, most: int = MOST_BYTES, copies: int = 1) -> None:
    """Refuse what needs more bytes than can be, or than are there."""
    most = min(_FREE + most, MOST_BYTES)
    if need > most:
        raise HeadError(f"the classifier takes {need / 2**30:,.2f} GB, of a file of this size at "
                        f"most {most / 2**30:,.2f} GB can be stored. Use fewer or smaller trees.")
    free = available_memory()
    if free is not None and copies * need > free:
        raise HeadError(f"the classifier takes {copies * need / 2**30:,.2f} GB of memory, "
                        f"{free / 2**30:,.2f} GB are free. Load it on a larger machine.")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return _sha256("\n".join(parts).encode())
