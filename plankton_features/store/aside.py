"""Set an unfinished feature file aside, so that another can be begun with its vectors."""

from __future__ import annotations

from pathlib import Path

from plankton_features.files.locking import WriteLock
from plankton_features.files.targets import followed
from plankton_features.store.disk import named_errors, partial_path
from plankton_features.store.partial import partial_attributes
from plankton_features.store.writer import FeatureStore


def set_aside(path: Path) -> None:
    """Make a file that can be read of an unfinished one, under a name of its own.

    Parameters
    ----------
    path : Path
        The feature file, of which there is an unfinished one.

    Raises
    ------
    StoreError
        If it is being written, or cannot be read.
    """
    partial_attributes(path)  # undoes a change that was cut short
    aside = _name(path, len(files_aside(path)) + 1)
    with WriteLock(path), named_errors(path):
        partial_path(path).replace(partial_path(aside))
    files_aside(path)


def files_aside(path: Path) -> list[Path]:
    """What was set aside of a feature file, finished where a kill came before that.

    Raises
    ------
    StoreError
    """
    found: list[Path] = []
    while (aside := _name(path, len(found) + 1)).exists() or partial_path(aside).exists():
        if partial_path(aside).exists():
            with FeatureStore(aside, None, {}) as store:
                store.finish()
        found.append(aside)
    return found


def forget_aside(path: Path) -> None:
    """Remove what was set aside: all of it is in the feature file now."""
    for aside in reversed(files_aside(path)):  # so that a kill leaves those with low numbers
        aside.unlink()


def _name(path: Path, number: int) -> Path:
    path = followed(path)
    return path.with_name(f"{path.name}.before{number}")
