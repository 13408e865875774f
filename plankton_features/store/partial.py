"""Create and open the unfinished feature file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import h5py
import numpy as np

from plankton_features.errors import StoreError, check_same, one_line
from plankton_features.files.locking import WriteLock
from plankton_features.store.attributes import check_attributes, plain_attributes
from plankton_features.store.checking import extra_columns
from plankton_features.store.columns import described, kind_of, unit_of
from plankton_features.store.contents import Contents, read_contents
from plankton_features.store.disk import (
    Malformed,
    broken_off,
    named_errors,
    partial_path,
    refuse_unread,
    undo_path,
)
from plankton_features.store.schema import (
    EXTRA,
    FORMAT,
    VERSION,
    Plan,
    all_datasets,
    create_datasets,
)
from plankton_features.store.undo import Undo


def partial_attributes(path: Path) -> dict[str, Any] | None:
    """Root attributes of the unfinished feature file of that name.

    Parameters
    ----------
    path : Path
        The finished file's name.

    Returns
    -------
    dict of str to object, or None
        As of a finished file, see `FeatureFile`; None if there is no such file.

    Raises
    ------
    StoreError
        If another process is writing it, or it cannot be continued.
    """
    if not partial_path(path).exists():
        return None
    with WriteLock(path):
        _undo_change(path)
        with _open_whole(partial_path(path), "r") as file:
            return _checked_attributes(file, partial_path(path))


def partial_contents(path: Path) -> Contents:
    """Which content the images had that the unfinished file of that name has dealt with.

    Raises
    ------
    StoreError
        See `partial_attributes`.
    """
    with WriteLock(path):
        _undo_change(path)
        with _open_whole(partial_path(path), "r") as file:
            return read_contents(file, int(file.attrs["n_valid"]))


def create_partial(path: Path, plan: Plan, attributes: Mapping[str, object]) -> h5py.File:
    """Begin an unfinished file, in place of any that is there; a kill leaves it whole or absent.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    partial = partial_path(path)
    fresh = partial.with_name(partial.name + ".new")
    with named_errors(partial):
        fresh.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
        Undo(undo_path(path), partial).forget()
        try:
            _write_new(fresh, plan, attributes)
            fresh.replace(partial)
        finally:
            fresh.unlink(missing_ok=True)
        return h5py.File(partial, "r+", locking=False)


def resume_partial(path: Path, header: Mapping[str, object], plan: Plan | None) -> h5py.File:
    """Open the unfinished file, after a change that was cut short has been undone.

    Parameters
    ----------
    path : Path
        The finished file's name.
    header : mapping of str to object
    plan : Plan or None
        With the extra columns that it should have; None for any.

    Raises
    ------
    StoreError
        If it is damaged, or something else.
    MismatchError
        If its attributes differ from `header`, or its extra columns from those of `plan`.
    """
    partial = partial_path(path)
    _undo_change(path)
    file = _open_whole(partial, "r+")
    try:
        found, asked = dict(file.attrs), dict(header)
        if plan is not None:
            there, wanted = _columns_of(file), described(plan.columns, plan.units)
            for name in {**there, **wanted}:
                found[f"column {name}"] = there.get(name, "none")
                asked[f"column {name}"] = wanted.get(name, "none")
        check_same(found, asked, f"{partial}: was begun differently",
                   "Use the same images and options as before, another file name, or "
                   "--overwrite.")
    except BaseException:
        file.close()
        raise
    return file


def _write_new(path: Path, plan: Plan, attributes: Mapping[str, object]) -> None:
    with h5py.File(path, "x", locking=False) as file, broken_off(file):
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = VERSION
        file.attrs["n_valid"] = np.int64(0)
        file.attrs["complete"] = False
        for name, value in attributes.items():
            file.attrs[name] = value
        datasets = create_datasets(file, plan)
        file.flush()
        del datasets  # see FeatureStore._datasets


def _columns_of(file: h5py.File) -> dict[str, str]:
    """Types and units of the extra columns, in words."""
    found = {name: file[f"{EXTRA}/images/{link}"] for name, link in extra_columns(file).items()}
    return described({name: kind_of(dataset.dtype) for name, dataset in found.items()},
                     {name: unit_of(dataset, name) for name, dataset in found.items()})


def _checked_attributes(file: h5py.File, partial: Path) -> dict[str, Any]:
    try:
        found = dict(plain_attributes(file))
        width = file["features"].shape[1]
        given = {"feature_blocks": f'[["", {width}]]', **found}  # they may come with the end
        check_attributes(given, int(file.attrs["n_valid"]), width)
    except Malformed as error:
        raise _not_ours(partial, str(error)) from error
    return {name: value for name, value in given.items()
            if name in found or name != "feature_blocks"}


def _undo_change(path: Path) -> None:
    partial = partial_path(path)
    try:
        with named_errors(partial):
            Undo(undo_path(path), partial).put_back()
    except (ValueError, KeyError, EOFError, BadZipFile) as error:
        raise _not_ours(partial, one_line(error)) from error


def _open_whole(partial: Path, mode: str) -> h5py.File:
    """Open an unfinished file and see that all of it is there."""
    if partial.is_symlink():
        raise StoreError(f"{partial}: a link, expected the unfinished file itself. Move it "
                         "elsewhere, or choose another name.")
    try:
        file = h5py.File(partial, mode, locking=False)
        try:
            _check_whole(file)
        except BaseException:
            file.close()
            raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        refuse_unread(partial, error)
        raise _not_ours(partial, one_line(error)) from error
    return file


def _check_whole(file: h5py.File) -> None:
    if file.attrs["format"] != FORMAT or file.attrs["format_version"] > VERSION:
        raise ValueError("it is HDF5 of another kind, or of a newer format")
    datasets = all_datasets(file)
    room = [len(dataset) for name, dataset in datasets.items()
            if name == "features" or name.startswith(("images/", f"{EXTRA}/images/"))]
    if not 0 <= file.attrs["n_valid"] <= min(room):
        raise ValueError("it counts more rows than it has")
    for name in datasets.keys() - {"features"}:
        datasets[name][-1:]
    _columns_of(file)


def _not_ours(partial: Path, why: str) -> StoreError:
    return StoreError(f"{partial}: damaged, or not a feature file: it cannot be continued ({why}). "
                      "Move it elsewhere to begin anew, or choose another name.")
