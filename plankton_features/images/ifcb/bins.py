"""A bin: what its three files say, and how its pictures are read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images.decoding import MAX_PIXELS
from plankton_features.images.ifcb import adc as adc_file
from plankton_features.images.ifcb import header as header_file
from plankton_features.images.ifcb.adc import Target
from plankton_features.images.ifcb.checks import Checks, checks_of
from plankton_features.images.ifcb.header import parse_header
from plankton_features.images.ifcb.names import BinName
from plankton_features.images.ifcb.stitching import joint_box, stitched, together
from plankton_features.images.ifcb.volume import Run, run_of

_AGAIN = "Copy the bin's files again from the instrument or the archive"


@dataclass(frozen=True)
class Bin:
    """What is known of a bin; its pictures stay in the ``.roi`` file.

    Attributes
    ----------
    name : BinName
    stem : str
        Path of its files without their endings.
    header : dict of str to str
    parts : dict of int to list of Target
        Target number of each picture to where it lies; two places or more if it is put together.
        None for a line that cannot be read.
    failures : dict of int to str
        Why pictures cannot be used, by their target numbers.
    checks : Checks
    run : Run
    """

    name: BinName
    stem: str
    header: Mapping[str, str]
    parts: Mapping[int, Sequence[Target]]
    failures: Mapping[int, str]
    checks: Checks
    run: Run

    def read(self, target: int) -> NDArray[np.uint8]:
        """Pixels of a picture.

        Parameters
        ----------
        target : int

        Returns
        -------
        ndarray of shape (height, width), uint8

        Raises
        ------
        ImageFailure
            With stage ``read``: bin and target number, what is wrong, and what to do.
        """
        if target not in self.parts:
            raise ImageFailure("read", f"{self.name.text} has no picture {target}")
        if target in self.failures:
            raise _failure(self.name, target, self.failures[target])
        parts = self.parts[target]
        try:
            with open(f"{self.stem}.roi", "rb") as file:  # noqa: PTH123
                pictures = [_pixels(file, part) for part in parts]
        except OSError as error:
            raise _failure(self.name, target, "the .roi file cannot be read "
                           f"({error.strerror or error})") from error
        return pictures[0] if len(parts) == 1 else stitched(parts, pictures)


def read_bin(stem: str | os.PathLike[str]) -> Bin:
    """Read the ``.adc`` and ``.hdr`` files of a bin, and look at the size of its ``.roi`` file.

    Parameters
    ----------
    stem : path-like
        Of its files, without their endings.

    Returns
    -------
    Bin
        Whatever is missing or damaged is told in `checks` and `failures`.

    Raises
    ------
    InputError
        If it has not the name of a bin.
    """
    stem = os.fspath(stem)
    name = BinName.parse(os.path.basename(stem))  # noqa: PTH119
    if name is None:
        raise InputError(f"{stem}: expected the name of a bin, such as D20220519T124533_IFCB134 or "
                         "IFCB5_2012_028_081515. Give its files the name that they had.")
    missing: list[str] = []
    header = parse_header(_contents(f"{stem}.hdr", header_file.MAX_BYTES, missing))
    adc = adc_file.parse_adc(_contents(f"{stem}.adc", adc_file.MAX_BYTES, missing),
                             adc_file.OLD if name.old else adc_file.NEW)
    size = _size(f"{stem}.roi", bool(adc.targets), missing)
    misplaced = _misplaced(adc.targets, size)
    objects = together(adc.targets) if name.old else [[target] for target in adc.targets]
    parts = {parts[0].number: parts for parts in objects} | {number: [] for number in adc.damaged}
    failures = {number: why for number, places in parts.items()
                if (why := _fault(places, misplaced))}
    run = run_of(name, header, adc)
    return Bin(name, stem, header, dict(sorted(parts.items())), failures | adc.damaged,
               checks_of(missing, header, adc, len(misplaced), run), run)


def _pixels(file: BinaryIO, part: Target) -> NDArray[np.uint8]:
    file.seek(part.start)
    data = file.read(part.width * part.height)
    if len(data) < part.width * part.height:
        raise OSError("it has become shorter")
    return np.frombuffer(data, np.uint8).reshape(part.height, part.width)


def _contents(path: str, most: int, missing: list[str]) -> bytes:
    """All of a file, or nothing and why in `missing`."""
    ending = path[-4:]
    try:
        if not os.path.isfile(path):  # noqa: PTH113 (a pipe would be waited for)
            missing.append(f"no {ending} file")
            return b""
        with open(path, "rb") as file:  # noqa: PTH123
            size = os.fstat(file.fileno()).st_size
            data = file.read(size) if size <= most else b""
    except OSError as error:
        missing.append(f"the {ending} file cannot be read ({error.strerror})")
        return b""
    if not data:
        missing.append(f"the {ending} file is {'too large' if size > most else 'empty'}")
    return data


def _size(path: str, needed: bool, missing: list[str]) -> int:
    """Of the ``.roi`` file, -1 if there is none; without pictures it may be empty or one byte."""
    try:
        size = os.stat(path).st_size if os.path.isfile(path) else -1  # noqa: PTH113, PTH116
    except OSError:
        size = -1
    if size < 0:
        missing.append("no .roi file")
    elif needed and size <= 1:
        missing.append("the .roi file is empty")
    return size


def _misplaced(targets: Sequence[Target], size: int) -> dict[int, str]:
    """Why pictures cannot be where their lines say, by target number.

    Of pictures that lie over each other, those that join without a gap to the one before and the
    one after are read.
    """
    if size < 0:
        return {target.number: "there is no .roi file" for target in targets}
    found = {}
    for target in targets:
        if target.width * target.height > MAX_PIXELS:
            found[target.number] = (f"its line says {target.width} x {target.height} pixels, limit "
                                    f"{MAX_PIXELS}")
        elif target.end > size:
            found[target.number] = (f"the .roi file has {size} bytes, its pixels are said to end "
                                    f"at {target.end}")
    inside = [target for target in targets if target.number not in found]
    joined = _joined(inside, size)
    reach: Target | None = None
    for target in sorted(inside, key=lambda one: one.start):
        if reach is not None and target.start < reach.end:
            for one, other in ((reach, target), (target, reach)):
                if one.number not in joined:
                    found[one.number] = ("its pixels are said to lie over those of target "
                                         f"{other.number}")
        if reach is None or target.end > reach.end:
            reach = target
    return found


def _joined(targets: Sequence[Target], size: int) -> set[int]:
    """Those that begin where the one before ends, and end where the next begins."""
    ends = [0, *(target.end for target in targets)]
    starts = [*(target.start for target in targets), size]
    return {target.number for i, target in enumerate(targets)
            if (target.start == ends[i] or (i == 0 and target.start <= 1))
            and target.end == starts[i + 1]}


def _fault(parts: Sequence[Target], misplaced: Mapping[int, str]) -> str:
    """Why a picture cannot be used; empty if it can."""
    why = next((misplaced[part.number] for part in parts if part.number in misplaced), "")
    if not why and len(parts) > 1:
        _, _, width, height = joint_box(parts)
        if width * height > MAX_PIXELS:
            why = f"put together it would have {width} x {height} pixels, limit {MAX_PIXELS}"
    return why


def _failure(name: BinName, target: int, why: str) -> ImageFailure:
    return ImageFailure("read", f"{name.text}, target {target}: {why}. {_AGAIN}")
