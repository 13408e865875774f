"""What notebooks and programs of others build upon: where it is found, and that it stays there."""

import importlib
import re
from pathlib import Path

import pytest

import plankton_features

ROOT = Path(__file__).parents[1]
PUBLIC = [
    "Catalog", "FeatureFile", "Grouping", "Head", "HeadClassifier", "HeadOptions", "ImageEmbedder",
    "Recipe", "Results", "Taxonomy", "TuneOptions", "TunePlan", "build_catalog", "classify",
    "compare", "extract", "fine_tune", "fit_head", "head_pipeline", "load_head", "make_folds",
    "make_recipe", "make_split", "merge_files", "open_session", "read_features", "save_head",
    "summarize", "validate", "write_report", "write_results",
]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"),
                *(ROOT / "notebooks").glob("*.ipynb")])
IMPORTS = re.compile(r"from (plankton_features[\w.]*) import (\([^)]*\)|[^\n\\]*)")


def imported_on(page):
    """Module and name of everything that a page imports from the package."""
    text = page.read_text(encoding="utf-8").replace('\\n",\n    "', "\n")
    for module, names in IMPORTS.findall(text):
        for name in re.findall(r"(\w+)(?: as \w+)?", names):
            yield module, name


def test_the_top_offers_these_names():
    assert plankton_features.__all__ == PUBLIC == dir(plankton_features)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there_and_says_what_it_is(name):
    thing = getattr(plankton_features, name)
    assert thing.__doc__
    room = plankton_features._HOMES[name].split(".")[0]
    home = importlib.import_module(f"plankton_features.{room}")
    assert thing is getattr(home, name)
    assert name in home.__all__


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = plankton_features.nothing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_pages_import_from_the_top_or_from_a_room(page):
    for module, name in imported_on(page):
        assert module.count(".") <= 1, f"{module} lies deep"
        if module != "plankton_features.errors":
            assert name in importlib.import_module(module).__all__, f"{module}.{name}"


def test_the_pages_import_what_the_walk_sees():
    seen = {name for page in PAGES for _, name in imported_on(page)}
    assert {"validate", "read_features", "summarize", "make_vignettes"} <= seen
