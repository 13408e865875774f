"""What is said of the images that were found."""

from __future__ import annotations

import argparse

from plankton_features.assessment.checks import doubtful_labels
from plankton_features.cli.display import escape
from plankton_features.images import Catalog
from plankton_features.images.source import Files
from plankton_features.images.sources.folder import labels_of_several_folders
from plankton_features.images.sources.zip_archive import ZipArchive

_MOST_NOTES = 5
_SHOWN = 3


def left_aside(catalog: Catalog) -> str:
    """What goes behind the number of images: what was left aside, if anything was."""
    folders = {name: n for name, n in catalog.ignored.items() if name.endswith("/")}
    files = {name: n for name, n in catalog.ignored.items() if name not in folders}
    told = [f"{sum(kinds.values()):,} {what}"
            for kinds, what in ((files, "other files"), (folders, "folders")) if kinds]
    names = [name for kinds in (files, folders)
             for name in sorted(kinds, key=kinds.__getitem__)[-3:]]
    return f"; {' and '.join(told)} left aside ({escape(', '.join(names))})" if told else ""


def label_notes(catalog: Catalog, args: argparse.Namespace) -> list[str]:
    """What to ask oneself about the labels, as sentences.

    Parameters
    ----------
    catalog : Catalog
    args : Namespace
        With ``images`` and ``label_level``.

    Returns
    -------
    list of str
    """
    by_folder = args.label_level is None and (isinstance(catalog.source, ZipArchive) or (
        isinstance(catalog.source, Files) and args.images.is_dir()))
    told = several_folders_notes(catalog) if by_folder else []
    told += doubtful_labels(catalog.label)
    return told[:_MOST_NOTES] + (
        [f"and {len(told) - _MOST_NOTES} more such names"] if len(told) > _MOST_NOTES else [])


def several_folders_notes(catalog: Catalog) -> list[str]:
    """A sentence on labels that are made of several folders; none if there are none."""
    found = labels_of_several_folders(catalog)
    if not found:
        return []
    label, folders = next(iter(found.items()))
    some = ", ".join(folders[:_SHOWN]) + (" ..." if len(folders) > _SHOWN else "")
    more = f", and so are {len(found) - 1} more" if len(found) > 1 else ""
    return [f"The class '{label}' is made of {len(folders)} folders ({some}){more}. If the label "
            "is another folder of the path, say which with --label-level."]
