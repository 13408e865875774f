"""Which weights are on this machine, and where the others can be had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plankton_features.embedding import list_backbones
from plankton_features.embedding.backbones import DEFAULT_BACKBONE, OFFLINE_BACKBONE, Backbone
from plankton_features.embedding.download import digest_problem
from plankton_features.embedding.weights import keras_cache, local_file
from plankton_features.errors import WeightsError


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


def find_all_weights() -> list[WeightsHere]:
    """ImageNet weights of every backbone that has some, without network."""
    return [_look(backbone) for backbone in list_backbones() if backbone.factory]


def backbone_of_auto(found: list[WeightsHere]) -> str:
    """What ``auto`` takes without network; empty if neither choice has usable weights.

    Damaged weights of the first choice make `make_recipe` take the second.
    """
    usable = {weights.backbone for weights in found if weights.usable}
    return next((name for name in (DEFAULT_BACKBONE, OFFLINE_BACKBONE) if name in usable), "")


def _look(backbone: Backbone) -> WeightsHere:
    try:
        file = local_file(backbone.name)
        problem = digest_problem(backbone, file) if file else ""
    except (WeightsError, OSError) as error:  # the package is missing, or the file not readable
        return WeightsHere(backbone.name, None, False, "", str(error))
    url = backbone.weights_url if backbone.weights_path else ""
    usual = file or keras_cache() / backbone.weights_file
    return WeightsHere(backbone.name, usual, file is not None, url, problem)
