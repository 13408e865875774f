"""What EcoTaxa's tables know of objects, as typed columns with units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plankton_features.images.columns import RESERVED
from plankton_features.images.ecotaxa import values
from plankton_features.images.ecotaxa.fields import FIXED, NUMBER, TEXT, prefix_of
from plankton_features.images.ecotaxa.objects import Object, Objects, column_names

if TYPE_CHECKING:
    import pandas as pd

#: Of columns that are computed from others.
UNITS = {"pixel_size": "µm", "latitude": "degrees", "longitude": "degrees", "depth_min": "m",
         "depth_max": "m", "image_volume": "L", "volume_analysed": "mL", "net_volume": "m³"}
#: Columns that have the size of a pixel in mm, whatever their names say.
_IN_MM = ("process_particle_pixel_size_mm", "process_particle_pixel_size_µm",
          "process_particle_pixel_size_μm")
_Cells = Callable[[str], str]


def status_of(text: str) -> str:
    """The status of an annotation: one of ``validated``, ``predicted``, ``dubious``, ``discarded``.

    Empty if there is none; ``X`` is how exports write discarded.
    """
    status = text.lower()
    return {"x": "discarded", "noid": ""}.get(status, status)


def taxon_of(cells: _Cells) -> str:
    """The taxon of an object; of one that has only EcoTaxa's number, ``taxon 85078``."""
    if name := cells("object_annotation_category"):
        return name
    number = _taxon_id(cells)
    return "" if number is None else f"taxon {number}"


def columns_of(objects: Objects) -> tuple[pd.DataFrame, dict[str, str]]:
    """Columns of all objects, and units.

    Parameters
    ----------
    objects : Objects

    Returns
    -------
    columns : DataFrame
        All of the tables under their own names in lower case: numbers (``Float64``) where tables
        say so, or where all that stands in a column of objects is a number and no table says
        anything; otherwise text. And what can be computed from them: ``status``, ``taxon_id``,
        ``lineage``, ``datetime``, ``latitude``, ``longitude``, ``depth_min``, ``depth_max``,
        ``pixel_size``, ``image_volume``, ``volume_analysed``, ``net_volume``,
        ``subsample_coefficient``; and ``img_ranks`` of all pictures, ``table`` and ``line``. Those
        of which nothing is known are left out.
    units : dict of str to str
    """
    import pandas as pd

    columns: dict[str, Any] = {}
    for name, read in _COMPUTED.items():
        read_one = [_or_none(read, objects, one) for one in objects.found]
        if any(value is not None for value in read_one):
            columns[name] = _array(read_one)
    columns["img_ranks"] = _array([" ".join(map(str, sorted(one.ranks)))
                                   for one in objects.found])
    columns["table"] = _array([objects.tables[one.shown.table].name for one in objects.found])
    columns["line"] = pd.array([one.shown.line for one in objects.found], dtype="Int64")
    for name in column_names(objects):
        cells = [objects.cell(one, name) for one in objects.found]
        own = f"table_{name}" if name in RESERVED or name in columns else name
        columns[own] = _typed(cells, _type_of(name, objects))
    frame = pd.DataFrame(columns)
    return frame, {name: unit for name, unit in UNITS.items() if name in frame}


def types_of(objects: Objects) -> dict[str, str]:
    """The type of each column, ``[f]`` or ``[t]``: as tables say, or as what stands there allows.

    Parameters
    ----------
    objects : Objects

    Returns
    -------
    dict of str to str
    """
    found = {}
    for name in column_names(objects):
        cells = [objects.cell(one, name) for one in objects.found]
        kind = _type_of(name, objects)
        found[name] = kind or (NUMBER if _typed(cells, "").dtype == "Float64" else TEXT)
    return found


def _type_of(name: str, objects: Objects) -> str:
    """``[t]`` or ``[f]``; empty if it is to be seen from what stands there."""
    if name in FIXED:
        return FIXED[name]
    if prefix_of(name) in ("sample", "acq", "process"):
        return TEXT
    told = {column.type.strip().lower() for table in objects.tables for column in table.columns
            if column.name == name}
    return TEXT if TEXT in told else NUMBER if NUMBER in told else ""


def _typed(cells: Sequence[str], kind: str) -> Any:
    if kind != TEXT:
        try:
            numbers = [values.number(cell) for cell in cells]
        except ValueError:
            numbers = []
        if (kind == NUMBER and numbers) or any(number is not None for number in numbers):
            return _array(numbers, dtype="Float64")
    return _array([cell or None for cell in cells])


def _array(found: Sequence[Any], dtype: str = "") -> Any:
    import pandas as pd

    given = [value for value in found if value is not None]
    if not dtype:
        dtype = ("string" if not given or isinstance(given[0], str)
                 else "Int64" if isinstance(given[0], int) else "Float64")
    if dtype == "string":
        return pd.array(np.array([pd.NA if v is None else v for v in found], object), dtype=dtype)
    return pd.array(found, dtype=dtype)


def _or_none(read: Callable[[_Cells], Any], objects: Objects, one: Object) -> Any:
    try:
        value = read(lambda name: objects.cell(one, name))
    except (ValueError, OverflowError):
        return None
    return value if value != "" else None


def _taxon_id(cells: _Cells) -> int | None:
    value = values.number(cells("object_annotation_category_id"))
    return None if value is None else int(value)


def _datetime(cells: _Cells) -> str | None:
    day, at = values.date(cells("object_date")), values.time(cells("object_time"))
    return f"{day}T{at}Z" if day and at else day


def _pixel_size(cells: _Cells) -> float | None:
    """In µm. Which unit a column has depends on the instrument."""
    for name in _IN_MM:
        if (size := values.number(cells(name))) is not None:
            return size * 1000
    instrument = cells("acq_instrument").lower()
    if instrument.startswith("uvp6"):
        return values.number(cells("acq_pixel"))
    size = values.number(cells("process_pixel"))
    if size is not None and instrument.startswith("uvp"):
        return size * 1000
    # Old programs of the PlanktoScope wrote 1 where they did not know.
    return size if instrument.startswith("planktoscope") and size != 1 else None


def _number_in(name: str) -> Callable[[_Cells], float | None]:
    return lambda cells: values.number(cells(name))


_COMPUTED: dict[str, Callable[[_Cells], Any]] = {
    "status": lambda cells: status_of(cells("object_annotation_status")),
    "taxon_id": _taxon_id,
    "lineage": lambda cells: cells("object_annotation_hierarchy"),
    "datetime": _datetime,
    "latitude": lambda cells: values.degrees(cells("object_lat"), 90),
    "longitude": lambda cells: values.degrees(cells("object_lon"), 180),
    "depth_min": _number_in("object_depth_min"),
    "depth_max": _number_in("object_depth_max"),
    "pixel_size": _pixel_size,
    "image_volume": _number_in("acq_volimage"),
    "volume_analysed": _number_in("acq_imaged_volume"),
    "net_volume": _number_in("sample_tot_vol"),
    "subsample_coefficient": _number_in("acq_sub_part"),
}
