"""The figure of a map of vignettes, by Bokeh."""

from __future__ import annotations

import importlib.util
from itertools import product
from typing import TYPE_CHECKING, Any

import pandas as pd

from plankton_features.errors import InputError
from plankton_features.report.map_places import Window

if TYPE_CHECKING:
    from bokeh.plotting import figure

#: Okabe and Ito's colours, which the colour-blind tell apart, without yellow; then darker ones.
_COLOURS = (("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#1b262d"),
            ("#00415f", "#8a5f00", "#005c43", "#7d3700", "#1f6f9e", "#8a3f66", "#6b7780"),
            ("#6aaed6", "#f2c96b", "#6ccbb0", "#f0a06a", "#a5d8f3", "#e5b8d1", "#a9b3b9"))
#: Width of the frame of a vignette in px; half of it lies under the picture.
FRAME = 4
_MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex")
_LOOKS = tuple((colour, marker) for shades, marker in product(_COLOURS, _MARKERS)
               for colour in shades)
_PICTURE = '<img src="@image" alt="" style="display: block; margin-bottom: 4px">'
_WORDS = ('<div style="max-width: 220px; overflow-wrap: anywhere"><b>@label</b><br>@path<br>'
          "@width × @height px</div>")


def import_bokeh() -> None:
    """Refuse with the name of the extra that brings Bokeh, if it is not installed.

    Raises
    ------
    InputError
    """
    if importlib.util.find_spec("bokeh") is None:
        raise InputError("map: needs Bokeh, which is not installed. "
                         'pip install "plankton_features[notebooks]"')


def look_of(number: int) -> tuple[str, str]:
    """Colour and marker of a taxon; the first 126 all differ.

    Examples
    --------
    >>> look_of(0), look_of(7)
    (('#0072b2', 'circle'), ('#0072b2', 'square'))
    >>> len({look_of(k) for k in range(126)})
    126
    """
    return _LOOKS[number % len(_LOOKS)]


def draw_map(table: pd.DataFrame, window: Window, note: str) -> figure:
    """The figure.

    Parameters
    ----------
    table : DataFrame
        Columns ``x``, ``y``, ``label``, ``path``, ``width``, ``height``, ``image`` (data URI,
        empty without one), ``w``, ``h`` (px of the vignette on the map), ``drawn``.
    window : Window
    note : str
        Below the map.

    Returns
    -------
    bokeh.plotting.figure
    """
    from bokeh.models import HoverTool
    from bokeh.models.annotations import Legend, LegendItem

    plot = _empty(window, note)
    kinds: dict[str, list[Any]] = {"pictured": [], "bare": []}
    items = []
    for number, (label, rows) in enumerate(_by_taxon(table)):
        pictured, bare, frames = _draw_taxon(plot, rows, *look_of(number))
        kinds["pictured"] += pictured
        kinds["bare"] += bare
        items.append(LegendItem(label=f"{label} ({len(rows)})",
                                renderers=[*pictured, *bare, *frames]))
    for kind, text in (("pictured", _PICTURE + _WORDS), ("bare", _WORDS)):
        plot.add_tools(HoverTool(renderers=kinds[kind], tooltips=text, point_policy="snap_to_data",
                                 attachment="horizontal"))
    plot.add_layout(Legend(items=items, click_policy="hide", label_text_font_size="12px",
                           spacing=0, border_line_color=None, styles={
                               "max-height": f"{window.height - 60}px", "overflow-y": "auto"}),
                    "right")
    return plot


def _empty(window: Window, note: str) -> figure:
    from bokeh.models import Range1d
    from bokeh.models.annotations import Title
    from bokeh.plotting import figure

    x_range, y_range = (Range1d(start=low, end=high) for low, high in window.ends())
    plot = figure(width=window.width, height=window.height, x_range=x_range, y_range=y_range,
                  match_aspect=True, tools="pan,wheel_zoom,box_zoom,reset,save",
                  toolbar_location="above", active_scroll="wheel_zoom", sizing_mode="stretch_width",
                  background_fill_color="#f3f5f4", outline_line_color=None)
    plot.axis.visible = False
    plot.grid.visible = False
    plot.toolbar.logo = None
    plot.add_layout(Title(text=note, text_font_style="normal", text_color="#58666f"), "below")
    return plot


def _by_taxon(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Taxa, the commonest first."""
    named = table.assign(label=table["label"].replace("", "(no label)"))
    sizes = named["label"].value_counts(sort=False)
    order = sorted(sizes.index, key=lambda label: (-sizes[label], label))
    return [(label, named[named["label"] == label]) for label in order]


def _draw_taxon(plot: figure, rows: pd.DataFrame, colour: str,
                marker: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Renderers with a picture, those without, and those of the pictures themselves."""
    from bokeh.models import ColumnDataSource

    has = rows["image"] != ""
    drawn, dots, bare = (ColumnDataSource(some.drop(columns="drawn").to_dict("list")) for some in (
        rows[rows["drawn"]], rows[has & ~rows["drawn"]], rows[~has]))
    look: dict[str, Any] = {"size": 8, "marker": marker, "color": colour, "alpha": 0.75,
                            "level": "underlay"}
    frames = plot.rect("x", "y", "w", "h", width_units="screen", height_units="screen",
                       source=drawn, fill_color=colour, line_color=colour, line_width=FRAME)
    images = plot.image_url("image", "x", "y", "w", "h", w_units="screen", h_units="screen",
                            anchor="center", source=drawn)
    return ([plot.scatter("x", "y", source=dots, **look), frames],
            [plot.scatter("x", "y", source=bare, **look)], [images])
