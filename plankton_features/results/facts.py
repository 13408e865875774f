"""Small records of which `Results` is made: of vectors, resampling, training and the run."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from plankton_features.heads import FitResult

_PACKAGES = ("plankton_features", "scikit-learn", "imbalanced-learn", "numpy")


@dataclass(frozen=True)
class FeatureFacts:
    """What vectors a head was validated on.

    Attributes
    ----------
    path : str
        Of the feature file or, of a fine-tuned network, of the images; empty of an array.
    rows, values : int
        Vectors that were fitted, and values of each.
    recipe_id : str
    recipe : mapping
    weights_source, engine, precision : str
        How they were computed, for people.
    """

    path: str
    rows: int
    values: int
    recipe_id: str
    recipe: Mapping[str, Any]
    weights_source: str
    engine: str
    precision: str

    def to_dict(self) -> dict[str, Any]:
        """As in results.json."""
        return {**vars(self), "recipe": dict(self.recipe)}


@dataclass(frozen=True)
class ClassRows:
    """Rows of a class before and after resampling.

    Attributes
    ----------
    name : str
        Of the class.
    before, after : int
    how : str
        What was done, for people.
    """

    name: str
    before: int
    after: int
    how: str

    def to_dict(self) -> dict[str, Any]:
        """As in results.json."""
        return {"class": self.name, "before": self.before, "after": self.after, "how": self.how}


@dataclass(frozen=True)
class NetworkFacts:
    """How a network was trained.

    Attributes
    ----------
    facts : mapping of str to str
        For people: backbone, what was trained, augmentation, learning rate.
    curves : sequence of mapping
        One for each epoch, as in the log and with ``best``: whether it was kept.
    taxonomy : mapping or None
        Scores on lineages, see `assessment.lineage_scores.taxonomy_to_json`.
    """

    facts: Mapping[str, str]
    curves: Sequence[Mapping[str, Any]]
    taxonomy: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As in results.json."""
        return {"network": dict(self.facts), "curves": list(self.curves),
                "taxonomy": self.taxonomy}


@dataclass(frozen=True)
class RunFacts:
    """When, how and with what results were made.

    Attributes
    ----------
    command : str
        What was typed; empty if nothing was.
    seconds : float or None
        That it took, if it was measured.
    created : str
        Time in UTC.
    versions : mapping of str to str
        Of Python and packages.
    """

    command: str = ""
    seconds: float | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    versions: Mapping[str, str] = field(default_factory=lambda: versions_of())


def versions_of(*more: str) -> dict[str, str]:
    """Versions of Python, of the packages that fit, and of `more` of them."""
    return {"python": platform.python_version(),
            **{name: version(name) for name in (*_PACKAGES, *more)}}


def feature_facts(result: FitResult) -> FeatureFacts:
    """What a head knows of the vectors that it was fitted on.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    FeatureFacts
    """
    head, info = result.head, result.head.info
    return FeatureFacts(
        info.get("features", ""), len(result.y), len(head.feature_names), head.recipe_id,
        head.recipe, *(str(info.get(name, "")) for name in ("weights_source", "engine",
                                                            "precision")))


def class_rows(result: FitResult) -> tuple[ClassRows, ...]:
    """What resampling did to each class for the model in the head.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    tuple of ClassRows
    """
    final = result.final
    after = final.target if result.head.info["options"]["sampler"] == "class-weight" \
        else final.source
    return tuple(ClassRows(name, int(final.target[k]), int(after[k]),
                           final.done.get(k, "left alone"))
                 for k, name in enumerate(result.classes.tolist()))
