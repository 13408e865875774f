"""docs/validation.md names tests that exist, sources of the code, and outputs that come out."""

import contextlib
import io
import itertools
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import plankton_features.assessment as room
from plankton_features.assessment.summary import SCORES
from plankton_features.report import words

PAGE = Path(__file__).parents[1] / "docs" / "validation.md"
TEXT = PAGE.read_text(encoding="utf-8")
SOURCE = r"(?:doi:10\.\d{4,}/|arXiv:)\S*?(?=[.,;)]*(?:\s|$))"


def sources(path):
    return re.findall(SOURCE, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+(?:\.\.\.)?)`", TEXT))))
def test_tests_that_are_named_exist(name):
    tests = Path(__file__).parent.rglob("test_*.py")
    start = f"\ndef {name}(".replace("...(", "")
    assert any(start in path.read_text(encoding="utf-8") for path in tests)


@pytest.mark.parametrize("source", sorted({
    source for path in Path(room.__file__).parent.glob("*.py") for source in sources(path)}))
def test_sources_of_the_code_are_named(source):
    assert source in TEXT


def test_outputs_are_those_shown():
    names, tokens, compared = {}, MarkdownIt().parse(TEXT), 0
    for token, following in itertools.pairwise(tokens):
        if token.type != "fence" or token.info != "python":
            continue
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(token.content, names)
        assert following.info == "text"
        assert printed.getvalue() == following.content
        compared += 1
    assert compared == 3


def test_every_score_is_defined():
    defined = re.findall(r"^\| ([^|]+) \|.*\|$", TEXT, re.MULTILINE)
    for name in SCORES:
        assert any(words.SCORES[name].title in entry for entry in defined), name
