"""Keep Pillow from warning about pictures that it reads all the same."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

_MODULES = (Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin)
_thread = threading.local()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Drop the warnings that Pillow gives in this thread.

    Odd metadata does not make a picture unusable: it must neither print to a person's terminal
    nor become an exception where warnings are errors. ``warnings.catch_warnings`` would change
    the filters of all threads at once.
    """
    _thread.quiet = True
    try:
        yield
    finally:
        _thread.quiet = False


class _Warnings:
    """Stands for the module `warnings` inside Pillow's modules."""

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    def warn(self, message: Any, category: Any = None, stacklevel: int = 1, **more: Any) -> None:
        if not getattr(_thread, "quiet", False):
            warnings.warn(message, category, stacklevel + 1, **more)


for _module in _MODULES:
    _module.warnings = _Warnings()  # type: ignore[attr-defined]
# Without any handler, logging prints to the terminal; handlers that a person sets up still work.
logging.getLogger("PIL").addHandler(logging.NullHandler())
