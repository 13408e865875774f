"""Labels that come from several folders of the same name."""

from __future__ import annotations

from collections import defaultdict

from plankton_features.images.catalog import Catalog
from plankton_features.images.spelling import composed

_SHOWN = 3


def labels_of_several_folders(catalog: Catalog) -> dict[str, list[str]]:
    """The labels that were taken from more than one folder, with these.

    Parameters
    ----------
    catalog : Catalog
        Of a folder, labelled by the folder that holds the image.

    Returns
    -------
    dict of str to list of str

    Examples
    --------
    >>> labels_of_several_folders(Catalog.from_paths(
    ...     ["fish/adult/1.png", "copepod/adult/2.png", "salp/3.png"],
    ...     labels=["adult", "adult", "salp"]))
    {'adult': ['copepod/adult', 'fish/adult']}
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path, label in zip(catalog.path, catalog.label, strict=True):
        folder = path.rpartition("/")[0]
        if label and composed(folder.rpartition("/")[2]) == label:
            found[label].add(folder)
    return {label: sorted(folders) for label, folders in sorted(found.items()) if len(folders) > 1}


def several_folders_notes(catalog: Catalog) -> list[str]:
    """A sentence on such labels; none if there are none."""
    found = labels_of_several_folders(catalog)
    if not found:
        return []
    label, folders = next(iter(found.items()))
    some = ", ".join(folders[:_SHOWN]) + (" ..." if len(folders) > _SHOWN else "")
    more = f", and so are {len(found) - 1} more" if len(found) > 1 else ""
    return [f"The class '{label}' is made of {len(folders)} folders ({some}){more}. If the label "
            "is another folder of the path, say which with --label-level."]
