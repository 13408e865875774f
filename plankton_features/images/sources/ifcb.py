"""Catalogs from trees of IFCB bins, whose pictures are read from the ``.roi`` files in place."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import ImageFailure, InputError, counted
from plankton_features.images.catalog import Catalog
from plankton_features.images.ifcb.bins import Bin, read_bin
from plankton_features.images.ifcb.columns import columns_of
from plankton_features.images.ifcb.names import BinName, picture_id, split_picture_id
from plankton_features.images.ifcb.stitching import joint_box
from plankton_features.images.source import times_of
from plankton_features.images.sources.folder import (
    IMAGE_SUFFIXES,
    counted_as,
    is_image_name,
    is_left_aside,
    walk,
)

_ENDINGS = (".adc", ".hdr", ".roi")
#: Folders in which people keep bins that are not to be used.
LEFT_ASIDE = frozenset(("skip", "bad", "beads"))
_SHOWN = 3


class IfcbBins:
    """Pictures in the ``.roi`` files of bins.

    Parameters
    ----------
    root : Path
        The folder that holds them, at any depth.
    stems : mapping of str to str, optional
        Name of each bin to the path of its files, without endings. By default they are looked for
        when the first picture is read.
    """

    def __init__(self, root: Path, stems: Mapping[str, str] | None = None):
        self.root = root
        if stems is not None:
            self.stems = dict(stems)

    def __str__(self) -> str:
        return str(self.root)

    def read(self, path: str) -> NDArray[np.uint8]:
        """See `ImageSource`; `path` is the picture's id."""
        name, _, number = path.rpartition("_")
        stem = self.stems.get(name)
        if stem is None or split_picture_id(path) is None:
            raise ImageFailure("read", "no such bin in this folder")
        return _bin_at(stem, _times(stem)).read(int(number))

    def where(self, path: str) -> str:
        """See `ImageSource`."""
        name, target = split_picture_id(path) or (path, 0)
        return f"{name}, target {target}"

    def stamps(self, paths: Sequence[str]) -> Iterator[str]:
        """See `ImageSource`; a look at each bin, not at each picture."""
        yield os.path.realpath(self.root)
        last = ""
        for path in paths:
            name, _ = split_picture_id(path) or (path, 0)
            if name != last:
                yield f"{name} {_times(self.stems[name]) if name in self.stems else '-'}"
                last = name

    @cached_property
    def stems(self) -> dict[str, str]:
        """Name of each bin to the path of its files, without endings.

        Raises
        ------
        InputError
            If the folder cannot be opened, or one bin lies in several places.
        """
        return find_bins(self.root).stems


class FoundBins(NamedTuple):
    """Bins of a folder: where they are, copies of them, and files and folders left aside."""

    stems: dict[str, str]
    copies: int
    ignored: dict[str, int]


def holds_bins(path: str) -> bool:
    """Whether a folder holds an ``.adc`` or ``.roi`` file of a bin, at any depth."""
    for _, folders, files in os.walk(path):
        if any(name.endswith((".adc", ".roi")) and BinName.parse(name[:-4]) for name in files):
            return True
        folders[:] = [name for name in folders if not is_left_aside(name)]
    return False


def find_bins(root: Path) -> FoundBins:
    """Look for bins in a folder and in all folders below it.

    Parameters
    ----------
    root : Path

    Returns
    -------
    FoundBins
        In the order of their names. Folders named ``skip``, ``bad`` or ``beads``, hidden ones and
        those that systems leave are left aside. Of copies of a bin the first is taken.

    Raises
    ------
    InputError
        If the folder cannot be opened, or bins of one name differ in size.
    """
    sizes: dict[str, dict[str, int]] = {}
    ignored: Counter[str] = Counter()
    aside: set[str] = set()
    for file in walk(root):
        path, ending = file.path[:-4], file.path[-4:]
        *folders, name = path.split("/")
        skipped = next((i for i, one in enumerate(folders) if one.lower() in LEFT_ASIDE), None)
        if skipped is not None:
            aside.add("/".join(folders[:skipped + 1]) + "/")
        elif ending in _ENDINGS and BinName.parse(name):
            sizes.setdefault(path, {})[ending] = file.size
        elif file.usable and not is_image_name(file.path):  # a folder that cannot be opened
            ignored[counted_as(file.path + "/")] += 1
        else:
            ignored[counted_as(file.path)] += 1
    ignored.update(map(counted_as, aside))
    return _without_copies(root, sizes, dict(ignored))


