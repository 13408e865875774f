"""Size and shape of pictures beside their vectors: which columns, and what fills them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import InputError
from plankton_features.images import Catalog, Framing
from plankton_features.images.framing import crop_bottom
from plankton_features.morphometry import column_units, measure
from plankton_features.morphometry.measuring import WHOLE, Measures

#: What can be asked for: nothing, all but Feret diameters, or these too.
MORPHOMETRY = ("", "plain", "feret")
#: Root attribute that says which; files without measures lack it.
ATTRIBUTE = "morphometry"
PIXEL_SIZE = "pixel_size"
"""Column of a catalog with the side of a picture's pixels."""
_MICROMETRES = {"µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1000.0}

Measurer = Callable[[int, NDArray[np.uint8]], Measures]


def check_morphometry(morphometry: str) -> None:
    """Refuse what is none of `MORPHOMETRY`.

    Raises
    ------
    InputError
    """
    if morphometry not in MORPHOMETRY:
        raise InputError(f"morphometry: expected 'plain', 'feret' or '' for none, got "
                         f"{morphometry!r}.")


def measured_columns(catalog: Catalog, morphometry: str) -> tuple[dict[str, str], dict[str, str]]:
    """Types and units of the columns that are measured.

    Parameters
    ----------
    catalog : Catalog
        With a column ``pixel_size`` in µm or mm, measures in µm, mm² and mm³ are among them.
    morphometry : {"", "plain", "feret"}

    Returns
    -------
    columns, units : dict of str to str

    Raises
    ------
    InputError
        If the catalog has a column of the same name, or pixel sizes in another unit.
    """
    check_morphometry(morphometry)
    if not morphometry:
        return {}, {}
    units = column_units(sized=pixel_sizes(catalog) is not None, feret=morphometry == "feret")
    if taken := sorted(set(units) & set(catalog.columns)):
        raise InputError(f"morphometry: the table has columns of the same names already: "
                         f"{', '.join(taken)}. Rename or leave them out there, or do not measure.")
    columns = {name: "int64" if name in WHOLE else "float64" for name in units}
    return columns, {name: unit for name, unit in units.items() if unit}


def pixel_sizes(catalog: Catalog) -> NDArray[np.float64] | None:
    """Side of the pixels of each picture in µm, NaN where unknown; None without such a column.

    Raises
    ------
    InputError
        If they are no numbers above 0 in µm or mm.
    """
    if PIXEL_SIZE not in catalog.columns:
        return None
    unit, column = catalog.units.get(PIXEL_SIZE, ""), catalog.columns[PIXEL_SIZE]
    if unit not in _MICROMETRES or column.dtype.kind not in "iuf":
        raise InputError(f"column {PIXEL_SIZE!r}: expected numbers in µm or mm, with the unit in "
                         f"the table's header: {PIXEL_SIZE} [µm]. Or rename the column, to measure "
                         "in pixels only.")
    sizes = column.to_numpy(np.float64, na_value=np.nan) * _MICROMETRES[unit]
    if bad := [i for i, size in enumerate(sizes) if size <= 0 or np.isinf(size)]:
        raise InputError(f"column {PIXEL_SIZE!r}: expected numbers above 0, got "
                         f"{column.iloc[bad[0]]} for {catalog.path[bad[0]]}. Leave the cell empty "
                         "where the size is not known.")
    return np.asarray(sizes, np.float64)


def measurer(catalog: Catalog, framing: Framing, morphometry: str) -> Measurer | None:
    """What measures a picture by its position and pixels; None if nothing is asked for.

    The ground is what pads a framed picture, and the bottom is cut off as there.
    """
    if not morphometry:
        return None
    sizes, feret = pixel_sizes(catalog), morphometry == "feret"

    def measures_of(position: int, pixels: NDArray[np.uint8]) -> Measures:
        return measure(crop_bottom(pixels, framing.crop_bottom), ground=framing.background,
                       pixel_size=None if sizes is None else float(sizes[position]), feret=feret)

    return measures_of
