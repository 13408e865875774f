"""Learning curves as SVG: lines by epoch, with their names at their ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from plankton_features.report.axes import Scale, epoch_ticks, scale_of
from plankton_features.report.drawings import element, svg

_TOP, _BASE, _HEIGHT = 22, 204, 248
_INSIDE, _LETTER, _APART = 8, 7.0, 15.0
_DOTS_UP_TO, _TOLD_UP_TO = 12, 400


class Line(NamedTuple):
    """One curve: its name (none is shown if empty), its look in the style sheet, its values."""

    name: str
    look: str
    values: Sequence[float | None]


class Epochs(NamedTuple):
    """What the curves have in common.

    Attributes
    ----------
    numbers : sequence of int
        Ascending.
    phases : sequence of str
        Of each epoch.
    kept : int or None
        Place in `numbers` of the epoch whose weights were kept.
    told : sequence of str
        What is shown where one points at an epoch.
    """

    numbers: Sequence[int]
    phases: Sequence[str]
    kept: int | None
    told: Sequence[str]


class Frame(NamedTuple):
    """Where things are in a drawing."""

    left: float
    right: float
    width: float
    numbers: Sequence[int]
    scale: Scale

    def x(self, place: float) -> float:
        """Of the epoch at a place in the list; between two for a half."""
        first, last = self.numbers[0], self.numbers[-1]
        low = math.floor(place)
        number = self.numbers[low] + (place - low) * (
            self.numbers[min(low + 1, len(self.numbers) - 1)] - self.numbers[low])
        share = (number - first) / (last - first) if last > first else 0.5
        return self.left + _INSIDE + (self.right - self.left - 2 * _INSIDE) * share

    def y(self, value: float) -> float:
        """Of a value."""
        return _BASE - (_BASE - _TOP) * self.scale.share(value)


def curve_chart(lines: Sequence[Line], epochs: Epochs, label: str, width: float = 400,
                log_from: float = math.inf) -> Markup:
    """Values by epoch.

    Parameters
    ----------
    lines : sequence of Line
        A value of None leaves a gap.
    epochs : Epochs
        At least one.
    label : str
        For those who cannot see it.
    width : float
    log_from : float
        See `scale_of`.

    Returns
    -------
    Markup
    """
    scale = scale_of((v for line in lines for v in line.values), log_from)
    left = 8 + _LETTER * max(len(text) for _, text in scale.ticks)
    right = width - max(52, 20 + _LETTER * max(len(line.name) for line in lines))
    frame = Frame(left, right, width, epochs.numbers, scale)
    return svg(width, _HEIGHT, *_axes(frame), *_phases(frame, epochs), *_kept(frame, epochs),
               *(part for line in lines for part in _curve(frame, line, epochs)),
               *_names(frame, lines), *_pointed_at(frame, epochs), label=label, class_="chart")


def spaced(wanted: Sequence[float], apart: float, least: float, most: float) -> list[float]:
    """Heights near those wanted that are so far apart, in their order, and between two ends.

    Examples
    --------
    >>> spaced([50, 48, 10], 15, 0, 100), spaced([98, 99], 15, 0, 100), spaced([], 15, 0, 100)
    ([56.5, 41.5, 10.0], [85, 100], [])
    """
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    clusters: list[list[float]] = []
    for k in order:
        clusters.append([wanted[k]])
        while len(clusters) > 1 and _place(clusters[-1], apart, least, most) < _place(
                clusters[-2], apart, least, most) + apart * len(clusters[-2]):
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    heights = [_place(one, apart, least, most) + apart * i
               for one in clusters for i in range(len(one))]
    return [heights[order.index(k)] for k in range(len(wanted))]


def _place(cluster: Sequence[float], apart: float, least: float, most: float) -> float:
    """Of the first of a cluster, that as a whole moves as little as can be."""
    length = apart * (len(cluster) - 1)
    middle = sum(cluster) / len(cluster)
    return max(least, min(most - length, middle - length / 2))


def _axes(frame: Frame) -> Iterator[Markup]:
    for value, text in frame.scale.ticks:
        y = frame.y(value)
        yield element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="grid")
        yield element("text", text, x=frame.left - 6, y=y + 4, text_anchor="end")
    yield element("line", x1=frame.left, x2=frame.right, y1=_BASE, y2=_BASE, class_="axis")
    room = frame.right - frame.left
    for number in epoch_ticks(frame.numbers[0], frame.numbers[-1], 7 if room > 250 else 5):
        if number in frame.numbers:
            yield element("text", str(number), x=frame.x(frame.numbers.index(number)),
                          y=_BASE + 16, text_anchor="middle")
    yield element("text", "epoch", x=frame.right + 10, y=_BASE + 16)


def _phases(frame: Frame, epochs: Epochs) -> Iterator[Markup]:
    sizes = [(phase, len(list(some))) for phase, some in groupby(epochs.phases)]
    if len(sizes) < 2:
        return
    start, x = 0, frame.left
    for phase, size in sizes:
        start += size
        is_last = start == len(epochs.phases)
        end = frame.width if is_last else frame.x(start - 0.5)
        if end - x >= 8 + _LETTER * len(phase):
            yield element("text", phase, x=x + 5, y=12)
        if not is_last:
            yield element("line", x1=end, x2=end, y1=2, y2=_BASE, class_="divide")
        x = end


def _kept(frame: Frame, epochs: Epochs) -> Iterator[Markup]:
    if epochs.kept is None:
        return
    x, text = frame.x(epochs.kept), f"epoch {epochs.numbers[epochs.kept]} kept"
    half = _LETTER * len(text) / 2
    yield element("line", x1=x, x2=x, y1=_TOP, y2=_BASE, class_="kept")
    yield element("path", d=f"M{x:.1f} {_BASE + 21}l4 6h-8z", class_="pointer")
    yield element("text", text, x=min(max(x, half), frame.width - half), y=_BASE + 40,
                  text_anchor="middle", class_="kept-text")


def _curve(frame: Frame, line: Line, epochs: Epochs) -> Iterator[Markup]:
    points = [None if v is None else (frame.x(k), frame.y(v)) for k, v in enumerate(line.values)]
    runs = [list(some) for there, some in groupby(points, lambda p: p is not None) if there]
    path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in filter(None, run))
                   for run in runs if len(run) > 1)
    if path:
        yield element("path", d=path, class_=f"curve {line.look}")
    dotted = points if len(points) <= _DOTS_UP_TO else [run[0] for run in runs if len(run) == 1]
    for x, y in filter(None, dotted):
        yield element("circle", cx=x, cy=y, r=2.2, class_=f"spot {line.look}")
    if epochs.kept is not None and (at := points[epochs.kept]):
        yield element("circle", cx=at[0], cy=at[1], r=4.5, class_=f"ring {line.look}")


def _names(frame: Frame, lines: Sequence[Line]) -> Iterator[Markup]:
    """At the height of the last value, moved apart; a short line leads to those that are."""
    ends = [(line, max(k for k, v in enumerate(line.values) if v is not None))
            for line in lines if line.name and any(v is not None for v in line.values)]
    at = [frame.y(line.values[k] or 0.0) for line, k in ends]
    edge = frame.x(len(frame.numbers) - 1)
    for (line, k), y, shown in zip(ends, at, spaced(at, _APART, _TOP + 4, _BASE - 9), strict=True):
        if k == len(frame.numbers) - 1 and abs(shown - y) > 3:
            yield element("path", d=f"M{edge + 6:.1f} {y:.1f}L{edge + 14:.1f} {shown:.1f}",
                          class_="leader")
        yield element("text", line.name, x=edge + 18, y=shown + 4, class_=f"end {line.look}")


def _pointed_at(frame: Frame, epochs: Epochs) -> Iterator[Markup]:
    last = len(epochs.numbers) - 1
    if last >= _TOLD_UP_TO:
        return
    for k, text in enumerate(epochs.told):
        left = frame.left if k == 0 else frame.x(k - 0.5)
        right = frame.right if k == last else frame.x(k + 0.5)
        yield element("rect", element("title", text), x=left, y=_TOP, width=right - left,
                      height=_BASE - _TOP, class_="pointed")
