"""Open a feature file, and say in words why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from plankton_features.errors import StoreError, one_line
from plankton_features.files.kinds import kind_of
from plankton_features.store.attributes import Malformed, Unusable
from plankton_features.store.disk import open_to_read, partial_path, refuse_unread


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """A finished feature file; what goes wrong with it within is told in words.

    Raises
    ------
    StoreError
        If it is missing, damaged, malformed or no feature file; it begins with the path.
    """
    if not path.exists():
        partial = partial_path(path)
        hint = (f"; {partial.name} is there: run the command that began it again to finish it"
                if partial.exists() else "")
        raise StoreError(f"{path}: no such feature file{hint}.")
    if not path.is_file():  # a pipe would be waited for
        raise _other_kind(path)
    try:
        with open_to_read(path) as file:
            yield file
    except StoreError:
        raise
    except Unusable as error:
        raise StoreError(f"{path}: {error}") from error
    except Malformed as error:
        raise StoreError(f"{path}: damaged or not a sound feature file: {error}. Copy it again "
                         "from where it came from; if another program wrote it, see the page on "
                         "file formats.") from error
    # What h5py makes of damage.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        refuse_unread(path, error)
        if kind_of(path) not in ("", "an HDF5 file"):
            raise _other_kind(path) from error
        raise StoreError(f"{path}: cannot be opened, it is damaged or not a feature file "
                         f"({one_line(error)}). Copy it again from where it came from, or choose "
                         "another name.") from error


def _other_kind(path: Path) -> StoreError:
    return StoreError(f"{path}: is {kind_of(path)}, not a feature file. extract-features "
                      "makes one of images: extract-features imgs/ out.h5")
