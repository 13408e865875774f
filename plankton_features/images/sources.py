"""Where catalogs come from."""

from __future__ import annotations

import os
from pathlib import Path

from plankton_features.errors import InputError
from plankton_features.images.catalog import Catalog
from plankton_features.images.folder import catalog_from_folder
from plankton_features.images.spelling import as_on_disk
from plankton_features.images.table import catalog_from_table


def build_catalog(source: str | os.PathLike[str], *, label_level: int | None = None) -> Catalog:
    """Find the images of a folder or a table.

    Parameters
    ----------
    source : path-like
        A folder, see `catalog_from_folder`: every image below it, labelled with the name of the
        folder that holds it. Or a table (``.csv``, ``.tsv``, ``.txt``), see
        `catalog_from_table`, with a column ``path`` and optionally ``label``, ``group`` and
        ``id``.
    label_level : int, optional
        Of a folder: which folder of an image's path is its label, 1 for the first below
        `source`, -1 (the default) for the one that holds the image.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If there is nothing at `source`, or a pipe or a device, or no image in it; or an image
        lies in fewer folders than `label_level` counts.

    Examples
    --------
    Of ``imgs/fish/adult/1.png`` the label is ``adult``, or with a level ``fish``:

    >>> build_catalog("imgs", label_level=1)  # doctest: +SKIP
    """
    source = as_on_disk(os.fspath(source))
    if os.path.isdir(source):  # noqa: PTH112 (unlike Path, false for a name that is too long)
        return catalog_from_folder(Path(source), -1 if label_level is None else label_level)
    if os.path.isfile(source):  # noqa: PTH113
        if label_level is not None:
            raise InputError(f"label-level goes with a folder; {source} is a table, which has "
                             "labels in its column label.")
        return catalog_from_table(Path(source))
    if os.path.exists(source):  # noqa: PTH110
        raise InputError(f"{source}: expected a folder of images or a CSV table, got a pipe, "
                         "socket or device, which is not read. Write the table to a file first.")
    raise InputError(
        f"{source}: expected a folder of images or a CSV table, found nothing there "
        f"(looked in {Path.cwd()}). Check the spelling, or give the full path."
    )
