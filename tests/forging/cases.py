"""Make one odd file and read it in every way: what `benchmarks/fuzz.py` does by the thousand.

A case is a function of a generator and an empty folder. It raises what reading raises, and tells
whether what was read is right.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from forging import feature_files, heads, images, networks, tables

from plankton_features import HeadOptions, fit_head, make_folds, read_features, save_head
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
        try:
            catalog = build_catalog(path)
        except InputError:
            return False
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


def feature_case(make: Callable[[Path, np.random.Generator], Path]) -> Case:
    """A feature file is read whole, by functions and by commands, or refused in words."""
    head = _head_of_features()

    def case(rng: np.random.Generator, folder: Path) -> bool:
        path = make(folder, rng)
        said(["info", str(path), "--problems"])
        said(["info", str(path), "--json"])
        file = read_features(path)
        labels = dict(zip(file.paths, file.y, strict=True))
        good = len(file.X) == len(file.images) == len(file.digests()) and all(
            len(block) <= 7 for block in file.iter_blocks(7))
        good &= set(file.duplicates["row"]) <= set(range(len(file)))
        file.failures, file.label_conflicts(), file.contents()
        said(["classify", str(head), str(path), "-o", str(folder / "p.csv"), "--quiet"])
        found = pd.read_csv(folder / "p.csv", keep_default_na=False)
        told = dict(zip(found["path"], found.get("label", [""] * len(found)), strict=True))
        return good and all(told[path] == label for path, label in labels.items())

    return case


def head_case(make: Callable[[Path, np.random.Generator], Path]) -> Case:
    """A head is refused when it is loaded, or gives probabilities."""

    def case(rng: np.random.Generator, folder: Path) -> bool:
        return _refused_or(heads.outcome(make(folder, rng)))

    return case


def mutant_case() -> Case:
    """A head of which some values were changed, digests repaired: refused, or it predicts."""

    def case(rng: np.random.Generator, folder: Path) -> bool:
        return _refused_or("" if heads.predicts(heads.mutated(folder, rng)) else "refused")

    return case


def network_case(name: str) -> Case:
    """The file of a network is refused, or is what it was made from."""

    def case(rng: np.random.Generator, folder: Path) -> bool:
        return _refused_or(networks.outcome(networks.NETWORKS[name](folder, rng)))

    return case


def _refused_or(outcome: str) -> bool:
    if "refused" in outcome:
        raise InputError(outcome)
    return True


def _head_of_features() -> Path:
    """A head on the features that are damaged, fitted once."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-head-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = read_features(feature_files.sound(folder / "sound.h5"))
    options = HeadOptions(pca=None, calibration="none")
    save_head(fit_head(file, file.y, make_folds(file.y, n_folds=3), options).head,
              folder / "sound.head")
    return folder / "sound.head"


def bad_case(name: str) -> Case:
    """What the benchmark must notice, to test it."""

    def case(rng: np.random.Generator, folder: Path) -> bool:
        if name == "crash":
            os.abort()
        if name == "hang":
            time.sleep(60)
        if name == "unexpected":
            raise KeyError("x")
        if name == "memory":
            np.ones(2 * 10**8)
        return name != "wrong rows"

    return case


RANDOM: dict[str, Callable[[], Case]] = {
    "images": image_case, "tables": table_case, "heads": mutant_case,
    "features": lambda: feature_case(feature_files.damaged)}
NAMES: dict[str, list[str]] = {
    "heads": list(heads.FORGERIES), "features": list(feature_files.FORGERIES),
    "networks": list(networks.NETWORKS)}
FORGED: dict[str, Callable[[str], Case]] = {
    "heads": lambda name: head_case(heads.FORGERIES[name]),
    "features": lambda name: feature_case(feature_files.FORGERIES[name]),
    "networks": network_case, "itself": bad_case}
