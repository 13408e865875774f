"""What is checked of a bin before its pictures are used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from plankton_features.errors import counted
from plankton_features.images.ifcb.adc import Adc
from plankton_features.images.ifcb.header import number_of, text_of
from plankton_features.images.ifcb.volume import Run

#: A syringe gives a little more than it says.
_MORE = 1.05


@dataclass(frozen=True)
class Checks:
    """What is wrong with a bin, in words; empty where a check passes or cannot be made.

    Attributes
    ----------
    files : str
        One of the three files is missing, empty or cannot be read.
    lines : str
        Lines of the ``.adc`` file are damaged.
    roi_count : str
        The header counts other pictures than the ``.adc`` file.
    truncated : str
        Pictures lie beyond the end of the ``.roi`` file, or over each other.
    run_time : str
        Header and ``.adc`` file differ in how long the run took.
    volume : str
        The volume analysed is not known, or more than the syringe takes.
    beads : str
        It is a run of beads.
    """

    files: str = ""
    lines: str = ""
    roi_count: str = ""
    truncated: str = ""
    run_time: str = ""
    volume: str = ""
    beads: str = ""

    @property
    def failed(self) -> dict[str, str]:
        """Name of each check that fails, and why."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: why for name, why in told.items() if why}


def checks_of(missing: list[str], header: Mapping[str, str], adc: Adc, out_of_place: int,
              run: Run) -> Checks:
    """Check a bin.

    Parameters
    ----------
    missing : list of str
        What is wrong with its files.
    header : mapping of str to str
    adc : Adc
    out_of_place : int
        Pictures that cannot be in the ``.roi`` file where its lines say.
    run : Run

    Returns
    -------
    Checks
    """
    return Checks(
        files=", ".join(missing),
        lines=f"{counted(len(adc.damaged), 'line of the .adc file')} cannot be read"
              if adc.damaged else "",
        roi_count=_roi_count(header, adc),
        truncated=f"{counted(out_of_place, 'picture')} beyond the end of the .roi file, or over "
                  "others" if out_of_place else "",
        run_time=run.doubt,
        volume=_volume(header, run.volume),
        beads=_beads(header))


def _roi_count(header: Mapping[str, str], adc: Adc) -> str:
    expected = number_of(header, "roiCount")
    found = len(adc.targets)
    if math.isnan(expected) or expected == found:
        return ""
    return f"the header counts {expected:,.0f} pictures, the .adc file {found:,}"


def _volume(header: Mapping[str, str], volume: float) -> str:
    syringe = number_of(header, "SyringeSampleVolume")
    if math.isnan(volume):
        return "volume analysed not known"
    if volume > _MORE * syringe > 0:
        return f"{volume:.2f} mL analysed of a sample of {syringe:g} mL"
    return ""


def _beads(header: Mapping[str, str]) -> str:
    beads = text_of(header, "runBeads").lower() == "true"
    return "a run of beads" if beads or "bead" in text_of(header, "sampleType").lower() else ""
