"""The folder of converted networks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from plankton_features.embedding.openvino_cache import cache_folder
from plankton_features.embedding.weights import keras_cache
from plankton_features.files.temporary import leftovers


@dataclass(frozen=True)
class Cache:
    """The folder of converted networks.

    Attributes
    ----------
    folder : Path
    networks : int
        Converted networks in it.
    size, free : int
        Bytes that it takes, and that are free on its disk; 0 where that is not known.
    leftovers : tuple of Path
        Temporary files and folders that killed runs have left in it, among downloaded weights
        and in the working folder; the next run that writes the same files removes them.
    problem : str
        Why the folder cannot be made, or nothing can be written to it; empty if all is well.
    """

    folder: Path
    networks: int
    size: int
    free: int
    problem: str = ""
    leftovers: tuple[Path, ...] = ()


def look_at_cache() -> Cache:
    """Look at the folder; it is made if it is not there, as extracting would do."""
    folder = cache_folder()
    problem = _writing_problem(folder)
    files = [p for p in folder.rglob("*") if p.is_file()]
    return Cache(
        folder=folder, networks=sum(1 for file in folder.glob("*/description.json")
                     if not file.parent.name.startswith(".")),
        size=sum(p.stat().st_size for p in files),
        free=0 if problem else shutil.disk_usage(folder).free, problem=problem,
        leftovers=tuple(one for place in dict.fromkeys((folder, keras_cache(), Path.cwd()))
                        for one in leftovers(place)),
    )


def _writing_problem(folder: Path) -> str:
    """Only trying tells: rights, file systems and quotas can all be in the way."""
    there = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = True
        with TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        doing = "it cannot be written to" if there else "it cannot be made"
        return f"{doing} ({error.strerror or error})"
