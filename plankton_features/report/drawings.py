"""Small drawings as SVG: bars with intervals. Colours are in page.css."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup, escape

from plankton_features.report.numbers import Score


class Mark(NamedTuple):
    """Something to compare with, drawn on a bar."""

    kind: str
    value: float | None


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """One element; text is escaped. ``class_`` is class, other underscores become hyphens.

    Examples
    --------
    >>> print(element("text", "<b>", x=1.25, class_="axis", text_anchor="end"))
    <text x="1.2" class="axis" text-anchor="end">&lt;b&gt;</text>
    """
    text = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
                   for name, value in attributes.items())
    return Markup(f"<{tag}{text}>{''.join(map(escape, children))}</{tag}>")


def svg(width: float, height: float, *children: object, label: str = "",
        class_: str = "") -> Markup:
    """A drawing; without a label it only repeats what the text beside it says."""
    told: dict[str, object] = {"role": "img", "aria_label": label} if label else {
        "aria_hidden": "true"}
    return element("svg", *children, viewBox=f"0 0 {width:g} {height:g}", class_=class_, **told)


def track(score: Score, marks: Iterable[Mark] = (), least: float = 0.0, most: float = 1.0,
          width: int = 120) -> Markup:
    """A score on its scale: bar to the estimate, its interval, and marks to compare with.

    Parameters
    ----------
    score : Score
        Nothing but the scale is drawn if it has no estimate.
    marks : iterable of Mark
        Kinds: ``majority`` (a line) and ``random`` (a diamond).
    least, most : float
        Ends of the scale; what lies outside is drawn at the end.
    width : int

    Returns
    -------
    Markup
    """
    def place(value: float) -> float:
        return 3 + (width - 6) * min(1.0, max(0.0, (value - least) / (most - least)))

    start = place(max(least, 0.0))
    marked = [_mark(mark.kind, place(mark.value)) for mark in marks if mark.value is not None]
    parts = [element("line", x1=3, x2=width - 3, y1=7, y2=7, class_="scale")]
    if least < 0 < most:
        parts.append(element("line", x1=start, x2=start, y1=2, y2=12, class_="zero"))
    if score.estimate is not None:
        parts.extend(_bar(start, place(score.estimate)))
        if score.low is not None and score.high is not None:
            parts.append(_interval(place(score.low), place(score.high)))
        parts.append(_estimate(place(score.estimate)))
    return svg(width, 14, *parts, *marked, class_="track")


def difference(score: Score, reach: float, width: int = 160) -> Markup:
    """A difference and its interval on both sides of zero.

    Parameters
    ----------
    score : Score
    reach : float
        The scale goes from ``-reach`` to ``reach``.
    width : int

    Returns
    -------
    Markup
    """
    def place(value: float) -> float:
        return width / 2 + (width / 2 - 4) * min(1.0, max(-1.0, value / (reach or 1)))

    parts = [element("line", x1=4, x2=width - 4, y1=7, y2=7, class_="scale"),
             element("line", x1=width / 2, x2=width / 2, y1=0, y2=14, class_="zero")]
    if score.low is not None and score.high is not None:
        parts.append(_interval(place(score.low), place(score.high)))
    if score.estimate is not None:
        parts.append(_estimate(place(score.estimate)))
    return svg(width, 14, *parts, class_="track wide")


def _bar(start: float, end: float) -> list[Markup]:
    left, right = sorted((start, end))
    return [element("rect", x=left, y=4.5, width=right - left, height=5, class_="bar")]


def _interval(low: float, high: float) -> Markup:
    return element("rect", x=low, y=4, width=max(high - low, 1.0), height=6, class_="reach")


def _estimate(x: float) -> Markup:
    return element("line", x1=x, x2=x, y1=1, y2=13, class_="estimate")


def _mark(kind: str, x: float) -> Markup:
    if kind == "majority":
        return element("line", x1=x, x2=x, y1=3, y2=11, class_="mark")
    return element("path", d=f"M{x:.1f} 4l3 3-3 3-3-3z", class_="mark")


def _short(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
