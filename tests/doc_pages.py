"""Pages of the documentation: their blocks of code and links, and how a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from itertools import pairwise
from pathlib import Path
from typing import Any

from doc_commands import begins_with_a_command, plain_commands, run_command
from markdown_it import MarkdownIt
from markdown_it.token import Token
from packaging.requirements import InvalidRequirement, Requirement

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
ROOT_PAGES = [REPOSITORY / f"{name}.md" for name in ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING")]
LANGUAGES = ("sh", "python", "text", "csv")
DIRECTIVES = {"toctree", "eval-rst", "include", "figure", "image", "grid", "grid-item-card", "note",
              "tip", "warning", "important", "dropdown", "tab-set", "tab-item"}
SECONDS = 300  # for one block
#: Every command of these runs as a shell runs it; elsewhere plain ones run in this process.
FIRST_PAGES = ("README.md", "quickstart.md")
_NOT_RUN = re.compile(r"<!--\s*not run:?\s*(.*?)\s*-->", re.DOTALL)
_NEEDS = re.compile(r"<!--\s*needs:\s*(.*?)\s*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its fence, counted from 1."""

    language: str
    code: str
    line: int
    skipped: bool = False


def needs_of(text: str) -> list[str]:
    """What lies in the page's folder before its first block."""
    return [name for found in _NEEDS.findall(text) for name in found.split()]


def blocks_of(text: str, above: int = 0) -> Iterator[Block]:
    """The blocks of a page in their order; refuses what breaks the conventions."""
    comment = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "html_block" and (found := _NOT_RUN.fullmatch(token.content.strip())):
            assert found[1], f"line {_line(token, above)}: 'not run' needs a reason"
            comment = token
            continue
        if token.type in ("fence", "code_block"):
            yield from _blocks_in(token, above, skipped=comment is not None)
        elif comment is not None:
            raise AssertionError(f"line {_line(comment, above)}: 'not run' stands above no block")
        comment = None
    assert comment is None, f"line {_line(comment, above)}: 'not run' stands above no block"


def links_of(text: str) -> Iterator[str]:
    """Targets of links and images, addresses of the network left out."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target and not re.match(r"[a-z]+:", target):
                yield target


def anchors_of(text: str) -> set[str]:
    """Names under which the headings of a page can be linked, as GitHub and MyST make them."""
    tokens = MarkdownIt("commonmark").parse(text)
    titles = [after.content for token, after in pairwise(tokens)
              if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def run_page(page: Path, text: str, folder: Path) -> None:
    """Run the blocks of a page in a folder, which must be the current one, in their order."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks_of(text):
        if block.skipped:
            continue
        if block.language == "sh":
            _run_commands(page, block, folder)
        elif block.language == "python":
            # Empty lines before it, so that a traceback shows the line of the page.
            code = "\n" * block.line + block.code
            exec(compile(code, str(page), "exec"), namespace)


def check_install(line: str) -> None:
    """Refuse a ``pip install`` of what is not required here, or of an extra that is not there."""
    words = line.partition("install")[2].partition("#")[0].split()
    for word in (w.strip("\"'") for w in words if not w.startswith("-")):
        name = re.sub(r"^\.(?=\[|$)", "plankton_features", word)
        try:
            wanted = Requirement(name)
            known = _extras(wanted.name)
        except (InvalidRequirement, PackageNotFoundError) as error:
            raise AssertionError(f"{line}: {word} is not known") from error
        assert wanted.extras <= known, f"{line}: no extra {wanted.extras - known}"


def _extras(package: str) -> set[str]:
    if package != "plankton_features":
        return set(distribution(package).metadata.get_all("Provides-Extra") or ())
    own = ConfigParser()
    own.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    return set(own["options.extras_require"])


def _line(token: Token, above: int) -> int:
    return above + (token.map or [0])[0] + 1


def _blocks_in(token: Token, above: int, skipped: bool) -> Iterator[Block]:
    line, language = _line(token, above), token.info.strip()
    if directive := re.match(r"\{([\w-]+)\}", language):
        assert directive[1] in DIRECTIVES, f"line {line}: write a plain block, not {language}"
        yield from blocks_of(token.content, line)
        return
    assert language, f"line {line}: a block has no language, expected one of {LANGUAGES}"
    assert language in LANGUAGES, f"line {line}: language {language}, expected one of {LANGUAGES}"
    if language == "text":
        commands = [one for one in token.content.splitlines() if begins_with_a_command(one)]
        assert not commands, f"line {line}: commands belong in a block sh: {commands}"
    yield Block(language, token.content, line, skipped)


def _run_commands(page: Path, block: Block, folder: Path) -> None:
    if page.name not in FIRST_PAGES and (commands := plain_commands(block.code)) is not None:
        for words in commands:
            code = run_command(words)
            assert code == 0, f"{page.name}, line {block.line}: exit code {code}\n{block.code}"
        return
    script = "\n".join(_as_run(line) for line in block.code.splitlines())
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path}, check=False)
    assert done.returncode == 0, (f"{page.name}, line {block.line}: exit code {done.returncode}\n"
                                  f"{block.code}\n{done.stdout[-4000:]}")


def _as_run(line: str) -> str:
    """Installing is checked and not done; targets of make are only looked through."""
    if re.match(r"\s*(\S*python3? -m )?(\S*/)?pip install ", line):
        check_install(line)
        return ":"
    return re.sub(r"^make\b", f"make --dry-run --directory '{REPOSITORY}'", line)
