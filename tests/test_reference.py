"""The reference has every public name, and says of each what it takes and gives."""

import importlib
import pkgutil
import re
from dataclasses import fields, is_dataclass

import pytest
from doc_pages import REPOSITORY
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate

import plankton_features
from plankton_features import assessment

PAGES = REPOSITORY / "docs" / "reference"
ROOMS = [name for _, name, is_room in pkgutil.iter_modules(plankton_features.__path__)
         if is_room and name != "assessment"
         and hasattr(importlib.import_module(f"plankton_features.{name}"), "__all__")]
#: Modules that the room's docstring lists, and what is public in them.
ASSESSMENT = re.findall(r"^([\w.]+)  +\S", assessment.__doc__, re.MULTILINE)
#: No docstring; parameters that are not there, unknown or in another order; no returned value.
CHECKS = {"GL08", "PR01", "PR02", "PR03", "PR10", "RT01", "YD01", "SS01"}


def defined_in(module):
    found = importlib.import_module(module)
    return [f"{module}.{name}" for name, thing in vars(found).items()
            if not name.startswith("_") and getattr(thing, "__module__", "") == module]


def public_names():
    for room in ROOMS:
        module = f"plankton_features.{room}"
        yield from (f"{module}.{name}" for name in importlib.import_module(module).__all__)
    for name in ASSESSMENT:
        yield from defined_in(f"plankton_features.assessment.{name}")
    yield "plankton_features.images.synthetic.make_vignettes"


def thing_of(name):
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


NAMES = list(public_names())
CALLABLE = [name for name in NAMES if callable(thing_of(name))]


def listed(page):
    """Names in the tables of a page."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    tables = re.findall(r"\.\. autosummary::\n   :nosignatures:\n\n((?:   \S+\n)+)", text)
    return [line.strip().lstrip("~") for table in tables for line in table.splitlines()]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_page(room):
    text = (PAGES / f"{room}.md").read_text(encoding="utf-8")
    assert f".. automodule:: plankton_features.{room}\n   :members:\n" in text
    module = importlib.import_module(f"plankton_features.{room}")
    # Sphinx takes up by itself what is a function or class and needs no __getattr__.
    others = [name for name in module.__all__ if not callable(vars(module).get(name))]
    listed_apart = re.findall(r"auto(?:data|class|function):: \S+\.(\w+)", text)
    assert [name for name in listed_apart if name in module.__all__] == others
    assert re.search(rf"^{room}$", (PAGES / "index.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_of_assessment_has_every_module_of_the_room():
    text = (PAGES / "assessment.md").read_text(encoding="utf-8")
    assert listed("assessment") == ASSESSMENT
    assert re.findall(r"automodule:: plankton_features\.assessment\.([\w.]+)\n   :members:\n",
                      text) == ASSESSMENT


def test_what_the_room_of_assessment_offers_is_on_its_page():
    assert set(assessment._HOMES) == set(assessment.__all__)
    assert set(assessment._HOMES.values()) <= set(ASSESSMENT)
    for name in assessment.__all__:
        assert getattr(assessment, name).__module__.startswith("plankton_features.assessment.")


def test_the_first_page_lists_what_the_package_offers():
    offered = listed("index")
    homes = {name: f"plankton_features.{plankton_features._HOMES[name]}.{name}"
             for name in plankton_features.__all__}
    assert sorted(offered) == sorted(homes.values())


@pytest.mark.parametrize("name", CALLABLE)
def test_docstring_and_signature_agree(name):
    found = [f"{code} {text}" for code, text in validate(name)["errors"] if code in CHECKS]
    thing = thing_of(name)
    if is_dataclass(thing) or getattr(thing, "_is_protocol", False):  # they list attributes
        found = [line for line in found if not line.startswith("PR01")]
    assert not found


@pytest.mark.parametrize("name", [name for name in CALLABLE if is_dataclass(thing_of(name))])
def test_a_dataclass_documents_its_fields(name):
    thing = thing_of(name)
    doc = ClassDoc(thing)
    written = [part.strip() for entry in (*doc["Parameters"], *doc["Attributes"])
               for part in entry.name.split(",")]
    assert set(written) >= {field.name for field in fields(thing) if field.init}
