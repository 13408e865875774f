"""Command lines of the documentation, read by the parsers of the commands and not run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from unittest import mock

from plankton_features.cli import main

COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "plankton-features": main.main, "extract-features": main.extract_features,
    "fit-head": main.fit_head}
_ENDS = {"|", "||", "&&", ";", "&"}
_VARIABLE = r"\$\w+|\$\{\w+\}"
_REDIRECTION = r"\s(\d|&)?>+\s*\S+"
_SHELL = r"[|&;<>$`*?(){}~]"  # what only a shell understands


def check_commands(code: str) -> None:
    """Refuse what the commands of this package would refuse, without running them.

    Also a download of this package, of which pip keeps nothing.
    """
    assert not re.search(r"\bpip download\b.* \.", code), (
        f"pip download keeps no wheel of this folder, pip wheel does: {code}")
    for words in _command_lines(code):
        with mock.patch.object(main, "_guarded", return_value=main.DONE):
            end = COMMANDS[words[0]](words[1:])
        assert end == main.DONE, f"the command refuses this line: {shlex.join(words)}"


def begins_with_a_command(line: str) -> bool:
    """Whether a line is one of this package's commands, with something after it."""
    return line.startswith(tuple(f"{name} " for name in COMMANDS))


def plain_commands(code: str) -> list[list[str]] | None:
    """Words of each line of a script; None if it has more than commands of this package."""
    lines = [line for line in code.replace("\\\n", " ").splitlines()
             if line.strip() and not line.startswith("#")]
    if not all(begins_with_a_command(line) for line in lines) or re.search(_SHELL, code):
        return None
    return [shlex.split(line, comments=True) for line in lines]


def run_command(words: list[str]) -> int | str | None:
    """Run a command of this package in this process; returns its exit code."""
    try:
        return COMMANDS[words[0]](words[1:])
    except SystemExit as end:
        return end.code


def _command_lines(code: str) -> Iterator[list[str]]:
    """Words of each command of this package in a script; variables are taken to be 1."""
    code = re.sub(_REDIRECTION, "", re.sub(_VARIABLE, "1", code.replace("\\\n", " ")))
    for line in code.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in _ENDS:
                words.append(word)
                continue
            if words and words[0] in COMMANDS:
                yield words
            words = []
