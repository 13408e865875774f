"""What is said of the images that were found."""

from __future__ import annotations

from plankton_features.cli.display import escape
from plankton_features.images import Catalog


def left_aside(catalog: Catalog) -> str:
    """What goes behind the number of images: what was left aside, if anything was."""
    folders = {name: n for name, n in catalog.ignored.items() if name.endswith("/")}
    files = {name: n for name, n in catalog.ignored.items() if name not in folders}
    told = [f"{sum(kinds.values()):,} {what}"
            for kinds, what in ((files, "other files"), (folders, "folders")) if kinds]
    names = [name for kinds in (files, folders)
             for name in sorted(kinds, key=kinds.__getitem__)[-3:]]
    return f"; {' and '.join(told)} left aside ({escape(', '.join(names))})" if told else ""
