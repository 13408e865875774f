"""Where catalogs come from: each kind of source gives one whose pictures are read through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.errors import InputError
from plankton_features.images.catalog import Catalog
from plankton_features.images.source import Files, ImageSource
from plankton_features.images.sources.ecotaxa import catalog_from_ecotaxa, holds_ecotaxa
from plankton_features.images.sources.ecotaxa_bundle import Bundle
from plankton_features.images.sources.folder import catalog_from_folder, is_image_name
from plankton_features.images.sources.frame import catalog_from_frame
from plankton_features.images.sources.ifcb import IfcbBins, catalog_from_bins, holds_bins
from plankton_features.images.sources.table import catalog_from_table, is_table_name
from plankton_features.images.sources.zip_archive import ZipArchive, catalog_from_zip
from plankton_features.images.spelling import as_on_disk

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes
    ----------
    name : str
        By which a person asks for it.
    takes : callable of str
        Whether a path is of this kind. It may be gone: what is of a feature file from elsewhere
        is asked as well.
    catalog : callable of Path, and of what `options` names as keywords
        Lists the images; raises InputError.
    source : callable of Path
        What reads them by their paths, without a look at them before.
    options : frozenset of str
        What else of `build_catalog` may be given with it.
    """

    name: str
    takes: Callable[[str], bool]
    catalog: Callable[..., Catalog]
    source: Callable[[Path], ImageSource]
    options: frozenset[str] = frozenset()


def _is_zip(path: str) -> bool:
    return path.lower().endswith(".zip") and not os.path.isdir(path)  # noqa: PTH112


def _is_table(path: str) -> bool:
    """A file of any other ending is taken for a table, which says what is expected."""
    named = is_table_name(path) and not os.path.isdir(path)  # noqa: PTH112
    return named or os.path.isfile(path)  # noqa: PTH113


#: Labels are names of folders.
_BY_FOLDER = frozenset(("label_level",))
#: The first that takes a path is its kind; the last takes all.
KINDS = (
    Kind("ecotaxa", holds_ecotaxa, catalog_from_ecotaxa, Bundle, frozenset(("status", "group_by"))),
    Kind("zip", _is_zip, catalog_from_zip, ZipArchive, _BY_FOLDER),
    Kind("table", _is_table, catalog_from_table, lambda table: Files(table.parent)),
    Kind("ifcb", holds_bins, catalog_from_bins, IfcbBins,
         frozenset(("skip_bad_bins", "pixel_size"))),
    Kind("folder", lambda _: True, catalog_from_folder, Files, _BY_FOLDER),
)


