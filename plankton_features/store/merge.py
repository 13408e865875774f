"""Merge feature files of the same recipe."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from plankton_features.errors import InputError, StoreError, check_same
from plankton_features.files.targets import check_target
from plankton_features.store.column_merging import merged_columns
from plankton_features.store.column_values import longest
from plankton_features.store.columns import KINDS
from plankton_features.store.disk import partial_path
from plankton_features.store.partial import partial_attributes
from plankton_features.store.reader import FeatureFile, read_features
from plankton_features.store.schema import TABLES, Plan, encoded_length
from plankton_features.store.writer import Block, FeatureStore

_TEXT = ("path", "label", "group", "id")


def merge_files(sources: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str], *,
                prefix: bool = False, overwrite: bool = False) -> FeatureFile:
    """Put the rows of several feature files in one.

    A picture that is in several files keeps its first row; its other paths become duplicates.

    Parameters
    ----------
    sources : sequence of path-like
        At least two files of the same recipe.
    output : path-like
    prefix : bool, default=False
        Put the name of its file (without ending) before each path, for files whose paths clash.
    overwrite : bool, default=False
        Replace `output`.

    Returns
    -------
    FeatureFile
        The merged file.

    Raises
    ------
    MismatchError
        If the recipes differ, or extra columns of one name in type or unit; the message shows
        them. Whole numbers and others become numbers where nothing is lost, and a column without
        any value takes the type of the others.
    InputError
        If there are fewer than two files, `output` is one of them or exists already (finished
        or not), or paths clash.
    StoreError
        If a file cannot be read, or `output` cannot be written.
    """
    output = Path(output)
    check_target(output)
    files = [read_features(source) for source in sources]
    _check_files(files, output, overwrite)
    columns, units = merged_columns(files)
    tables = {t: _stacked(files, t, prefix, columns)
              for t in ("images", "failures", "duplicates")}
    _check_paths(tables.values(), prefix)
    first = tables["images"].groupby("sha256", sort=False)["row"].transform("first")
    kept = tables["images"][first == tables["images"]["row"]].assign(
        position=lambda t: np.arange(len(t)))
    new_row = pd.Series(np.arange(len(kept)), index=kept["row"])
    duplicates = _duplicates(tables, first, new_row)
    _write(files, output, kept, tables["failures"], duplicates, columns, units)
    return read_features(output)


def _stacked(files: list[FeatureFile], table: str, prefix: bool,
             columns: dict[str, str]) -> pd.DataFrame:
    """One table of all files; ``row`` counts through the vectors of all files."""
    offsets = np.cumsum([0, *(len(f) for f in files)])
    parts = []
    for number, (file, offset) in enumerate(zip(files, offsets[:-1], strict=True)):
        names = [name for name in columns if name in file.extra_columns]
        own = file.table(table, *TABLES[table])
        extra = file.table(table, *names).astype({name: KINDS[columns[name]] for name in names})
        part = pd.concat([own, extra.reindex(columns=list(columns))], axis=1)
        part = part.astype({name: KINDS[kind] for name, kind in columns.items()
                            if name not in names}).assign(file=number)
        part["row"] = (part["row"] if table == "duplicates" else np.arange(len(part))) + offset
        if prefix:
            part["path"] = f"{file.path.stem}/" + part["path"]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _duplicates(tables: dict[str, pd.DataFrame], first: pd.Series,
                new_row: pd.Series) -> pd.DataFrame:
    images = tables["images"]
    again = images[first != images["row"]].copy()
    again["row"] = first.loc[again.index].to_numpy()
    old = tables["duplicates"].assign(row=lambda t: first.loc[t["row"]].to_numpy())
    together = pd.concat([old, again])[old.columns]
    return together.assign(row=new_row.loc[together["row"]].to_numpy())


def _write(files: list[FeatureFile], output: Path, kept: pd.DataFrame, failures: pd.DataFrame,
           duplicates: pd.DataFrame, columns: dict[str, str], units: dict[str, str]) -> None:
    after = len(kept)
    failures = failures.assign(position=after)
    duplicates = duplicates.assign(position=after)
    tables = (kept, failures, duplicates)
    widths = {c: max((encoded_length(v) for t in tables if c in t for v in t[c].unique()),
                     default=1) for c in _TEXT}
    widths |= {name: max(longest(name, table[name]) for table in tables)
               for name, kind in columns.items() if kind == "text"}
    plan = Plan(after, files[0].shape[1], text_bytes=widths, columns=columns, units=units)
    attributes = files[0].attributes
    header = {"recipe": attributes["recipe"],
              "merged_from": json.dumps([f.path.name for f in files])}
    for name in ("engine", "precision"):
        header[name] = "+".join(sorted({str(f.attributes[name]) for f in files}))
    notes = {"recipe_id": files[0].recipe_id, "feature_blocks": attributes["feature_blocks"],
             "weights_source": attributes["weights_source"]}
    with FeatureStore(output, plan, header, notes=notes, overwrite=True) as store:
        _copy_rows(files, kept, store, plan.block_rows)
        store.append(Block(np.empty((0, plan.n_values), np.float32), {},
                           dict(failures.items()), dict(duplicates.items())))
        n_found = after + len(failures) + len(duplicates)
        store.finish({"n_found": n_found})


def _copy_rows(files: list[FeatureFile], kept: pd.DataFrame, store: FeatureStore,
               rows: int) -> None:
    wanted = kept["row"].to_numpy()
    start = 0
    for file in files:
        for block in file.iter_blocks(rows):
            low, high = np.searchsorted(wanted, [start, start + len(block)])
            if high > low:
                store.append(Block(block[wanted[low:high] - start],
                                   dict(kept.iloc[low:high].items())))
            start += len(block)


def _check_files(files: list[FeatureFile], output: Path, overwrite: bool) -> None:
    if len(files) < 2:
        raise InputError("merge: expected two feature files or more, got "
                         f"{len(files)}.")
    if any(output.exists() and output.samefile(f.path) for f in files):
        raise InputError(f"{output}: is one of the files to merge. Choose another name.")
    there = output if output.exists() else _begun_by_others(output)
    if there is not None and not overwrite:
        raise InputError(f"{there}: exists already. Choose another name, or add --overwrite.")
    for file in files[1:]:
        check_same(files[0].recipe, file.recipe,
                   f"{file.path}: made with another recipe than {files[0].path}",
                   "Vectors of different recipes do not compare: extract one of them again.",
                   whole=True)


def _begun_by_others(output: Path) -> Path | None:
    """An unfinished file of that name that is not what a merge left that was broken off."""
    partial = partial_path(output)
    if not partial.exists():
        return None
    try:
        return None if "merged_from" in (partial_attributes(output) or {}) else partial
    except StoreError:  # whatever it is, it is not ours
        return partial


def _check_paths(tables: Iterable[pd.DataFrame], prefix: bool) -> None:
    """Refuse paths that are in several files; a table may list one twice."""
    pairs = pd.concat([table[["path", "file"]] for table in tables]).drop_duplicates()
    clashes = [path for path, n in Counter(pairs["path"]).items() if n > 1]
    if clashes:
        way_out = ("Rename one of the files." if prefix else
                   "Add --prefix to put the name of its file before each path.")
        raise InputError(f"merge: {len(clashes)} paths are in more than one file, the first is "
                         f"'{clashes[0]}'. {way_out}")
