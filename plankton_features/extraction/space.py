"""Whether there is room on the disk, before hours are spent."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from plankton_features.embedding import Engine, Recipe
from plankton_features.extraction.layout import file_plan
from plankton_features.files.targets import check_target
from plankton_features.images import Catalog
from plankton_features.store import partial_path


@dataclass(frozen=True)
class Space:
    """Room for a feature file.

    Attributes
    ----------
    needed : int
        Bytes that the rest of the file takes, if no image fails or is a duplicate.
    free : int
        Bytes free where it will be.
    """

    needed: int
    free: int

    @property
    def enough(self) -> bool:
        """Whether the file fits."""
        return self.needed <= self.free

    def __str__(self) -> str:
        return f"needs about {_size_text(self.needed)}, {_size_text(self.free)} are free"


def space_for(output: Path, catalog: Catalog, recipe: Recipe, engine: Engine) -> Space:
    """Compare what a feature file will take with what is free.

    Parameters
    ----------
    output : Path
    catalog : Catalog
    recipe : Recipe
    engine : Engine

    Returns
    -------
    Space

    Raises
    ------
    StoreError
        If there can be no file of that name.
    """
    target = check_target(output)
    partial = partial_path(output)
    taken = getattr(partial.stat(), "st_blocks", 0) * 512 if partial.exists() else 0
    needed = max(0, file_plan(catalog, recipe, engine).n_bytes - taken)
    return Space(needed, shutil.disk_usage(target.parent).free)


def _size_text(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"
