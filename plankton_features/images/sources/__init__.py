"""Where catalogs come from: each kind of source gives one whose pictures are read through it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plankton_features.errors import InputError
from plankton_features.images.catalog import Catalog
from plankton_features.images.source import Files, ImageSource
from plankton_features.images.sources.folder import catalog_from_folder, is_image_name
from plankton_features.images.sources.table import catalog_from_table, is_table_name
from plankton_features.images.sources.zip_archive import ZipArchive, catalog_from_zip
from plankton_features.images.spelling import as_on_disk


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes
    ----------
    name : str
    takes : callable of str
        Whether a path is of this kind. It may be gone: what is of a feature file from elsewhere
        is asked as well.
    catalog : callable of Path, or of (Path, int) if `by_folder`
        Lists the images; raises InputError.
    source : callable of Path
        What reads them by their paths, without a look at them before.
    by_folder : bool
        Whether labels are names of folders, so that a level can be chosen.
    """

    name: str
    takes: Callable[[str], bool]
    catalog: Callable[..., Catalog]
    source: Callable[[Path], ImageSource]
    by_folder: bool = False


def _is_zip(path: str) -> bool:
    return path.lower().endswith(".zip") and not os.path.isdir(path)  # noqa: PTH112


def _is_table(path: str) -> bool:
    """A file of any other ending is taken for a table, which says what is expected."""
    named = is_table_name(path) and not os.path.isdir(path)  # noqa: PTH112
    return named or os.path.isfile(path)  # noqa: PTH113


#: The first that takes a path is its kind; the last takes all.
KINDS = (
    Kind("zip archive", _is_zip, catalog_from_zip, ZipArchive, by_folder=True),
    Kind("table", _is_table, catalog_from_table, lambda table: Files(table.parent)),
    Kind("folder", lambda _: True, catalog_from_folder, Files, by_folder=True),
)


def build_catalog(images: str | os.PathLike[str], *, label_level: int | None = None) -> Catalog:
    """Find the images of a folder, a zip archive or a table.

    Parameters
    ----------
    images : path-like
        A folder, see `catalog_from_folder`: every image below it, labelled with the name of the
        folder that holds it. Or a zip archive of such a folder (``.zip``), which is read as it is.
        Or a table (``.csv``, ``.tsv``, ``.txt``), see `catalog_from_table`, with a column ``path``
        and optionally ``label``, ``group`` and ``id``.
    label_level : int, optional
        Of a folder or archive: which folder of an image's path is its label, 1 for the first
        below `images`, -1 (the default) for the one that holds the image.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If there is nothing at `images`, or a pipe or a device, or no image in it; or an image
        lies in fewer folders than `label_level` counts.

    Examples
    --------
    Of ``imgs/fish/adult/1.png`` the label is ``adult``, or with a level ``fish``:

    >>> build_catalog("imgs", label_level=1)  # doctest: +SKIP
    """
    path = as_on_disk(os.fspath(images))
    if not (os.path.isdir(path) or os.path.isfile(path)):  # noqa: PTH112, PTH113
        raise _nothing_to_read(path)  # (unlike Path, these take a name that is too long)
    kind = kind_of(path)
    if kind.by_folder:
        return kind.catalog(Path(path), -1 if label_level is None else label_level)
    if label_level is not None:
        raise InputError(f"label-level goes with a folder; {path} is a {kind.name}, which has "
                         "labels in its column label.")
    return kind.catalog(Path(path))


def kind_of(images: str | os.PathLike[str]) -> Kind:
    """The kind of source that a path is, whether something is there or not."""
    path = os.fspath(images)
    return next(kind for kind in KINDS if kind.takes(path))


def open_source(images: str | os.PathLike[str]) -> ImageSource:
    """What reads pictures by their paths, if one knows them; nothing is looked for.

    Parameters
    ----------
    images : path-like
        As for `build_catalog`; it may be gone, then reading fails.

    Returns
    -------
    ImageSource
    """
    return kind_of(images).source(Path(images))


def is_source_name(name: str | os.PathLike[str]) -> bool:
    """Whether a file's ending is that of images, or of a table or an archive of them."""
    return is_image_name(os.fspath(name)) or is_table_name(name) or _is_zip(os.fspath(name))


def _nothing_to_read(path: str) -> InputError:
    if os.path.exists(path):  # noqa: PTH110
        return InputError(f"{path}: expected a folder of images or a CSV table, got a pipe, "
                          "socket or device, which is not read. Write the table to a file first.")
    return InputError(f"{path}: expected a folder of images or a CSV table, found nothing there "
                      f"(looked in {Path.cwd()}). Check the spelling, or give the full path.")
