"""Standard output and error that cannot end the work, and what of other people's texts they show.

A reader that has seen enough (``| head``), a full disk, a closed descriptor: what is said is lost,
the work goes on. A command whose result is what it prints then exits with 1.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import select
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Characters that turn the direction of what follows: letters can be made to read as others.
_DIRECTIONS = frozenset("\u061c\u200e\u200f" + "".join(map(chr, (*range(0x202A, 0x202F),
                                                                 *range(0x2066, 0x206A)))))
_ESCAPED = re.compile(r"[^\x20-\x7e]")


def visible(text: object, keep: str = "") -> str:
    r"""A text with what a terminal would obey made visible.

    Parameters
    ----------
    text : object
        Shown as ``str``: names of files and taxa, messages, whatever comes from elsewhere.
    keep : str, default=""
        Characters to leave as they are, such as line ends.

    Returns
    -------
    str
        Control characters, line ends and marks of direction as in Python's source.

    Examples
    --------
    >>> visible("Кладоцера\x1b[2J\n")
    'Кладоцера\\x1b[2J\\n'
    """
    return _ESCAPED.sub(lambda m: m[0] if m[0] in keep or _is_harmless(m[0]) else
                        m[0].encode("unicode_escape").decode("ascii"), str(text))


def visible_json(value: object) -> str:
    r"""JSON of several lines that no terminal obeys, and that reads back as the same.

    Examples
    --------
    >>> print(visible_json(["Œuf\x9b2J"]))
    [
      "Œuf\u009b2J"
    ]
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _ESCAPED.sub(lambda m: m[0] if m[0] == "\n" or _is_harmless(m[0]) else
                        f"\\u{ord(m[0]):04x}", text)


def data_output() -> Any:
    """Standard output for data: to the letter, but on a terminal all but line ends is shown."""
    return _OnTerminal() if sys.stdout.isatty() else sys.stdout


class _OnTerminal:
    def write(self, text: str) -> int:
        return sys.stdout.write(visible(text, keep="\n"))

    def flush(self) -> None:
        sys.stdout.flush()


def _is_harmless(letter: str) -> bool:
    return (unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")
            and letter not in _DIRECTIONS)


class _Lossy(io.RawIOBase):
    """Writes on; after an error, what is written is lost and `error` says why."""

    def __init__(self, raw: io.RawIOBase):
        self.raw = raw
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            # A terminal that a program beside this one has set not to wait may be full just now.
            while self.error is None:
                if (taken := self.raw.write(data)) is not None:
                    return taken
                select.select([], [self.raw], [])
        except OSError as error:
            self.error = error
        return len(data)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.raw.isatty()

    def fileno(self) -> int:
        return self.raw.fileno()


class _Closed(io.RawIOBase):
    """A descriptor that was closed before the program began."""

    def write(self, data: Any) -> int:
        raise OSError(errno.EBADF, "it is closed")


class Streams:
    """Standard output and error of a program.

    Attributes
    ----------
    out, err : _Lossy or None
        None where the stream is not the system's, as in notebooks and tests.
    """

    def __init__(self) -> None:
        self.out = _guard("stdout")
        self.err = _guard("stderr")

    def lost(self) -> OSError | None:
        """Why not all of standard output could be written, None if all was."""
        sys.stdout.flush()
        return self.out.error if self.out else None


@contextmanager
def guarded_streams() -> Iterator[Streams]:
    """Have standard output and error guarded, and put them back at the end."""
    _fill_descriptors()
    before = sys.stdout, sys.stderr
    streams = Streams()
    try:
        yield streams
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _guard(name: str) -> _Lossy | None:
    """Put a guarded stream in the place of one."""
    stream = getattr(sys, name)
    buffer = getattr(stream, "buffer", None)
    raw = _Closed() if stream is None else getattr(buffer, "raw", buffer)
    if not isinstance(raw, io.RawIOBase):
        return None
    if stream is not None:
        stream.flush()
    lossy = _Lossy(raw)
    at_once = name == "stderr" or lossy.isatty()
    encoding = getattr(stream, "encoding", "utf-8")
    # Names in letters that a console does not have are shown by their numbers.
    setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(lossy), encoding, "backslashreplace",
                                        line_buffering=at_once, write_through=at_once))
    return lossy


def _fill_descriptors() -> None:
    """Occupy descriptors 0 to 2, so that no file of ours gets one that libraries print to."""
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)
