"""The documentation is true: its commands and its Python run, its links and pictures exist."""

from pathlib import Path

import pytest
from doc_commands import check_commands
from doc_pages import (
    PAGES,
    REPOSITORY,
    ROOT_PAGES,
    anchors_of,
    blocks_of,
    links_of,
    needs_of,
    run_page,
)
from doc_world import World
from markdown_it import MarkdownIt

NAMES = [str(page.relative_to(REPOSITORY)) for page in (*PAGES, *ROOT_PAGES)]
LONG = ("README.md", "quickstart.md", "formats.md", "doctor.md", "fine-tune.md", "python.md")
NOWHERE = "http://127.0.0.1:9"  # no program listens to this port


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Shared by the workers of one test run."""
    base = tmp_path_factory.getbasetemp()
    return World((base.parent if base.name.startswith("popen") else base) / "docs-world")


@pytest.fixture
def offline(monkeypatch, tmp_path_factory):
    """Neither weights that were downloaded before nor a network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] if Path(name).name in LONG else [])
    for name in NAMES])
def test_every_block_of_a_page_runs(name, world, offline, tmp_path, monkeypatch):
    page = REPOSITORY / name
    text = page.read_text(encoding="utf-8")
    for need in needs_of(text):
        world.bring(need, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("MPLBACKEND", "agg")
    run_page(page, text, tmp_path)


@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md"])
def test_the_first_pages_need_only_what_the_demo_fetches(name):
    assert needs_of((REPOSITORY / name).read_text(encoding="utf-8")) == ["demo/images"]


@pytest.mark.parametrize("name", NAMES)
def test_commands_of_a_page_are_taken_by_their_parsers(name):
    """Those of blocks that are not run, too."""
    for block in blocks_of((REPOSITORY / name).read_text(encoding="utf-8")):
        if block.language == "sh":
            check_commands(block.code)


@pytest.mark.parametrize("name", NAMES)
def test_links_and_pictures_of_a_page_exist(name):
    page = REPOSITORY / name
    for link in links_of(page.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = (page.parent / file) if file else page
        assert target.exists(), f"{link} is not there"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(target.read_text(encoding="utf-8")), f"no heading {link}"


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_a_page_are_tables(name):
    """A line with one cell too many makes text of a table."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert not [token.content for token in tokens
                if token.type == "inline" and token.content.startswith("|")]
