"""Find the object on its ground: white, grey or black."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plankton_features.images.framing import background_of, over
from plankton_features.morphometry.neighbours import (
    border,
    eroded,
    grown,
    most_within_three,
    padded,
    smoothed,
)

_LEAST = 6.0
"""Grey levels that an object differs from its ground at least; less is JPEG's own."""
_EXTENT, _PEAK = 4.0, 6.0
"""How many times the noise of the ground an object differs in all of it, and somewhere."""
_MOST_NOISE = 6.0
"""Grey levels; a border that varies more is not all ground."""
_SMOOTHING = 6 / 16
"""Noise of a smoothed picture by that of the picture."""
_FRAGMENT = 0.1
"""Of the largest piece's area; smaller pieces are left out."""
_EIGHT = np.ones((3, 3), bool)
_FOUR = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True, eq=False)
class Outline:
    """The object of a vignette, and what it lies on.

    Attributes
    ----------
    cover : ndarray of shape (height, width), float32, or None
        How much of each pixel the object covers, 0..1: whole pixels inside, parts along the edge.
        None if no object was found.
    grey : ndarray of shape (height, width), uint8
        The vignette in grey.
    ground : float
        Grey of the ground, 0..255.
    n_objects : int
        Objects found, of which the largest is outlined.
    """

    cover: NDArray[np.float32] | None
    grey: NDArray[np.uint8]
    ground: float
    n_objects: int

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Pixels of which the object covers half or more, shape (height, width)."""
        if self.cover is None:
            return np.zeros(self.grey.shape, bool)
        return self.cover >= 0.5


def outline(pixels: NDArray[np.uint8], *, ground: str | int = "border") -> Outline:
    """Find the largest object of a vignette.

    The ground is one grey (or colour), and its noise is estimated along the border of the slightly
    smoothed picture. What differs by more than four times the noise, lighter or darker, and by
    more than six times somewhere, is an object; both at least 6 and 9 grey levels. Connected are
    pixels that touch, by a corner too. The edge is then drawn where the difference falls to half
    of what it is within three pixels, so that neither blur nor a pale object moves it; a pixel
    on the edge is covered in part (van Vliet and Verbeek 1994). Holes are filled.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
        Transparent pixels are ground. In colour, a pixel differs as much as its channel that
        differs most.
    ground : {"border", "white", "black"} or int in 0..255, default="border"
        As `Framing.background`.

    Returns
    -------
    Outline

    Notes
    -----
    Of a vignette that is cut so tightly that most of its border is object, the ground has to be
    told, or the object is taken for it.

    References
    ----------
    .. [1] L. J. van Vliet and P. W. Verbeek, "Better geometric measurements based on photometric
       information", IEEE Instrumentation and Measurement Technology Conference, 1994, 1357-1360.

    Examples
    --------
    >>> vignette = np.full((9, 9), 250, np.uint8)
    >>> vignette[3:6, 2:7] = 100
    >>> found = outline(vignette)
    >>> found.n_objects, found.ground, int(found.mask.sum())
    (1, 250.0, 15)
    """
    background = background_of(pixels, ground)
    if pixels.shape[2:] == (4,):
        pixels = over(pixels, background)
    pixels = _one_channel_if_grey(pixels)
    values, level = _plane(pixels, background)
    even = smoothed(values)
    middle, noise = _middle_and_noise(border(even))
    if ground == "border":
        level = middle
    kept, n_objects = _largest(np.abs(even - level), noise)
    cover = None if kept is None else _cover(np.abs(values - level), np.abs(even - level), kept,
                                             noise)
    return Outline(cover, _grey(pixels), float(_grey(background[None, None])[0, 0]), n_objects)


def _one_channel_if_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        return pixels[..., 0]
    return pixels


def _plane(pixels: NDArray[np.uint8], background: NDArray[np.uint8],
           ) -> tuple[NDArray[np.float32], float]:
    """What an object is told from its ground by, and its value on the ground."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32), float(background[0])
    apart = np.abs(pixels.astype(np.int16) - background.astype(np.int16))
    return apart.max(axis=2).astype(np.float32), 0.0


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Brightness of colours, ITU-R BT.601, as Pillow's mode L."""
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    return np.rint(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)


