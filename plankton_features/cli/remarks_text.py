"""What commands say of odd pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plankton_features.extraction.remarks import Remarks


def remark_lines(remarks: Remarks) -> list[str]:
    """A sentence for each kind of odd pictures that there is."""
    told = []
    if remarks.mixed:
        told.append("pictures of more than 8 bits have different scales ("
                    f"{_scales(remarks)}), so the same sample value is another grey in them. "
                    "Give --depth for one scale (12 for 0 to 4095)")
    if remarks.flat:
        told.append(f"{_count(remarks.flat, 'picture is', 'pictures are')} nearly constant: all "
                    "values within 17 of 256" + (
                        ". See whether --depth fits" if remarks.full_scales else ""))
    if remarks.several_pages:
        told.append(f"{_count(remarks.several_pages, 'file has', 'files have')} several pages or "
                    "frames, of which only the first is used")
    return told


def _scales(remarks: Remarks) -> str:
    return "white is " + ", ".join(f"{full:,g} in {n:,}" for full, n in remarks.full_scales.items())


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