def catalog_from_bins(root: Path, skip_bad_bins: bool = False,
                      pixel_size: float | None = None) -> Catalog:
    """List the pictures of all bins in a folder.

    Only ``.adc`` and ``.hdr`` files are read. Paths and ids are those of `picture_id`; a bin is a
    group. Pictures that cannot be used are in the catalog, and fail when they are read. What is
    known of bins and pictures is in `columns`, see `columns_of`.

    Parameters
    ----------
    root : Path
    skip_bad_bins : bool, default=False
        Leave out bins that fail a check of `Checks`; by default they are used, and marked.
    pixel_size : float, optional
        Width of a pixel in µm; by default 1/3.4.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If there is no bin, or none with a picture that may be used, or `pixel_size` is no
        positive number; see also `find_bins`.
    """
    found = find_bins(root)
    if not found.stems:
        raise InputError(f"{root}: expected bins of an IFCB (.adc, .hdr and .roi files named like "
                         "D20220519T124533_IFCB134 or IFCB5_2012_028_081515), found none. Give "
                         "the folder that holds them.")
    bins = [read_bin(stem) for stem in found.stems.values()]
    used = [one for one in bins if not (skip_bad_bins and one.checks.failed)]
    told = _told(bins, used, found)
    if not any(one.parts for one in used):
        raise InputError(f"{root}: no pictures. {told}. "
                         + ("Leave out --skip-bad-bins to use them all the same."
                            if len(used) < len(bins) else "Give a folder with other bins."))
    paths = [picture_id(one.name.text, target) for one in used for target in one.parts]
    columns, units = columns_of(used, pixel_size)
    return Catalog(
        source=IfcbBins(root, {one.name.text: one.stem for one in used}),
        path=paths, label=[""] * len(paths),
        group=[one.name.text for one in used for _ in one.parts], id=list(paths),
        size=np.array([_size(one, target) for one in used for target in one.parts], np.int64),
        ignored=found.ignored, recognised=told, columns=columns, units=units)


def _without_copies(root: Path, sizes: Mapping[str, Mapping[str, int]],
                    ignored: dict[str, int]) -> FoundBins:
    first: dict[str, str] = {}
    copies = 0
    for path in sorted(sizes):
        name = PurePosixPath(path).name
        if name not in first:
            first[name] = path
        elif sizes[path] == sizes[first[name]]:
            copies += 1
        else:
            raise InputError(f"{root}: bin {name} is there twice and differs: {first[name]} and "
                             f"{path}. Move one of them to a folder named skip.")
    return FoundBins({name: os.path.join(root, first[name]) for name in sorted(first)},  # noqa: PTH118
                     copies, ignored)


def _told(bins: Sequence[Bin], used: Sequence[Bin], found: FoundBins) -> str:
    """What was found, in a line."""
    volumes = [one.run.volume for one in used if one.run.volume > 0]
    of = f" of {counted(len(volumes), 'bin')}" if len(volumes) < len(used) else ""
    parts = [counted(len(bins), "bin"), counted(sum(len(one.parts) for one in used), "image"),
             f"{_rounded(sum(volumes))} mL{of}"]
    if found.copies:
        parts.append(f"{counted(found.copies, 'bin')} there twice")
    marked = {one.name.text: one.checks.failed for one in bins if one.checks.failed}
    if marked:
        some = "; ".join(f"{name}: {', '.join(failed.values())}"
                         for name, failed in list(marked.items())[:_SHOWN])
        done = "left out" if len(used) < len(bins) else "marked"
        parts.append(f"{counted(len(marked), 'bin')} {done}: {some}"
                     + ("; ..." if len(marked) > _SHOWN else ""))
    beside = sum(n for ending, n in found.ignored.items() if ending in IMAGE_SUFFIXES)
    return f"IFCB: {', '.join(parts)}" + (
        f"; {counted(beside, 'image beside them')} not read" if beside else "")


def _rounded(volume: float) -> str:
    return f"{volume:,.1f}" if volume >= 100 else f"{volume:.3g}"


def _size(one: Bin, target: int) -> int:
    """Pixels of a picture, -1 if it cannot be used."""
    if target in one.failures:
        return -1
    first, *others = one.parts[target]
    _, _, width, height = joint_box(one.parts[target]) if others else first[2:6]
    return width * height


def _times(stem: str) -> str:
    return f"{times_of(stem + '.adc')} {times_of(stem + '.roi')}"


@lru_cache(maxsize=64)
def _bin_at(stem: str, times: str) -> Bin:
    """A bin, as its files are since their last change."""
    return read_bin(stem)
