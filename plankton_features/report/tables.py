"""Rows of the page's tables of scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plankton_features.report.drawings import Mark, difference, track
from plankton_features.report.numbers import (
    Score,
    as_score,
    decimal,
    number,
    signed,
    spread,
    whole,
)
from plankton_features.report.words import in_order, words_of

HEADLINE = ("macro_f1", "accuracy", "balanced_accuracy", "mcc")
_COMPARED = ("macro_f1", "accuracy", "balanced_accuracy", "mcc", "log_loss", "ece")
_MARKS = {"better": "▲", "worse": "▼"}


def score_rows(scores: Mapping[str, Any] | None, baselines: Mapping[str, Any] | None = None,
               names: tuple[str, ...] | None = None, width: int = 140) -> list[dict[str, Any]]:
    """A row for each score with its interval, its drawing and what guessing would score.

    Parameters
    ----------
    scores : mapping of str to {"estimate", "low", "high"}, or None
    baselines : mapping, optional
        ``majority`` and ``prior_random``, each name to number.
    names : tuple of str, optional
        Only these.
    width : int
        Of the drawings.

    Returns
    -------
    list of dict
        For the templates ``headline.html`` and ``scores.html``.
    """
    given = scores or {}
    wanted = [n for n in in_order(given) if names is None or n in names]
    return [_score_row(name, as_score(given[name]), baselines or {}, width) for name in wanted]


def _score_row(name: str, score: Score, baselines: Mapping[str, Any],
               width: int) -> dict[str, Any]:
    words = words_of(name)
    majority, random = (number((baselines.get(kind) or {}).get(name))
                        for kind in ("majority", "prior_random"))
    marks = (Mark("majority", majority), Mark("random", random))
    lowest = min((v for v in (score.low, score.estimate, majority, random) if v is not None),
                 default=0.0)
    least = 0.0 if words.least is not None and lowest >= 0 else words.least
    drawn = (None if least is None or words.most is None
             else track(score, marks, least, words.most, width))
    return {"name": name, "title": words.title, "meaning": words.meaning,
            "estimate": decimal(score.estimate), "interval": spread(score), "drawing": drawn,
            "majority": decimal(majority), "random": decimal(random),
            "low_is_good": not words.high_is_good}


def comparison(results: Mapping[str, Any],
               wanted: tuple[str, ...] = _COMPARED) -> dict[str, Any] | None:
    """Samplers and classifiers on the same folds, with differences to the baseline."""
    given = results.get("comparison")
    if not given or not given.get("rows"):
        return None
    rows = given["rows"]
    names = [n for n in wanted if any((row.get("scores") or {}).get(n) for row in rows)]
    differences = [as_score((row.get("difference") or {}).get("macro_f1")) for row in rows]
    reach = max((abs(v) for d in differences for v in (d.estimate, d.low, d.high)
                 if v is not None), default=0.0)
    return {"baseline": given.get("baseline") or "", "names": [words_of(n).title for n in names],
            "recommendation": given.get("recommendation") or "", "reach": signed(reach),
            "rows": [_compared(row, names, score, reach)
                     for row, score in zip(rows, differences, strict=True)]}


def _compared(row: Mapping[str, Any], names: list[str], score: Score,
              reach: float) -> dict[str, Any]:
    scores = [as_score((row.get("scores") or {}).get(name)) for name in names]
    verdict = "baseline" if score.estimate is None else row.get("verdict") or ""
    return {"name": row.get("name") or "", "verdict": verdict, "sign": _MARKS.get(verdict, ""),
            "scores": [(decimal(s.estimate), spread(s), s.estimate) for s in scores],
            "difference": signed(score.estimate), "interval": spread(score),
            "is_baseline": score.estimate is None, "drawing": difference(score, reach),
            "value": score.estimate,
            "seconds": row.get("seconds"), "time": _time(row.get("seconds"))}


def optimism(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Scores with groups kept together beside scores with groups torn apart."""
    given = results.get("optimism")
    if not given:
        return None
    grouped, ungrouped = given.get("grouped") or {}, given.get("ungrouped") or {}
    names = [n for n in in_order(grouped) if n in ungrouped]
    rows = [{"title": words_of(n).title, "grouped": decimal(grouped[n]),
             "ungrouped": decimal(ungrouped[n]), "difference": _minus(ungrouped[n], grouped[n])}
            for n in names]
    return {"rows": rows, "sentence": given.get("sentence") or ""}


def abstention(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is left, and how right it is, when doubtful images are not named."""
    given = results.get("abstention")
    if not given:
        return None
    coverage, precision = as_score(given.get("coverage")), as_score(given.get("precision"))
    return {"promised": decimal(given.get("min_precision"), 2),
            "coverage": coverage, "precision": precision,
            "rows": [("coverage", "share of images that are named", decimal(coverage.estimate),
                      spread(coverage), track(coverage)),
                     ("precision", "share of those that are right", decimal(precision.estimate),
                      spread(precision), track(precision))],
            "abstained": whole(given.get("abstained_rows"))}


def _minus(first: Any, second: Any) -> str:
    one, two = number(first), number(second)
    return signed(None if one is None or two is None else one - two)


def _time(seconds: Any) -> str:
    found = number(seconds)
    if found is None:
        return decimal(None)
    return f"{found:.0f} s" if found < 120 else f"{found / 60:.1f} min"
