"""What is known of each picture of bins, in columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plankton_features.errors import InputError
from plankton_features.images.ifcb.bins import Bin
from plankton_features.images.ifcb.header import number_of, text_of

if TYPE_CHECKING:
    import pandas as pd

#: Width of a pixel in µm, as in iRfcb.
PIXEL_SIZE = 1 / 3.4
#: What `bin_checks` holds for a bin that passes all.
PASSED = "passed"
UNITS = {
    "volume_analysed": "mL", "run_time": "s", "look_time": "s", "roi_x": "px", "roi_y": "px",
    "pixel_size": "µm", "latitude": "degrees", "longitude": "degrees", "temperature": "°C",
    "humidity": "%",
}
_MOST_TEXT = 200


def columns_of(bins: Sequence[Bin], pixel_size: float | None = None
               ) -> tuple[pd.DataFrame, dict[str, str]]:
    """Columns of the pictures of bins, and their units.

    Parameters
    ----------
    bins : sequence of Bin
    pixel_size : float, optional
        Width of a pixel in µm; by default `PIXEL_SIZE`.

    Returns
    -------
    DataFrame
        A row for each picture. Of the bin its name, ``datetime`` (UTC), ``instrument``,
        ``sample_type``, ``volume_analysed`` (all of it, for each of its pictures), ``run_time``,
        ``look_time``, ``temperature``, ``humidity``, ``latitude``, ``longitude`` and
        ``bin_checks`` (``passed``, or what fails and why); of the picture ``trigger``, ``roi_x``,
        ``roi_y`` (of its upper left corner in the camera's frame) and ``pixel_size``. Those that
        no bin has are left out.
    dict of str to str

    Raises
    ------
    InputError
        If `pixel_size` is no positive number.
    """
    import pandas as pd

    size = PIXEL_SIZE if pixel_size is None else pixel_size
    if not 0 < size < math.inf:
        raise InputError(f"pixel-size: expected the width of a pixel in µm, a positive number; got "
                         f"{size}.")
    of_bins = pd.DataFrame([_of_bin(one) for one in bins])
    rows = np.repeat(np.arange(len(bins)), [len(one.parts) for one in bins])
    frame = of_bins.iloc[rows].reset_index(drop=True)
    places = [places[0][1:4] if places else (None, None, None)
              for one in bins for places in one.parts.values()]
    for name, values in zip(("trigger", "roi_x", "roi_y"), zip(*places, strict=True), strict=True):
        frame[name] = pd.array(values, dtype="Int64")
    frame["pixel_size"] = size
    frame = frame.dropna(axis="columns", how="all")
    return frame, {name: unit for name, unit in UNITS.items() if name in frame}


def _of_bin(one: Bin) -> dict[str, Any]:
    failed = "; ".join(f"{name}: {why}" for name, why in one.checks.failed.items())
    return {
        "bin": one.name.text,
        "datetime": one.name.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "instrument": one.name.instrument,
        "sample_type": _printable(text_of(one.header, "sampleType")) or None,
        "volume_analysed": one.run.volume, "run_time": one.run.run_time,
        "look_time": one.run.look_time,
        "temperature": number_of(one.header, "temperature"),
        "humidity": number_of(one.header, "humidity"),
        "latitude": number_of(one.header, "gpsLatitude", "latitude"),
        "longitude": number_of(one.header, "gpsLongitude", "longitude"),
        "bin_checks": failed or PASSED,
    }


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:_MOST_TEXT])
