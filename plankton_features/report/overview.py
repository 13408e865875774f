"""What was done and how it went, in the words of the page's first screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plankton_features.report.numbers import NONE, listed, whole
from plankton_features.report.tables import HEADLINE, score_rows
from plankton_features.report.words import (
    capital,
    classifier_words,
    sampler_words,
    verdict_words,
)


def headline(results: Mapping[str, Any]) -> dict[str, Any]:
    """Title, sentence, facts, main scores, verdict on calibration, warnings."""
    features = results.get("features") or {}
    source = "Images" if is_network(results) else "Features"
    return {"title": _file_name(features.get("path")) or source,
            "sentence": _sentence(results),
            "facts": _facts(results, features),
            "network": [(str(name), listed(text))
                        for name, text in (results.get("network") or {}).items()],
            "cards": score_rows(results.get("scores"), results.get("baselines"), HEADLINE,
                                width=280),
            "verdict": _verdict(results),
            "warnings": [str(text) for text in results.get("warnings") or ()]}


def is_network(results: Mapping[str, Any]) -> bool:
    """Whether the network itself was trained, on images."""
    return (results.get("options") or {}).get("classifier") == "network"


def _sentence(results: Mapping[str, Any]) -> str:
    options, rows = results.get("options") or {}, (results.get("features") or {}).get("rows")
    how = (results.get("folds") or {}).get("kind")
    classifier = classifier_words(options.get("classifier") or "a classifier")
    vignettes = f"{whole(rows)} vignettes" if rows else "vignettes"
    return (f"{capital(classifier)} with {_sampler(options)}, on {vignettes} of "
            f"{whole(len(results['classes']))} classes, scored on vignettes it had not seen"
            f"{f' ({how})' if how else ''}.")


def _sampler(options: Mapping[str, Any]) -> str:
    name = options.get("sampler") or "none"
    limits = [f"{limit} {options[limit]}" for limit in ("floor", "cap") if options.get(limit)]
    # Training of a network goes by these limits without a sampler too.
    is_plain = limits and name == "none" and options.get("classifier") == "network"
    text = "resampling" if is_plain else sampler_words(name)
    return f"{text} ({', '.join(limits)})" if limits else text


def _groups(folds: Mapping[str, Any]) -> str:
    if not folds.get("n_groups"):
        return "none: images of one tow may be on both sides of a split"
    told = f"{whole(folds['n_groups'])}, never on both sides of a split"
    without = folds.get("without_group")
    return told + (f"; images without one: {whole(without)}, and others of their tow may be on "
                   "both sides" if without else "")


def _facts(results: Mapping[str, Any], features: Mapping[str, Any]) -> list[tuple[str, str]]:
    options, folds = results.get("options") or {}, results.get("folds") or {}
    pca = options.get("pca")
    parts = f" on {whole(pca)} principal components" if isinstance(pca, int) else ""
    source = "Folder of images" if is_network(results) else "Features"
    facts = [(source, listed(features.get("path"))),
             ("Images", whole(features.get("rows"))),
             ("Classes", whole(len(results["classes"]))),
             ("Classifier", classifier_words(options.get("classifier") or NONE) + parts),
             ("Sampler", _sampler(options)),
             ("Validation", listed(folds.get("kind"))),
             ("Groups", _groups(folds)),
             ("Calibration", listed((results.get("calibration") or {}).get("method")))]
    return [(name, text) for name, text in facts if text != NONE]


def _verdict(results: Mapping[str, Any]) -> str:
    calibration = results.get("calibration") or {}
    last = calibration.get("after") or calibration.get("before") or {}
    return verdict_words(last.get("verdict"), last.get("sentence"))


def training(results: Mapping[str, Any]) -> dict[str, Any]:
    """Folds, classes that were missing, resampling of each class, chosen parameters."""
    folds, sampling = results.get("folds") or {}, results.get("sampling") or []
    before = sum(row.get("before") or 0 for row in sampling)
    after = sum(row.get("after") or 0 for row in sampling)
    more = sum((row.get("after") or 0) > (row.get("before") or 0) for row in sampling)
    fewer = sum((row.get("after") or 0) < (row.get("before") or 0) for row in sampling)
    repeats, kind = folds.get("repeats") or 1, str(folds.get("kind") or "")
    trained, chosen = is_network(results), results.get("choices") or []
    return {"trained": trained, "kind": capital(kind) if trained else kind,
            "repeats": whole(repeats) if repeats > 1 else "",
            "rows": [whole(n) for n in folds.get("rows") or ()],
            "missing": [(_fold(one), [str(c) for c in one.get("classes") or ()])
                        for one in folds.get("missing") or () if one.get("classes")],
            "sampling": [{**row, "name": row.get("class"), "text": whole(row.get("before")),
                          "text_after": whole(row.get("after"))} for row in sampling],
            "summary": {"before": whole(before), "after": whole(after), "more": more,
                        "fewer": fewer, "same": len(sampling) - more - fewer},
            "choices": [_choice(one) for one in chosen[:1 if trained else None]]}


def _fold(one: Mapping[str, Any]) -> str:
    if one.get("fold") is None:
        return "final fit, all rows"
    repeat = one.get("repeat")
    return f"fold {one['fold']}" + (f" of repeat {repeat}" if repeat else "")


def _choice(one: Mapping[str, Any]) -> dict[str, Any]:
    tried = [{**candidate} for candidate in one.get("candidates") or ()]
    texts = [f"{listed({k: v for k, v in t.items() if k != 'log_loss'})}: "
             f"{listed(_rounded(t.get('log_loss')))}" for t in tried]
    return {"fold": _fold(one), "parameters": listed(one.get("parameters")),
            "temperature": listed(_rounded(one.get("temperature"), 2)), "tried": texts}


def _rounded(value: Any, digits: int = 4) -> Any:
    return round(value, digits) if isinstance(value, float) else value


def about(results: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe, options, versions, times, and the command."""
    features = results.get("features") or {}
    recipe = {**(features.get("recipe") or {}),
              **{k: features[k] for k in ("recipe_id", "weights_source", "engine", "precision",
                                          "values") if features.get(k) not in (None, "")}}
    seconds = {k: f"{v:.1f} s" for k, v in (results.get("seconds") or {}).items()
               if isinstance(v, int | float)}
    recipe_of = "Recipe" if is_network(results) else "Recipe of the features"
    parts = {recipe_of: recipe, "Options": results.get("options") or {},
             "Versions": results.get("versions") or {}, "Time": seconds}
    return {"command": results.get("command") or "", "created": results.get("created") or "",
            "parts": [(title, [(str(k).replace("_", " "), listed(v)) for k, v in part.items()])
                      for title, part in parts.items() if part]}


def _file_name(path: Any) -> str:
    return str(path or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
