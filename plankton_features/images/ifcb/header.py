"""The ``.hdr`` file: settings and sums of a bin's run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

MAX_BYTES = 2**20
#: Column names of old headers and the keys of new ones.
_OLD_KEYS = {"Temp": "temperature", "Humidity": "humidity"}


def parse_header(data: bytes) -> dict[str, str]:
    """Read a header of either kind.

    Parameters
    ----------
    data : bytes
        Lines ``key: value``; or of old instruments text in quotes, with names and values in the
        last two lines. Other lines are passed over.

    Returns
    -------
    dict of str to str
        Old ones' ``Temp`` and ``Humidity`` under the keys of new ones.

    Examples
    --------
    >>> parse_header(b"SoftwareVersion: 2.0\\nrunTime: 1003.4\\n")["runTime"]
    '1003.4'
    >>> parse_header(b'"IFCB"\\n"Temp Humidity"\\n"11.5,32.2,"')
    {'temperature': '11.5', 'humidity': '32.2'}
    """
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    found = {key.strip(): value.strip() for key, colon, value in
             (line.partition(":") for line in lines if not line.startswith('"')) if colon}
    if len(lines) > 1 and lines[-2].startswith('"'):
        names = lines[-2].strip('"').split()
        values = re.sub(r'[",]', " ", lines[-1]).split()
        found |= {_OLD_KEYS.get(name, name): value
                  for name, value in zip(names, values, strict=False)}
    return found


def number_of(header: Mapping[str, str], *keys: str) -> float:
    """The first number under one of some keys, in any case; NaN if there is none.

    Examples
    --------
    >>> number_of({"runtime": "12.5"}, "runTime"), number_of({}, "runTime")
    (12.5, nan)
    """
    lower = {key.lower(): value for key, value in header.items()}
    for key in keys:
        try:
            value = float(lower[key.lower()])
        except (KeyError, ValueError):
            continue
        if math.isfinite(value):
            return value
    return math.nan


def text_of(header: Mapping[str, str], key: str) -> str:
    """The text under a key, in any case; empty if there is none."""
    return next((value for name, value in header.items() if name.lower() == key.lower()), "")
