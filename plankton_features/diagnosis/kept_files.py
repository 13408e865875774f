"""What networks need of this machine's disk: weights, found or not, and the converted networks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from plankton_features.embedding import Backbone, list_backbones
from plankton_features.embedding.backbones import DEFAULT_BACKBONE, OFFLINE_BACKBONE
from plankton_features.embedding.download import digest_problem
from plankton_features.embedding.openvino_cache import cache_folder
from plankton_features.embedding.weights import keras_cache, local_file
from plankton_features.errors import WeightsError
from plankton_features.files.temporary import leftovers


@dataclass(frozen=True)
class WeightsHere:
    """Weights of a backbone, found or not.

    Attributes
    ----------
    backbone : str
    file : Path or None
        Where the file is, or where it belongs; None if a package should hold it and does not.
    found : bool
    url : str
        Where to get it; empty if it comes with a package.
    problem : str
        How it differs from the published file, or why it cannot be had; empty otherwise.
    """

    backbone: str
    file: Path | None
    found: bool
    url: str
    problem: str

    @property
    def usable(self) -> bool:
        """Whether networks can be filled from it."""
        return self.found and not self.problem


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


def find_all_weights() -> list[WeightsHere]:
    """ImageNet weights of every backbone for which some are published, without network."""
    return [_look(backbone) for backbone in list_backbones()
            if backbone.weights_url or backbone.weights_finder]


def backbone_of_auto(found: list[WeightsHere]) -> str:
    """What ``auto`` takes without network; empty if neither choice has usable weights.

    Damaged weights of the first choice make `make_recipe` take the second.
    """
    usable = {weights.backbone for weights in found if weights.usable}
    return next((name for name in (DEFAULT_BACKBONE, OFFLINE_BACKBONE) if name in usable), "")


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


def _look(backbone: Backbone) -> WeightsHere:
    try:
        file = local_file(backbone.name)
        problem = digest_problem(backbone, file) if file else ""
    except (WeightsError, OSError) as error:  # the package is missing, or the file not readable
        return WeightsHere(backbone.name, None, False, "", str(error))
    usual = file or keras_cache() / backbone.weights_file
    return WeightsHere(backbone.name, usual, file is not None, backbone.weights_url, problem)


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
