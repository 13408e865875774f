"""How much water a bin's pictures were taken of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from plankton_features.images.ifcb.adc import Adc, number_at
from plankton_features.images.ifcb.header import number_of
from plankton_features.images.ifcb.names import BinName

#: The syringe gives 40 steps a second, 48,000 of which are 5 mL.
ML_PER_SECOND = 40 * 5 / 48_000
_DAY = 86_400.0
#: Seconds that an old instrument is blind after a trigger, at least.
_BLIND, _BLIND_IFCB5 = 0.073, 0.05
_IFCB5_CHANGED = datetime(2015, 6, 1, tzinfo=UTC)
#: Header and last line may differ by this share.
TOLERANCE = 0.02
#: Run time and clock of a sound line differ by less, in seconds.
_CLOCK = 0.3
_TRIGGER, _ADC_TIME, _RUN_TIME, _INHIBIT_TIME = 0, 1, 22, 23
_OPEN, _GRAB = 7, 8


@dataclass(frozen=True)
class Run:
    """How long a bin's run took, and how long it looked.

    Attributes
    ----------
    run_time, look_time : float
        In seconds; NaN if not known.
    doubt : str
        Why header and ``.adc`` file do not agree; empty if they do, or one says nothing.
    """

    run_time: float
    look_time: float
    doubt: str = ""

    @property
    def volume(self) -> float:
        """Volume analysed in mL; NaN if not known."""
        return self.look_time * ML_PER_SECOND


def run_of(name: BinName, header: Mapping[str, str], adc: Adc) -> Run:
    """Times of a bin's run.

    Of new instruments, the header's ``runTime`` without its ``inhibitTime``; if it has none, or
    does not agree with the last sound line of the ``.adc`` file, that line's. They agree if they
    differ by at most 2 %; where triggers are few and the last one may come long before the end,
    the header may be longer by three mean intervals between them. Of old instruments, the time of
    the last frame without that between each trigger and the frame before it, as in pyifcb.

    Parameters
    ----------
    name : BinName
    header : mapping of str to str
    adc : Adc

    Returns
    -------
    Run
    """
    if name.old:
        blind = _BLIND_IFCB5 if name.instrument == "IFCB5" and name.time >= _IFCB5_CHANGED \
            else _BLIND
        return _old_run(adc, blind)
    run_time = number_of(header, "runTime")
    from_header = Run(run_time, run_time - number_of(header, "inhibitTime"))
    from_adc = _last_line(adc)
    if not from_header.look_time > 0:
        return from_adc
    if math.isnan(from_adc.look_time):
        return from_header
    most = 1 + max(TOLERANCE, 3 / len(adc.rows))
    ratio = from_header.look_time / from_adc.look_time
    if 1 - TOLERANCE <= ratio <= most:
        return from_header
    return Run(from_adc.run_time, from_adc.look_time,
               f"the header says that it looked for {from_header.look_time:.1f} s, the last line "
               f"of the .adc file {from_adc.look_time:.1f} s; the latter is used")


def _last_line(adc: Adc) -> Run:
    """Times of the last line whose clocks agree."""
    for fields in reversed(adc.rows.values()):
        run_time = number_at(fields, _RUN_TIME)
        look_time = run_time - number_at(fields, _INHIBIT_TIME)
        if 0 < look_time < math.inf and abs(run_time - number_at(fields, _ADC_TIME)) < _CLOCK:
            return Run(run_time, look_time)
    return Run(math.nan, math.nan)


def _old_run(adc: Adc, blind: float) -> Run:
    triggers: dict[str, tuple[float, float]] = {}
    for fields in adc.rows.values():
        opened, grabbed = number_at(fields, _OPEN), number_at(fields, _GRAB)
        if math.isfinite(opened + grabbed):
            triggers.setdefault(fields[_TRIGGER], (_after(opened), _after(grabbed)))
    if not triggers:
        return Run(math.nan, math.nan)
    times = list(triggers.values())
    waits = [max(blind, opened - grabbed)
             for (_, grabbed), (opened, _) in pairwise(times)]
    run_time = times[-1][1]
    look_time = run_time - sum(waits) - blind
    return Run(run_time, look_time if look_time > 0 else math.nan)


def _after(time: float) -> float:
    """Seconds since the begin; after midnight they are counted below zero."""
    return time + _DAY if time < 0 else time
