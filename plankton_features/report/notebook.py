"""Drawings of the report and vignettes, as a notebook shows them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from plankton_features.assessment.calibration.report import CalibrationReport
from plankton_features.errors import ImageFailure, InputError
from plankton_features.images import read_image
from plankton_features.report.curve_words import known_score
from plankton_features.report.curves import learning_curves
from plankton_features.report.files import StrPath, plain
from plankton_features.report.originals import Originals
from plankton_features.report.page import fill, sheets
from plankton_features.report.pictures import thumbnail
from plankton_features.report.reliability_drawing import confidence_histogram, reliability_diagram
from plankton_features.report.tables import comparison
from plankton_features.results.comparing import HeadComparison

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: What a notebook has room for.
_COMPARED = ("macro_f1", "accuracy", "log_loss", "ece")
#: Rules of what only notebooks show. Paper and ink stay light, as those of other plots do.
_OWN = """
background: var(--paper); color: var(--ink); padding: 0.75rem 1rem; max-width: 60rem;
font: 0.875rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif;
p { margin: 0 0 0.5rem; color: inherit; max-width: none; }
table { margin: 0 0 0.5rem; width: auto; border: 0; font-size: 0.8125rem; }
tr, td, thead, tbody th { background: none; }
td, th { white-space: normal; max-width: none; border-width: 0 0 1px; padding-right: 0.7rem; }
tbody th { min-width: 0; }
.meaning { font-size: 0.75rem; }
.track.wide { width: 110px; }
figure { margin: 0; }
figcaption { color: var(--ink); font-weight: normal; text-align: start; }
.diagrams { margin-top: 0; }
.strip { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.strip figure { width: var(--side); }
.strip figcaption { margin: 0.25rem 0 0; line-height: 1.3; font-size: 0.75rem;
  overflow-wrap: anywhere; }
.strip img { display: block; margin: 0; border-radius: 3px; outline: 1px solid var(--line); }
.strip .none { height: var(--side); display: grid; place-items: center; color: var(--muted);
  border: 1px dashed var(--line); border-radius: 3px; }
"""


@dataclass(frozen=True)
class Shown:
    """HTML that brings its own style; the last line of a notebook's cell shows it.

    Attributes
    ----------
    html : Markup
        Without style and without script.
    """

    html: Markup = field(repr=False)  # a notebook keeps the text besides

    def _repr_html_(self) -> str:
        # The page's rules, valid inside this element only; those of the dark theme never apply.
        rules = sheets("colours", "tables", "drawings", "curves").replace(":root {", "& {")
        style = Markup(f"<style>.plankton-shown.plankton-shown {{{rules}{_OWN}}}</style>")
        return Markup('<div class="plankton-shown">{}{}</div>').format(style, self.html)


def show_reliability(**reports: CalibrationReport) -> Shown:
    """Reliability diagrams side by side, each with its verdict.

    Points on the dashed line keep their promise; below it, the classifier promises too much.

    Parameters
    ----------
    **reports : CalibrationReport
        From `describe_calibration`, by the name to show above each; underscores become spaces.

    Returns
    -------
    Shown

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from plankton_features.assessment.calibration.report import describe_calibration
    >>> y = np.arange(200) % 2
    >>> shown = show_reliability(before=describe_calibration(y, None, np.tile([.9, .1], (200, 1))))
    >>> "Over-confident" in shown.html
    True
    """
    if not reports:
        raise InputError("reliability: expected one or more reports, such as before=report.")
    figures = [_figure(reliability_diagram(one.to_dict()["reliability"]["width"], name),
                       Markup("<b>{}</b><br>{}").format(name.replace("_", " "), one.sentence))
               for name, one in reports.items()]
    return Shown(Markup('<div class="diagrams">{}</div>').format(_joined(figures)))


def show_confidences(before: CalibrationReport, after: CalibrationReport) -> Shown:
    """How many images have which confidence: after as bars, before as an outline.

    Parameters
    ----------
    before, after : CalibrationReport
        From `describe_calibration`.

    Returns
    -------
    Shown
    """
    title = "Images by confidence: bars after, outline before"
    drawing = confidence_histogram(before.to_dict()["histogram"], after.to_dict()["histogram"],
                                   title)
    return Shown(_figure(drawing, title))


def show_curves(history: Sequence[Mapping[str, Any]] | pd.DataFrame, metric: str = "mcc") -> Shown:
    """Learning curves of a fine-tuned network, and in words how training went.

    Parameters
    ----------
    history : sequence of mapping, or DataFrame
        One, or one row, for each epoch, such as the part ``curves`` of results.json.
    metric : str
        The score that chose the epoch whose weights were kept.

    Returns
    -------
    Shown

    Raises
    ------
    InputError
        If there is no epoch, or none has the score `metric`.

    Examples
    --------
    >>> rows = [{"epoch": 1, "mcc": 0.4}, {"epoch": 2, "mcc": 0.6, "best": True}]
    >>> "was best in epoch 2 of 2" in show_curves(rows).html
    True
    """
    rows, name = _epochs(history), known_score(metric)
    told = learning_curves({"curves": rows, "options": {"metric": metric}})
    if told is None:
        raise InputError("learning curves: expected one or more epochs, got none.")
    if not any(name in row for row in rows):
        names = dict.fromkeys(n for row in rows for n in row if known_score(n) == n)
        raise InputError(f"learning curves: no epoch has the score '{metric}'. Pass "
                         f"metric=, one of: {', '.join(names) or '(epochs have no scores)'}.")
    figures = [Markup('<figure class="{}"><figcaption>{}</figcaption>{}</figure>').format(
        "small" if one["small"] else "", one["title"], one["drawing"]) for one in told["charts"]]
    return Shown(Markup('<p>{}</p><div class="charts">{}</div><p>{} {}</p>').format(
        told["verdict"], _joined(figures), told["phases"], told["pace"]))


def _epochs(history: Any) -> list[dict[str, Any]]:
    given = history.to_dict("records") if hasattr(history, "to_dict") else list(history)
    if not all(isinstance(row, Mapping) for row in given):
        raise InputError("learning curves: expected a mapping for each epoch, such as the part "
                         f"curves of results.json, got {type(given[0]).__name__}.")
    return [plain(row) for row in given]  # a table has NaN where a row has nothing


def show_comparison(compared: HeadComparison | Mapping[str, Any]) -> Shown:
    """Samplers and classifiers on the same folds: scores, paired differences, a recommendation.

    Parameters
    ----------
    compared : HeadComparison or mapping
        From `results.compare` or `results.compare_heads`, or the part ``comparison`` of a
        results.json.

    Returns
    -------
    Shown

    Raises
    ------
    InputError
        If nothing was compared.
    """
    given = compared.to_dict() if isinstance(compared, HeadComparison) else plain(compared)
    told = comparison({"comparison": given}, _COMPARED)
    if told is None:
        raise InputError("comparison: expected rows of two or more ways, got none.")
    return Shown(Markup(fill("comparison.html", comparison=told)))


def show_vignettes(paths: StrPath | Sequence[StrPath],
                   captions: str | Sequence[str] | None = None, *,
                   folder: StrPath | None = None, side: int = 112) -> Shown:
    """Vignettes side by side.

    Parameters
    ----------
    paths : sequence of path-like
        A single one counts as one.
    captions : sequence of str, optional
        One for each path, or none.
    folder : path-like, optional
        Paths are relative to it, and what lies outside of it is not shown: give it with the
        paths of a feature file that others made. By default paths are taken as they are.
    side : int
        Of each picture, in px, 8 to 1000. Vignettes keep their proportions; the rest is filled
        with the value of their border.

    Returns
    -------
    Shown
        A picture that cannot be read is a frame with the reason in it.

    Raises
    ------
    InputError
        If there are captions, but not as many as paths, or `side` is out of its range.
    """
    if not isinstance(side, Integral) or not 8 <= side <= 1000:
        raise InputError(f"side: expected a whole number of px, 8 to 1000, got {side!r}.")
    files, told = _listed(paths), _listed(captions)
    if len(told) not in (0, len(files)):
        raise InputError(f"captions: expected one for each of {len(files)} pictures, got "
                         f"{len(told)}.")
    read = read_image if folder is None else Originals(folder).read
    figures = [_figure_below(_picture(os.fspath(file), read, side), text)
               for file, text in zip(files, told or [""] * len(files), strict=True)]
    return Shown(Markup('<div class="strip" style="--side: {}px">{}</div>').format(
        side, _joined(figures)))


def _listed(given: Any) -> list[Any]:
    if isinstance(given, str | os.PathLike):
        return [given]
    return [] if given is None else list(given)


def _picture(path: str, read: Callable[[str], np.ndarray], side: int) -> Markup:
    try:
        image = thumbnail(read(path), side)
    except ImageFailure as failure:
        return Markup('<span class="none">{}</span>').format(failure.reason)
    return Markup('<img src="{}" width="{side}" height="{side}" alt="{name}" title="{name}">'
                  ).format(image, side=side, name=Path(path).name)


def _figure(drawing: Markup, caption: str) -> Markup:
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(caption, drawing)


def _figure_below(picture: Markup, caption: str) -> Markup:
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(picture, caption)


def _joined(parts: Sequence[Markup]) -> Markup:
    return Markup("").join(map(escape, parts))