def _middle_and_noise(values: NDArray[np.float32]) -> tuple[float, float]:
    """Median, and standard deviation of the ground by the values' spread around it.

    By half of the values, as others may be of an object; noise that is cut off at black or white
    is skewed, and its farther quartile tells more.
    """
    places = [len(values) // 4, len(values) // 2, 3 * len(values) // 4]
    low, middle, high = map(float, np.partition(values, places)[places])
    apart = np.partition(np.abs(values - np.float32(middle)), places[1])[places[1]]
    spread = 1.4826 * min(max(middle - low, high - middle), 1.5 * float(apart))
    return middle, min(spread, _MOST_NOISE)


def _largest(apart: NDArray[np.float32], noise: float) -> tuple[NDArray[np.bool_] | None, int]:
    """Pixels of the largest object, and how many objects there are."""
    least = max(_EXTENT * noise, _LEAST)
    parts, n = ndimage.label(apart > least, _EIGHT)
    if not n:
        return None, 0
    if n == 1:
        alone = bool(apart.max() > least * _PEAK / _EXTENT)
        return (parts > 0, 1) if alone else (None, 0)
    sizes = np.bincount(parts.ravel(), minlength=n + 1)
    sizes[0] = 0
    seen = np.bincount(parts[apart > least * _PEAK / _EXTENT], minlength=n + 1) > 0
    n_objects = int(np.count_nonzero(seen))
    if not n_objects:
        return None, 0
    return parts == np.argmax(sizes * seen), n_objects


def _cover(apart: NDArray[np.float32], even: NDArray[np.float32], kept: NDArray[np.bool_],
           noise: float) -> NDArray[np.float32]:
    """Share of each pixel that the object covers.

    Parameters
    ----------
    apart, even : ndarray of shape (height, width), float32
        Difference from the ground, and that of the smoothed picture.
    kept : ndarray of shape (height, width), bool
        Pixels of the object and its surroundings.
    noise : float
        Of the smoothed picture.
    """
    place = _around(kept)
    full = most_within_three(even[place] * kept[place])
    full = np.maximum(full - np.float32(noise), np.float32(_LEAST / 2))  # less what noise adds
    steep = 0.5 - np.clip(2 * noise / _SMOOTHING / full, 0.2, 0.4)
    part = np.clip((apart[place] / full - 0.5) / (2 * steep) + 0.5, 0, 1)
    inside = _without_fragments(_filled((part >= 0.5) & grown(kept[place])))
    part[eroded(inside)] = 1
    part[~grown(inside)] = 0
    cover = np.zeros(apart.shape, np.float32)
    cover[place] = part
    return cover


def _around(kept: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rectangle of what is kept, with two pixels around it."""
    rows, columns = (np.flatnonzero(kept.any(axis=axis)) for axis in (1, 0))
    return (slice(max(0, rows[0] - 2), rows[-1] + 3),
            slice(max(0, columns[0] - 2), columns[-1] + 3))


def _filled(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With its holes, and with slits and openings of hollows that are two pixels wide at most."""
    wide = grown(padded(inside, 2))
    outside, n = ndimage.label(~wide, _FOUR)
    if n > 1:
        wide = outside != outside[0, 0]
    return inside | eroded(eroded(wide))[2:-2, 2:-2]


def _without_fragments(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Its largest piece, and the others that are not much smaller."""
    pieces, n = ndimage.label(inside, _EIGHT)
    if n < 2:
        return inside
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept: NDArray[np.bool_] = (sizes >= _FRAGMENT * sizes.max())[pieces]
    return kept
