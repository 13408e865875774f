"""Reliability diagrams and histograms of confidence as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from plankton_features.report.drawings import element, svg
from plankton_features.report.numbers import Score, decimal, number, spread, whole

Bins = Sequence[Mapping[str, Any]]
_LEFT, _TOP, _SIDE, _STRIP = 34, 8, 258, 44
_WIDTH, _BASE = _LEFT + _SIDE + 8, _TOP + _SIDE + 24 + _STRIP
_FEW = 20


def reliability_diagram(bins: Bins, label: str) -> Markup:
    """Accuracy against confidence with intervals; below it, the rows in each bin.

    Parameters
    ----------
    bins : sequence of mapping
        ``low``, ``high`` (ends of the bin), ``count``, ``confidence``, ``accuracy``,
        ``accuracy_low``, ``accuracy_high``; empty bins are left out.
    label : str
        For those who cannot see it.

    Returns
    -------
    Markup
    """
    filled = [b for b in bins if b.get("count") and number(b.get("accuracy")) is not None]
    return svg(_WIDTH, _BASE + 34, *_axes(), *map(_point, filled), *_strip(filled), label=label,
               class_="diagram")


def confidence_histogram(before: Bins, after: Bins, label: str) -> Markup:
    """Confidences after calibration as bars, before it as an outline.

    Parameters
    ----------
    before, after : sequence of mapping
        ``low``, ``high``, ``count``; either may be empty.
    label : str

    Returns
    -------
    Markup
    """
    most = max((b.get("count") or 0 for b in (*before, *after)), default=0) or 1
    base, height, right = 118, 100, 560

    def x(value: Any) -> float:
        return 44 + (right - 52) * float(value or 0)

    bars = [element("rect", _told(b), x=x(b["low"]) + 0.5, width=x(b["high"]) - x(b["low"]) - 1,
                    y=base - height * b["count"] / most, height=height * b["count"] / most,
                    class_="bar") for b in after]
    steps = [f"H{x(b['low']):.1f}V{base - height * b['count'] / most:.1f}H{x(b['high']):.1f}"
             for b in before]
    outline = [element("path", d=f"M44 {base}{''.join(steps)}V{base}", class_="outline")] * bool(
        before)
    ticks = [element("text", decimal(v, 2), x=x(v), y=base + 14, text_anchor="middle")
             for v in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return svg(right, base + 32, element("line", x1=44, x2=right - 8, y1=base, y2=base,
                                         class_="scale"), *bars, *outline, *ticks,
               element("text", whole(most), x=40, y=26, text_anchor="end"),
               element("text", "confidence", x=(44 + right) / 2, y=base + 29,
                       text_anchor="middle"), label=label, class_="diagram wide")


def _x(value: float) -> float:
    return _LEFT + _SIDE * value


def _y(value: float) -> float:
    return _TOP + _SIDE * (1 - value)


def _axes() -> list[Markup]:
    lines = [element("line", x1=_x(0), y1=_y(0), x2=_x(1), y2=_y(1), class_="ideal")]
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        text = decimal(value, 2) if value not in (0, 1) else str(int(value))
        lines += [element("line", x1=_x(0), x2=_x(1), y1=_y(value), y2=_y(value), class_="grid"),
                  element("line", x1=_x(value), x2=_x(value), y1=_y(0), y2=_y(1), class_="grid"),
                  element("text", text, x=_x(0) - 5, y=_y(value) + 4, text_anchor="end"),
                  element("text", text, x=_x(value), y=_BASE + 14, text_anchor="middle")]
    middle = _TOP + _SIDE / 2
    return [*lines, element("text", "share that is right", x=10, y=middle, text_anchor="middle",
                            transform=f"rotate(-90 10 {middle:g})"),
            element("text", "confidence", x=_x(0.5), y=_BASE + 29, text_anchor="middle")]


def _point(one: Mapping[str, Any]) -> Markup:
    x, y = _x(float(one["confidence"])), _y(float(one["accuracy"]))
    low, high = number(one.get("accuracy_low")), number(one.get("accuracy_high"))
    parts = [element("title", _told(one)),
             element("line", x1=x, x2=x, y1=y, y2=_y(float(one["confidence"])), class_="gap")]
    if low is not None and high is not None:
        parts.append(element("line", x1=x, x2=x, y1=_y(low), y2=_y(high), class_="interval"))
    few = " few" if one["count"] < _FEW else ""
    return element("g", *parts, element("circle", cx=x, cy=y, r=3.6, class_="dot" + few))


def _strip(bins: Bins) -> list[Markup]:
    most = max((b["count"] for b in bins), default=1)
    parts = [element("text", "images", x=_LEFT, y=_BASE - _STRIP - 8)]
    for one in bins:
        left, right = _x(float(one["low"])), _x(float(one["high"]))
        tall = max(1.0, (_STRIP - 10) * one["count"] / most)
        parts.append(element("rect", element("title", _told(one)), x=left + 0.5, class_="bar",
                             width=max(0.8, right - left - 1), y=_BASE - tall, height=tall))
        if right - left >= 16:
            parts.append(element("text", _brief(one["count"]), x=(left + right) / 2,
                                 y=_BASE - tall - 3, text_anchor="middle", class_="tiny"))
    return parts


def _told(one: Mapping[str, Any]) -> str:
    ends = f"confidence {decimal(one['low'])} – {decimal(one['high'])}"
    text = f"{ends}: {whole(one['count'])} images"
    if number(one.get("accuracy")) is None:
        return text
    right = Score(None, number(one.get("accuracy_low")), number(one.get("accuracy_high")))
    return (f"{text}, mean confidence {decimal(one['confidence'])}, right "
            f"{decimal(one['accuracy'])} (95 %: {spread(right)})")


def _brief(count: int) -> str:
    if count < 1000:
        return str(count)
    return f"{count / 1000:.{int(count < 9_950)}f}k".replace(".0k", "k")
