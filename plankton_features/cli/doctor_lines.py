"""Lines of ``plankton-features doctor``: a mark, a text, and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from plankton_features.cli.display import console, escape
from plankton_features.cli.streams import visible

GOOD, NOTE, WARNING, WRONG = "good", "note", "warning", "wrong"
_STYLES = {GOOD: "green", NOTE: "dim", WARNING: "yellow", WRONG: "red"}
_MARKS = {GOOD: "✓", NOTE: "-", WARNING: "!", WRONG: "✗"}
_PLAIN_MARKS = {GOOD: "ok", NOTE: "-", WARNING: "!", WRONG: "x"}


@dataclass(frozen=True)
class Line:
    """One thing that was found.

    Attributes
    ----------
    mark : {"good", "note", "warning", "wrong"}
    text : str
    details : tuple of str
        Further lines below it.
    advice : str
        What to do, for people; a warning and what is wrong have some.
    type_this : tuple of str
        Commands and addresses to copy; never broken.
    """

    mark: str
    text: str
    details: tuple[str, ...] = ()
    advice: str = ""
    type_this: tuple[str, ...] = ()


def show_section(title: str, lines: Iterable[Line]) -> None:
    """Print a heading and its lines."""
    console.print(f"\n[bold]{title}[/bold]")
    for line in lines:
        _show(line)


def _show(line: Line) -> None:
    marks = _MARKS if can_encode("".join(_MARKS.values())) else _PLAIN_MARKS
    _hang(marks[line.mark], line.text, mark_style=_STYLES[line.mark])
    for text in line.details:
        _hang("", text, style="dim")
    if line.advice:
        _hang("→" if can_encode("→") else ">", line.advice)
    for text in line.type_this:  # whole, whatever the width, so that it can be copied
        console.print(f"    {escape(tilde(text))}", soft_wrap=True, style="cyan")


def _hang(mark: str, text: str, *, mark_style: str = "", style: str = "") -> None:
    """A mark and a text, which wraps beside it on a terminal and stays one line in a log."""
    start, shown = Text(f" {mark:<2} ", mark_style), Text(visible(tilde(text), keep="\n"), style)
    if not console.is_terminal:
        console.print(start + shown, soft_wrap=True)
        return
    grid = Table.grid()
    grid.add_column(width=4)
    grid.add_column(overflow="fold")
    grid.add_row(start, shown)
    console.print(grid)


def can_encode(text: str) -> bool:
    """Whether what is printed can hold these letters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def tilde(text: str) -> str:
    """The same with the home folder in paths as ``~``."""
    home = Path.home()
    return text if home == home.parent else text.replace(f"{home}{os.sep}", f"~{os.sep}")


def setting(name: str, value: str = "") -> str:
    """Command that sets an environment variable, or takes it back."""
    if sys.platform == "win32":
        return f"set {name}={value}"
    return f"export {name}={value}" if value else f"unset {name}"