def build_catalog(images: str | os.PathLike[str] | pd.DataFrame, *, source: str | None = None,
                  label_level: int | None = None, root: str | os.PathLike[str] = ".",
                  units: dict[str, str] | None = None, skip_bad_bins: bool = False,
                  pixel_size: float | None = None, status: Sequence[str] | None = None,
                  group_by: str | None = None) -> Catalog:
    """Find the images of a folder, a zip archive, a table, EcoTaxa, or bins of an IFCB.

    Parameters
    ----------
    images : path-like or DataFrame
        A folder, see `catalog_from_folder`: every image below it, labelled with the name of the
        folder that holds it. Or a zip archive of such a folder (``.zip``), which is read as it is.
        Or a table (``.csv``, ``.tsv``, ``.txt``), see `catalog_from_table`, with a column ``path``
        and optionally ``label``, ``group`` and ``id``; other columns are kept, with types and
        units. Or a DataFrame, see `catalog_from_frame`, with columns of these names. Or a folder
        that holds bins of an Imaging FlowCytobot, see `catalog_from_bins`. Or a folder or zip
        archive that holds tables of EcoTaxa, see `catalog_from_ecotaxa`.
    source : str, optional
        Name of a kind in `KINDS`, if it is another than the one that it looks like.
    label_level : int, optional
        Of a folder or archive: which folder of an image's path is its label, 1 for the first
        below `images`, -1 (the default) for the one that holds the image.
    root : path-like, default="."
        Of a DataFrame: the folder that its paths start from.
    units : dict of str to str, optional
        Of a DataFrame: units of its columns, such as ``{"depth": "m"}``.
    skip_bad_bins : bool, default=False
        Of an IFCB: leave out bins that fail a check.
    pixel_size : float, optional
        Of an IFCB: width of a pixel in µm; by default 1/3.4.
    status : sequence of str, optional
        Of EcoTaxa: which annotations are labels, of ``validated`` (the default), ``predicted``,
        ``dubious``, ``discarded``.
    group_by : str, optional
        Of EcoTaxa: what groups are: ``sample`` (the default), ``acquisition``, ``process``,
        ``day``, or the name of a column.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If there is nothing at `images`, or a pipe or a device, or no image in it; an image
        lies in fewer folders than `label_level` counts; there is no such kind of source, or it
        does not go with an option.

    Examples
    --------
    Of ``imgs/fish/adult/1.png`` the label is ``adult``, or with a level ``fish``:

    >>> build_catalog("imgs", label_level=1)  # doctest: +SKIP
    """
    if hasattr(images, "columns"):
        return catalog_from_frame(images, root, units)
    if units:
        raise InputError("units: go with a DataFrame; a table has them in its header: depth [m].")
    path = as_on_disk(os.fspath(images))
    if not (os.path.isdir(path) or os.path.isfile(path)):  # noqa: PTH112, PTH113
        raise _nothing_to_read(path)  # (unlike Path, these take a name that is too long)
    kind = kind_of(path, source)
    options = {"label_level": label_level, "skip_bad_bins": skip_bad_bins or None,
               "pixel_size": pixel_size, "status": status, "group_by": group_by}
    given = {name: value for name, value in options.items() if value is not None}
    _check_options(path, kind, given)
    return kind.catalog(Path(path), **given)


def kind_of(images: str | os.PathLike[str], source: str | None = None) -> Kind:
    """The kind of source that a path is, whether something is there or not.

    Parameters
    ----------
    images : path-like
    source : str, optional
        Its name, if it is not to be found out.

    Raises
    ------
    InputError
        If there is no kind of that name.
    """
    path = os.fspath(images)
    for kind in KINDS:
        if kind.takes(path) if source is None else kind.name == source:
            return kind
    names = ", ".join(kind.name for kind in KINDS)
    raise InputError(f"source: expected one of {names}; got {source!r}.")


def open_source(images: str | os.PathLike[str], source: str | None = None) -> ImageSource:
    """What reads pictures by their paths, if one knows them; nothing is looked for.

    Parameters
    ----------
    images : path-like
        As for `build_catalog`; it may be gone, then reading fails.
    source : str, optional
        See `build_catalog`.

    Returns
    -------
    ImageSource
    """
    return kind_of(images, source).source(Path(images))


def is_source_name(name: str | os.PathLike[str]) -> bool:
    """Whether a file's ending is that of images, or of a table or an archive of them."""
    return is_image_name(os.fspath(name)) or is_table_name(name) or _is_zip(os.fspath(name))


def _check_options(path: str, kind: Kind, given: Iterable[str]) -> None:
    for option in given:
        if option not in kind.options:
            takers = " or ".join(one.name for one in KINDS if option in one.options)
            raise InputError(f"{option.replace('_', '-')} goes with {takers}; {path} is read as "
                             f"{kind.name}. Leave the option out, or say with source that it is "
                             "another.")


def _nothing_to_read(path: str) -> InputError:
    if os.path.exists(path):  # noqa: PTH110
        return InputError(f"{path}: expected a folder of images or a CSV table, got a pipe, "
                          "socket or device, which is not read. Write the table to a file first.")
    return InputError(f"{path}: expected a folder of images or a CSV table, found nothing there "
                      f"(looked in {Path.cwd()}). Check the spelling, or give the full path.")
