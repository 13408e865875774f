"""What the documentation's pages begin with: images, feature files, heads, each made once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from plankton_features.images.synthetic import make_vignettes

DEMO = Path(__file__).parents[1] / "demo" / "images"
#: The shapes of synthetic vignettes, and the taxa that pages call them.
TAXA = {"Discoida": "Copepoda", "Ellipsina": "detritus", "Catenaria": "Chaetognatha",
        "Antennata": "bubble"}
TAXONOMY = """\
name,parent,rank
Metazoa,,kingdom
Arthropoda,Metazoa,phylum
Copepoda,Arthropoda,class
Chaetognatha,Metazoa,phylum
detritus,,
bubble,,
"""
#: Files that come with another.
COMPANIONS = (".report.html", ".results.json", ".predictions.csv", ".log.csv")


class World:
    """A folder of things that pages need; several test workers may share it.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._lock = FileLock(folder / "lock")

    def bring(self, name: str, target: Path) -> None:
        """Copy a thing, with its companions, into a page's folder."""
        with self._lock:
            source = self.need(name)
        if source.is_dir():
            shutil.copytree(source, target / name)
            return
        for file in (source, *(source.with_suffix(end) for end in COMPANIONS)):
            # A feature file and the head of the same name share the begin of their names.
            if file.exists() and (file == source or source.suffix in (".head", ".keras")):
                shutil.copy2(file, target / file.name)

    def need(self, name: str) -> Path:
        """Make a thing, and before it what it is made of."""
        assert name in _MAKERS, f"needs: {name} is not known, expected one of {', '.join(_MAKERS)}"
        path = self.folder / name
        if not path.exists():
            _MAKERS[name](self)
        assert path.exists()
        return path

    def run(self, *command: str) -> None:
        """Run one of the package's commands."""
        program = Path(sys.executable).parent / command[0]
        subprocess.run([program, *command[1:], "--quiet"], cwd=self.folder, check=True,
                       capture_output=True, env=os.environ)


def _images(world: World) -> None:
    part = world.folder / "imgs.part"
    made = make_vignettes(part, n_classes=4, n_images=120, imbalance=8, groups=6, size=(20, 80))
    made["group"] = made["group"].str.replace("_", "")
    made["label"] = made["label"].map(TAXA)
    names = [f"{row.label}/{row.group}_{row.id[-3:]}{Path(row.path).suffix}"
             for row in made.itertuples()]
    for old, new in zip(made["path"], names, strict=True):
        (part / new).parent.mkdir(exist_ok=True)
        (part / old).rename(part / new)
    for shape in TAXA:
        (part / shape).rmdir()
    made["path"] = [f"imgs/{name}" for name in names]
    made.to_csv(world.folder / "labels.csv", index=False)
    part.rename(world.folder / "imgs")


def _new_images(world: World) -> None:
    sorted_ones = world.folder / "new.sorted"
    made = make_vignettes(sorted_ones, n_classes=4, n_images=30, imbalance=4, size=(20, 80), seed=1)
    target = world.folder / "new"
    target.mkdir()
    for path in made["path"]:
        shutil.copy2(sorted_ones / path, target / Path(path).name)


def _demo(world: World) -> None:
    if not DEMO.exists():
        pytest.skip("demo/images is not there: make test fetches it")
    shutil.copytree(DEMO, world.folder / "demo" / "images")


def _features(world: World) -> None:
    world.need("imgs")
    world.run("extract-features", "imgs", "out.h5", "--backbone", "pixels")


def _two_feature_files(world: World) -> None:
    world.need("imgs")
    table = pd.read_csv(world.folder / "labels.csv")
    first = table["group"] <= "tow03"
    for name, part in (("a", table[first]), ("b", table[~first])):
        part.to_csv(world.folder / f"{name}.csv", index=False)
        world.run("extract-features", f"{name}.csv", f"{name}.h5", "--backbone", "pixels")


def _head(world: World) -> None:
    world.need("out.h5")
    world.run("fit-head", "out.h5", "--min-precision", "0.9")


def _model(world: World) -> None:
    world.need("imgs")
    world.run("plankton-features", "fine-tune", "imgs", "model.keras", "--backbone",
              "efficientnet_lite0", "--canvas", "64", "--unfreeze", "1", "--epochs", "1",
              "--head-epochs", "5")


_MAKERS: dict[str, Callable[[World], object]] = {
    "imgs": _images,
    "labels.csv": _images,
    "new": _new_images,
    "demo/images": _demo,
    "taxonomy.csv": lambda world: (world.folder / "taxonomy.csv").write_text(TAXONOMY),
    "out.h5": _features,
    "a.h5": _two_feature_files,
    "b.h5": _two_feature_files,
    "out.head": _head,
    "model.keras": _model,
}
