"""Make one odd file and read it in every way: what `benchmarks/fuzz.py` does by the thousand.

A case is a function of a generator and an empty folder. It raises what reading raises, and tells
whether what was read is right.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from forging import images, tables

from plankton_features.errors import InputError
from plankton_features.images import Framing, build_catalog, frame, read_image

Case = Callable[[np.random.Generator, Path], bool]
MAX_PIXELS = 1_000_000


def image_case() -> Case:
    """A damaged picture is pixels that can be framed, or a failure."""
    files = list(images.originals().values())
    warnings.filterwarnings("ignore", module="PIL")

    def case(rng: np.random.Generator, folder: Path) -> bool:
        path = folder / "picture"
        path.write_bytes(images.damage(files[rng.integers(len(files))], rng))
        pixels = read_image(path, max_pixels=MAX_PIXELS)
        good = pixels.dtype == np.uint8 and 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
        return good and frame(pixels, Framing(16)).shape[:2] == (16, 16)

    return case


def table_case() -> Case:
    """A sound table is what it says; a damaged one is a catalog or an error."""

    def case(rng: np.random.Generator, folder: Path) -> bool:
        path = folder / "images.csv"
        if rng.random() < 0.5:
            path.write_bytes(tables.damaged(rng))
            catalog = build_catalog(path)
            return len(catalog.path) == len(catalog.label) == len(catalog.size) > 0
        table = tables.styled(rng)
        path.write_bytes(table.content)
        catalog = build_catalog(path)
        return [*zip(catalog.path, catalog.label, catalog.group, catalog.id,
                     strict=True)] == table.rows

    return case


def said(argv: list[str]) -> None:
    """Run a command; raise what it complains of.

    Raises
    ------
    InputError
        With what was printed, if the command failed with words for a person.
    RuntimeError
        If it failed with others.
    """
    from plankton_features.cli.main import main

    out, complaint = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
        code = main(argv)
    text = complaint.getvalue()
    if code and ("unexpected" in text or not text.startswith("error: ")):
        raise RuntimeError(f"exit code {code}: {text[:300]}")
    if code:
        raise InputError(text)


RANDOM: dict[str, Callable[[], Case]] = {"images": image_case, "tables": table_case}
NAMES: dict[str, list[str]] = {}
FORGED: dict[str, Callable[[str], Case]] = {}
