"""Samplers by name, as pipeline steps."""

from __future__ import annotations

from typing import Any

from plankton_features.errors import InputError
from plankton_features.heads.sampling.base import Resampler
from plankton_features.heads.sampling.cap import CAP_KINDS, DEFAULT_CAP, CapSampler
from plankton_features.heads.sampling.cleaning import CLEANING_KINDS, CleaningSampler
from plankton_features.heads.sampling.floor import DEFAULT_FLOOR, FLOOR_KINDS, FloorSampler
from plankton_features.heads.sampling.limits import Cap, Floor

#: Name -> what it does, in words for a person.
SAMPLERS = {
    "none": "rows as they are",
    "class-weight": "rows as they are; the classifier weighs classes equally",
    "random-over": "copy rows of small classes up to the floor",
    "smote": "interpolate rows of small classes up to the floor",
    "borderline-smote": "SMOTE from the rows that lie near other classes",
    "svm-smote": "SMOTE from the support vectors of an SVM",
    "adasyn": "SMOTE, more of it where other classes are near",
    "kmeans-smote": "SMOTE inside clusters",
    "random-under": "drop random rows of large classes down to the cap",
    "near-miss": "of large classes, keep the rows nearest the rarest class",
    "instance-hardness": "of large classes, keep the rows that are easiest to classify",
    "cluster-centroids": "replace large classes by as many centroids as the cap",
    "tomek": "drop rows that are nearest to a row of another class, and it to them",
    "edited-neighbours": "drop rows with another class among their three neighbours",
    "neighbourhood-cleaning": "drop rows that most neighbours contradict",
    "smote-tomek": "smote, then tomek",
    "smote-enn": "smote, then edited-neighbours",
}

_NO_STEPS = ("none", "class-weight")
_PAIRS = {"smote-tomek": ("smote", "tomek"), "smote-enn": ("smote", "edited-neighbours")}


def make_sampler(name: str, floor: int | str | None = None, cap: int | None = None,
                 seed: int = 0) -> list[tuple[str, Resampler]]:
    """Make the steps of an imbalanced-learn pipeline that resample.

    Parameters
    ----------
    name : str
        A name in `SAMPLERS`, or one that over-samples and one that cuts or cleans, joined by
        ``+`` in the order in which they run, such as ``random-under+random-over``.
    floor : int or "balance", optional
        Rows that over-samplers bring every class to; ``balance`` is the size of the largest
        class. By default 100, or the cap if that is lower.
    cap : int, optional
        Rows that samplers which cut leave of every class. By default 300, or the floor if that
        is higher.
    seed : int
        Of all draws.

    Returns
    -------
    list of (str, sampler)
        Step names and samplers; empty for ``none`` and ``class-weight``.

    Raises
    ------
    InputError
        If there is no such sampler, or it does not go with the floor or cap given.

    Examples
    --------
    >>> [step for step, sampler in make_sampler("random-under+random-over", floor=50, cap=200)]
    ['random-under', 'random-over']
    >>> make_sampler("none")
    []
    """
    kinds = _kinds(name)
    _refuse_unused(name, kinds, floor, cap)
    low, high = _limits(floor, cap)
    cleaned = "auto" if kinds and kinds[0] in CLEANING_KINDS else "all"
    return [(kind, _make(kind, low, high, cleaned, seed)) for kind in kinds]


def _make(kind: str, floor: Any, cap: int, cleaned: str, seed: int) -> Resampler:
    if kind in FLOOR_KINDS:
        return FloorSampler(kind, floor=floor, random_state=seed)
    if kind in CAP_KINDS:
        return CapSampler(kind, cap=cap, random_state=seed)
    return CleaningSampler(kind, sampling_strategy=cleaned)


def _kinds(name: str) -> tuple[str, ...]:
    if name in _NO_STEPS:
        return ()
    if name in _PAIRS:
        return _PAIRS[name]
    parts = tuple(part.strip() for part in name.split("+"))
    unknown = [p for p in parts if p not in FLOOR_KINDS + tuple(CAP_KINDS) + CLEANING_KINDS]
    if unknown and (len(parts) == 1 or unknown[0] not in SAMPLERS):
        raise InputError(f"sampler '{unknown[0]}': expected one of {', '.join(SAMPLERS)}; or two "
                         "joined by +, one that over-samples and one that cuts or cleans.")
    if unknown or len(parts) > 2 or (
            len(parts) == 2 and sum(part in FLOOR_KINDS for part in parts) != 1):
        raise InputError(
            f"sampler '{name}': expected one that over-samples ({', '.join(FLOOR_KINDS)}) and one "
            f"that cuts or cleans ({', '.join((*CAP_KINDS, *CLEANING_KINDS))}).")
    return parts


def _refuse_unused(name: str, kinds: tuple[str, ...], floor: Any, cap: Any) -> None:
    for what, value, takers in (("floor", floor, FLOOR_KINDS), ("cap", cap, tuple(CAP_KINDS))):
        if value is not None and not set(kinds) & set(takers):
            raise InputError(f"{what}: sampler '{name}' takes none. Leave it out, or choose or "
                             f"add (+) one of {', '.join(takers)}.")


def _limits(floor: Any, cap: Any) -> tuple[Any, int]:
    """Checked floor and cap; a default gives way to what was asked for."""
    if floor is not None:
        Floor(floor)
    if cap is not None:
        Cap(cap)
    number = None if floor == "balance" else floor
    if number and cap and number > cap:
        raise InputError(f"floor {number} is above cap {cap}: no class could have both. "
                         "Lower the floor or raise the cap.")
    return floor or min(DEFAULT_FLOOR, cap or DEFAULT_FLOOR), cap or max(DEFAULT_CAP, number or 0)
