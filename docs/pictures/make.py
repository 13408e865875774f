"""Make the pictures of terminals in README.md from real runs. Needs the package pyte.

    python docs/pictures/make.py PICTURE.svg SECONDS COLUMNS ROWS COMMAND...

Runs COMMAND in a terminal of that size and draws what it shows: after SECONDS, and at its end.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
import time
from pathlib import Path

import pyte
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text


def main(picture: str, seconds: str, columns: str, rows: str, *command: str) -> None:
    """Run, watch and draw."""
    screen = pyte.Screen(int(columns), int(rows))
    middle = watch(screen, float(seconds), list(command))
    console = Console(width=int(columns), record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(Text("$ " + " ".join(command), style="bold"))
    for line in middle:
        console.print(line)
    console.print(Text("... and at the end:", style="dim"))
    for line in drawn(screen)[len(middle) - 1 :]:
        console.print(line)
    Path(picture).write_text(console.export_svg(title="extract-features"), encoding="utf-8")


def watch(screen: pyte.Screen, seconds: float, command: list[str]) -> list[Text]:
    """Feed the screen with what the command writes; what it shows after some seconds."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    size = struct.pack("HHHH", screen.lines, screen.columns, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    stream = pyte.ByteStream(screen)
    started, middle = time.monotonic(), None
    while True:
        try:
            stream.feed(os.read(terminal, 65536))
        except OSError:  # the child is gone
            return middle or drawn(screen)
        if middle is None and time.monotonic() - started > seconds:
            middle = drawn(screen)


def drawn(screen: pyte.Screen) -> list[Text]:
    """The lines of a screen, without empty ones at the end."""
    lines = []
    for y in range(screen.lines):
        line = Text()
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            line.append(cell.data, Style(color=color(cell.fg), bold=cell.bold))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def color(name: str) -> Color | None:
    """Colour of a cell."""
    if name == "default":
        return None
    if len(name) == 6 and all(c in "0123456789abcdef" for c in name):
        return Color.parse(f"#{name}")
    return Color.parse({"brown": "yellow"}.get(name, name))


if __name__ == "__main__":
    main(*sys.argv[1:])
