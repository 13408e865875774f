"""Samples of more than 8 bits: which value is white, and scaling to uint8 by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plankton_features.errors import ImageFailure

#: Full scale of each depth that can be asked for, the sample value that becomes 255.
FULL_SCALES = {"8": 255.0, "10": 1023.0, "12": 4095.0, "14": 16383.0, "16": 65535.0, "float": 1.0}
DEPTHS = ("auto", *FULL_SCALES)
_BAND = 2**21
"""Samples that are scaled at a time: a large picture is to need little memory besides its own."""
_SPARE = 200
"""One in this many samples may be above full scale: hot pixels, and what sharpening overshot."""
_OVERSHOOT = 1.5
"""Times full scale, up to which flat-fielding and interpolation carry any number of samples."""


@dataclass(frozen=True)
class Samples:
    """The samples of one picture, taken in bands of rows.

    Parameters
    ----------
    height : int
        In pixels.
    rows : callable of (int, int)
        Gives the rows from the first up to the second, (rows, width[, channels]), integer or
        floating point. A fourth channel is opacity of 16 bits.
    declared : int, optional
        Largest value that the file says its samples can have.
    """

    height: int
    rows: Callable[[int, int], np.ndarray]
    declared: int | None = None

    def bands(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows of the picture, samples)."""
        start, step = 0, max(1, _BAND // max(1, self.rows(0, 1).size))
        while start < self.height:
            stop = min(start + step, self.height)
            yield slice(start, stop), self.rows(start, stop)
            start = stop


def scale_to_uint8(values: np.ndarray, maximum: int | None = None,
                   depth: str = "auto") -> np.ndarray:
    """Scale samples of more than 8 bits to uint8.

    Parameters
    ----------
    values : ndarray of any shape, integer or floating point
    maximum : int, optional
        The largest value that the file says its samples can have.
    depth : {"auto", "8", "10", "12", "14", "16", "float"}, default="auto"
        See `full_scale`.

    Returns
    -------
    ndarray of the same shape, uint8
        What is above full scale is 255.

    Raises
    ------
    ImageFailure
        If values are negative, not finite, or do not fit the depth.

    Examples
    --------
    >>> scale_to_uint8(np.array([0, 4095], dtype=np.uint16))
    array([  0, 255], dtype=uint8)
    >>> scale_to_uint8(np.array([0, 4095], dtype=np.uint16), depth="16")
    array([ 0, 16], dtype=uint8)
    """
    flat = values.reshape(1, -1)
    return scaled(Samples(1, lambda *_: flat, maximum), depth)[0].reshape(values.shape)


def scaled(samples: Samples, depth: str = "auto") -> tuple[np.ndarray, float]:
    """Scale the samples of a picture.

    Parameters
    ----------
    samples : Samples
    depth : str
        See `full_scale`.

    Returns
    -------
    pixels : ndarray of the same shape, uint8
        Opacity is always scaled by 65535.
    full : float
        Full scale.

    Raises
    ------
    ImageFailure
        See `scale_to_uint8`.
    """
    full = full_scale(samples, depth)
    pixels = np.empty((samples.height, *samples.rows(0, 1).shape[1:]), np.uint8)
    for rows, band in samples.bands():
        pixels[rows] = _scaled_values(band, full)
        if _has_opacity(band):
            pixels[rows, :, 3] = _scaled_values(band[..., 3], FULL_SCALES["16"])
    return pixels, full


def full_scale(samples: Samples, depth: str = "auto") -> float:
    """The sample value that becomes 255.

    Parameters
    ----------
    samples : Samples
    depth : {"auto", "8", "10", "12", "14", "16", "float"}, default="auto"
        How many bits samples have, whatever holds them; ``float`` for 0..1. Half as much again
        may be there; beyond that, one sample in 200. ``auto`` is chosen from the picture alone:
        what the file declares, otherwise 8, 12 or 16 bits, the fewest that at most one sample
        in 200 is above; floating point is 0..1 with half as much again, or else 0..255.

    Returns
    -------
    float

    Raises
    ------
    ImageFailure
        If samples are negative, not finite, or do not fit the depth.
    """
    candidates = _candidates(samples, depth)
    above = np.zeros(len(candidates), np.int64)
    largest, n_samples = 0.0, 0
    for _, band in samples.bands():
        colour = band[..., :3] if _has_opacity(band) else band
        _check_band(colour)
        above += [np.count_nonzero(colour > most) for _, most in candidates]
        largest, n_samples = max(largest, colour.max().item()), n_samples + colour.size
    for (full, _), n in zip(candidates, above.tolist(), strict=True):
        if n <= n_samples // _SPARE:
            return full
    raise ImageFailure("decode", _misfit(largest, depth))


def _candidates(samples: Samples, depth: str) -> Sequence[tuple[float, float]]:
    """Full scales in the order of preference, each with the value that few samples may pass."""
    if depth != "auto":
        full = FULL_SCALES[depth]
        return [(full, full * _OVERSHOOT)]
    if samples.rows(0, 1).dtype.kind == "f":
        return [(1.0, _OVERSHOOT), (255.0, 255.0)]
    declared = [float(samples.declared)] if samples.declared else []
    return [(full, full) for full in (*declared, 255.0, 4095.0, 65535.0)]


def _check_band(values: np.ndarray) -> None:
    if not np.isfinite(values).all() or values.min() < 0:
        raise ImageFailure("decode", "samples are negative or not finite: export as 8 or 16 bit")


def _misfit(largest: float, depth: str) -> str:
    if depth != "auto":
        return (f"sample value {largest:.9g} does not fit the depth {depth}, which ends at "
                f"{FULL_SCALES[depth]:g}: choose another depth")
    return (f"sample value {largest:.9g} is out of range: expected 0..1 or 0..255 (floating point) "
            "or up to 16 bits (integer). If it is right, give the depth, such as 16")


def _has_opacity(band: np.ndarray) -> bool:
    return band.shape[2:] == (4,)


def _scaled_values(values: np.ndarray, full: float) -> np.ndarray:
    if values.dtype.kind == "f":
        return _rounded(values, full)
    places = values if values.dtype.itemsize < 4 else np.minimum(values, 65535)
    scaled: np.ndarray = _table(full)[places]
    return scaled


@lru_cache(maxsize=8)
def _table(full: float) -> np.ndarray:
    """What becomes of each value of 16 bits."""
    return _rounded(np.arange(65536), full)


def _rounded(values: np.ndarray, full: float) -> np.ndarray:
    return np.rint(np.minimum(values * (255.0 / full), 255)).astype(np.uint8)
