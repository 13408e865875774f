"""Pooled deep features of plankton vignettes, and honestly validated classifiers on them.

Importing the package is light: networks, engines and plots are imported when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plankton_features.lazy import lazily

if TYPE_CHECKING:
    from plankton_features.assessment import Taxonomy, summarize
    from plankton_features.embedding import Recipe, make_recipe
    from plankton_features.extraction import ImageEmbedder, extract, open_session
    from plankton_features.finetuning import TuneOptions, TunePlan, fine_tune
    from plankton_features.heads import (
        Grouping,
        Head,
        HeadClassifier,
        HeadOptions,
        fit_head,
        head_pipeline,
        load_head,
        make_folds,
        make_split,
        save_head,
    )
    from plankton_features.images import Catalog, build_catalog
    from plankton_features.report import write_report, write_results
    from plankton_features.results import Results, classify, compare, validate
    from plankton_features.store import FeatureFile, merge_files, read_features

_HOMES = {
    "Catalog": "images",
    "FeatureFile": "store",
    "Grouping": "heads",
    "Head": "heads",
    "HeadClassifier": "heads",
    "HeadOptions": "heads",
    "ImageEmbedder": "extraction",
    "Recipe": "embedding",
    "Results": "results",
    "Taxonomy": "assessment.taxonomy",
    "TuneOptions": "finetuning",
    "TunePlan": "finetuning",
    "build_catalog": "images",
    "classify": "results",
    "compare": "results",
    "extract": "extraction",
    "fine_tune": "finetuning",
    "fit_head": "heads",
    "head_pipeline": "heads",
    "load_head": "heads",
    "make_folds": "heads",
    "make_recipe": "embedding",
    "make_split": "heads",
    "merge_files": "store",
    "open_session": "extraction",
    "read_features": "store",
    "save_head": "heads",
    "summarize": "assessment.summary",
    "validate": "results",
    "write_report": "report",
    "write_results": "report",
}

__all__ = [
    "Catalog",
    "FeatureFile",
    "Grouping",
    "Head",
    "HeadClassifier",
    "HeadOptions",
    "ImageEmbedder",
    "Recipe",
    "Results",
    "Taxonomy",
    "TuneOptions",
    "TunePlan",
    "build_catalog",
    "classify",
    "compare",
    "extract",
    "fine_tune",
    "fit_head",
    "head_pipeline",
    "load_head",
    "make_folds",
    "make_recipe",
    "make_split",
    "merge_files",
    "open_session",
    "read_features",
    "save_head",
    "summarize",
    "validate",
    "write_report",
    "write_results",
]


__getattr__ = lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
