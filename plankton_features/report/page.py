"""The page: one HTML file that needs nothing else and lets nothing out."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from plankton_features.errors import InputError
from plankton_features.report import matrix
from plankton_features.report.calibration import calibration
from plankton_features.report.classes import class_table
from plankton_features.report.curves import learning_curves
from plankton_features.report.files import StrPath, content_of, plain, write_text
from plankton_features.report.lineages import lineage_texts, lineages
from plankton_features.report.numbers import chance, percent, whole
from plankton_features.report.overview import about, headline, training
from plankton_features.report.pictures import Pictures
from plankton_features.report.tables import abstention, comparison, optimism, score_rows
from plankton_features.results.results import Results


def write_report(results: Results | Mapping[str, Any], path: StrPath,
                 pictures: Pictures | None = None) -> None:
    """Write results as one HTML page that works without network.

    Class names, paths and all other text of `results` are shown as they are, never taken as
    markup. A content security policy lets the page load nothing and send nothing.

    Parameters
    ----------
    results : Results or mapping
        Or the content of a ``results.json``, also of an earlier version: parts may be None or
        missing, except ``classes``.
    path : path-like
        Replaced at once, when all is written.
    pictures : Pictures, optional
        See `collect_pictures`.

    Raises
    ------
    InputError
        If `results` has no classes, or its confusion matrix does not fit them.
    StoreError
        If the file cannot be written; what was there before is left as it was.
    """
    write_text(render(results, pictures), path)


def render(results: Results | Mapping[str, Any], pictures: Pictures | None = None) -> str:
    """The text of the page; see `write_report`."""
    told = plain(content_of(results))
    if not told.get("classes"):
        raise InputError("results: expected a list of classes, found none.")
    style, script = _style(told), _source("page.js")
    return fill("page.html", style=Markup(style), script=Markup(script),
                policy=_policy(style, script), **_sections(told, pictures))


def fill(template: str, **parts: Any) -> str:
    """A template of the page with its parts in place; their text is escaped."""
    environment = Environment(loader=PackageLoader(__package__, "page"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(name=_name, whole=whole, json=_json)
    return environment.get_template(template).render(**parts)


def _sections(results: dict[str, Any], pictures: Pictures | None) -> dict[str, Any]:
    return {"head": headline(results),
            "scores": score_rows(results.get("scores"), results.get("baselines")),
            "living": _living(results),
            "training": training(results),
            "curves": learning_curves(results),
            "lineages": lineages(results),
            "lineage_title": _lineage_title(lineage_texts(results)),
            "classes": class_table(results),
            "confusion": _confusion(results, pictures),
            "calibration": calibration(results),
            "abstention": abstention(results),
            "comparison": comparison(results),
            "optimism": optimism(results),
            "wall": _wall(results["classes"], pictures),
            "note": matrix.picture_note(pictures),
            "about": about(results)}


def _style(results: dict[str, Any]) -> str:
    """The style sheet, and that of the parts that a trained network adds if they are there."""
    has_more = any(results.get(part) for part in ("curves", "network", "taxonomy"))
    more = ("curves", "training") if has_more else ()
    return sheets("colours", "drawings", "tables", "page", *more)


def _living(results: dict[str, Any]) -> dict[str, Any] | None:
    given = results.get("living")
    if not given:
        return None
    return {"classes": given.get("classes") or [], "rows": whole(given.get("rows")),
            "scores": score_rows(given.get("scores"))}


def _confusion(results: dict[str, Any], pictures: Pictures | None) -> dict[str, Any] | None:
    classes = results["classes"]
    if not results.get("confusion"):
        return None
    counts = matrix.counts_of(results)
    wrong = int(counts.sum() - counts.trace())
    return {"classes": classes, "wrong": whole(wrong), "total": whole(int(counts.sum())),
            "share": percent(wrong / max(1, int(counts.sum()))),
            "frequent": matrix.frequent_confusions(counts),
            "plain": counts.tolist() if len(classes) <= matrix.PLAIN_TABLE else None,
            "payload": matrix.payload(results, counts, pictures)}


def _wall(classes: list[str], pictures: Pictures | None) -> list[dict[str, Any]]:
    place = {name: str(k) for k, name in enumerate(classes)}
    rows = pictures.rows[: pictures.n_wall] if pictures else ()
    return [{"picture": row, "probability": chance(row.probability),
             "cell": f"{place[row.label]},{place[row.taxon]}"
             if {row.label, row.taxon} <= place.keys() else ""} for row in rows]


def _lineage_title(texts: Mapping[str, str]) -> Callable[[object], Markup]:
    """Writes the attribute that shows a class's lineage where one points at its name."""
    def title(name: object) -> Markup:
        text = texts.get(str(name))
        return Markup(' title="{}"').format(text) if text else Markup("")

    return title


def _name(text: object) -> Markup:
    """Text that may be broken after underscores and slashes; a name for nothing."""
    shown = str(escape(text)) if str(text).strip() else "(no name)"
    return Markup(shown.replace("_", "_<wbr>").replace("/", "/<wbr>"))


def _json(value: object) -> Markup:
    """JSON that ends no script element, whatever text is in it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def sheets(*names: str) -> str:
    """Style sheets of the page, one after the other."""
    return "".join(_source(f"{name}.css") for name in names)


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return (f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
            f"script-src {_digest(script)}; base-uri 'none'; form-action 'none'")


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
