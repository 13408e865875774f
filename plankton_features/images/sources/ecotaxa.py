"""Catalogs from EcoTaxa's exports and imports, and from instruments' programs that write for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plankton_features.errors import InputError, counted
from plankton_features.images.catalog import Catalog
from plankton_features.images.ecotaxa import values
from plankton_features.images.ecotaxa.columns import columns_of, status_of, taxon_of
from plankton_features.images.ecotaxa.objects import Objects, column_names, read_objects
from plankton_features.images.sources.ecotaxa_bundle import Bundle
from plankton_features.images.spelling import composed

if TYPE_CHECKING:
    import pandas as pd

STATUSES = ("validated", "predicted", "dubious", "discarded")
#: What groups are called, and the columns that have them.
GROUPS = {"sample": "sample_id", "acquisition": "acq_id", "process": "process_id",
          "day": "object_date"}


def holds_ecotaxa(path: str) -> bool:
    """Whether a folder or zip archive holds tables of EcoTaxa."""
    root = Path(path)
    try:
        there = root.is_dir() or (root.suffix.lower() == ".zip" and root.is_file())
    except (OSError, ValueError):
        return False
    return there and Bundle(root).is_any()


def catalog_from_ecotaxa(root: Path, *, status: Sequence[str] = ("validated",),
                         group_by: str | None = None) -> Catalog:
    """Find the objects of EcoTaxa tables in a folder or zip archive.

    Parameters
    ----------
    root : Path
        An export (general, split, backup; unpacked or not), or what is made for an import: a
        ZooProcess or UVP project, a file of the PlanktoScope. Archives are read in place.
    status : sequence of str, default=("validated",)
        Which annotations are labels: of ``validated``, ``predicted``, ``dubious``, ``discarded``.
    group_by : {"sample", "acquisition", "process", "day"} or str, optional
        What the groups are: one of these, or the name of a column. By default the sample, if
        there is one.

    Returns
    -------
    Catalog
        One picture for each object, that of the lowest rank; in the order of tables and lines.
        All columns of the tables are in `Catalog.columns`. Lines that cannot be used come last:
        they fail with their reason when they are read, as do pictures that are not there.

    Raises
    ------
    InputError
        If no table can be used, a status is unknown, or there is no such column.
    """
    _check_statuses(status)
    bundle = Bundle(root)
    objects = read_objects(bundle)
    found = objects.found
    columns, units = columns_of(objects)
    taxa = [taxon_of(partial(objects.cell, one)) for one in found]
    statuses = [status_of(objects.cell(one, "object_annotation_status")) for one in found]
    label = [composed(taxon) if told in status else ""
             for taxon, told in zip(taxa, statuses, strict=True)]
    faults = objects.faults
    missing = {one.shown.path: f"no such file; {objects.tables[one.shown.table].name}, line "
                               f"{one.shown.line} names it" for one in found if one.shown.size < 0}
    n = len(faults)
    return Catalog(
        source=Bundle(root, {**missing, **faults}),
        path=[*(one.shown.path for one in found), *faults],
        label=[*label, *[""] * n],
        group=[*_groups(objects, group_by), *[""] * n],
        id=[*(objects.cell(one, "object_id") for one in found), *[""] * n],
        size=np.array([*(one.shown.size for one in found), *[-1] * n], np.int64),
        recognised=_recognised(objects, taxa, statuses, status),
        columns=_with_faults(columns, n), units=units)


def _check_statuses(status: Sequence[str]) -> None:
    for one in status:
        if one not in STATUSES:
            raise InputError(f"status '{one}': expected one or more of {', '.join(STATUSES)}.")


def _groups(objects: Objects, group_by: str | None) -> list[str]:
    name = GROUPS.get(group_by or "sample", group_by or "").lower()
    names = list(column_names(objects))
    if group_by and name not in names:
        raise InputError(f"group-by '{group_by}': expected sample, acquisition, process, day or a "
                         f"column of the tables; there is no column {name}. There are: "
                         f"{', '.join(names)[:300]}.")
    cells = [composed(objects.cell(one, name)) for one in objects.found]
    return [_day(cell) for cell in cells] if group_by == "day" else cells


def _day(cell: str) -> str:
    try:
        return values.date(cell) or ""
    except ValueError:
        return ""


def _with_faults(columns: pd.DataFrame, n: int) -> pd.DataFrame:
    """Columns with n rows more, of which nothing is known."""
    import pandas as pd

    return pd.DataFrame({name: array.take([*range(len(array)), *[-1] * n], allow_fill=True)
                         for name in columns if (array := columns[name].array) is not None})


def _recognised(objects: Objects, taxa: Sequence[str], statuses: Sequence[str],
                wanted: Sequence[str]) -> str:
    names = set(column_names(objects))
    exported = "object_annotation_hierarchy" in names
    instruments = sorted({objects.cell(one, "acq_instrument") for one in objects.found} - {""})
    n = Counter(statuses)
    told = [f"EcoTaxa {'export' if exported else 'import'}"
            + (f" ({', '.join(instruments)})" if 0 < len(instruments) < 4 else ""),
            counted(len(objects.tables), "table"), counted(len(objects.found), "object"),
            _taxa(len(set(taxa) - {""})),
            counted(len({objects.cell(one, "sample_id") for one in objects.found} - {""}),
                    "sample"),
            *(f"{n[status]:,} {status}" for status in wanted)]
    left = [f"{n[status]:,} {status}" for status in STATUSES if n[status] and status not in wanted]
    if left:
        told.append(f"{' and '.join(filter(None, (', '.join(left[:-1]), left[-1])))} without label")
    if objects.faults:
        told.append(f"{counted(len(objects.faults), 'line')} with faults")
    return ", ".join(told)


def _taxa(n: int) -> str:
    return f"{n:,} {'taxon' if n == 1 else 'taxa'}"
