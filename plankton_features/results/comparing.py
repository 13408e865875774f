"""Samplers and classifiers on the same folds: which differences are real?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import ArrayLike

from plankton_features.assessment.comparison import Comparison, compare
from plankton_features.assessment.summary import Summary
from plankton_features.assessment.to_json import comparison_to_json, intervals_to_json
from plankton_features.errors import InputError
from plankton_features.heads.classifiers import CLASSIFIERS
from plankton_features.heads.fitting import prepare
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.sampling import SAMPLERS, make_sampler
from plankton_features.heads.validation.folds import Folds
from plankton_features.heads.validation.out_of_fold import cross_predict
from plankton_features.progress import StepCallback, ignore_steps
from plankton_features.results.numbers import summarize_folds

#: What ``--compare`` compares when nothing is named.
DEFAULT_LIST = ("none", "class-weight", "random-over", "smote", "random-under+random-over")


@dataclass(frozen=True)
class Compared:
    """One way of fitting and its scores.

    Attributes
    ----------
    options : HeadOptions
    summary : Summary or None
        None if it was refused.
    seconds : float
    refused : str
        Why it could not be fitted; empty if it could.
    """

    options: HeadOptions
    summary: Summary | None
    seconds: float
    refused: str = ""

    @property
    def name(self) -> str:
        """``sampler / classifier``."""
        return f"{self.options.sampler} / {self.options.classifier}"


def limits_of(sampler: str, floor: int | str | None, cap: int | None) -> dict[str, Any]:
    """Floor and cap of a sampler; None for one that it does not take.

    Parameters
    ----------
    sampler : str
    floor, cap
        See `head_pipeline`.

    Returns
    -------
    dict
        With ``floor`` and ``cap``.

    Examples
    --------
    >>> limits_of("smote", floor=50, cap=300)
    {'floor': 50, 'cap': None}
    """
    return {"floor": floor if _takes(sampler, floor=floor) else None,
            "cap": cap if _takes(sampler, cap=cap) else None}


def parse_list(names: Sequence[str], base: HeadOptions, *, floor: int | str | None = None,
               cap: int | None = None) -> list[HeadOptions]:
    """What to compare; the way without resampling comes first.

    Parameters
    ----------
    names : sequence of str
        Each a sampler, a classifier, or ``sampler/classifier``; what is not said is as in `base`.
    base : HeadOptions
    floor, cap : optional
        Of samplers that take one; by default those of `base`.

    Returns
    -------
    list of HeadOptions

    Raises
    ------
    InputError
        If a name is neither, or no way takes the floor or cap given.

    Examples
    --------
    >>> [o.sampler for o in parse_list(["smote", "none/knn"], HeadOptions())]
    ['none', 'smote', 'none']
    """
    limits = {"floor": floor if floor is not None else base.floor,
              "cap": cap if cap is not None else base.cap}
    found = [_with(base, "none", base.classifier, limits)]
    for name in names:
        sampler, _, classifier = name.partition("/")
        if sampler in CLASSIFIERS and not classifier:
            sampler, classifier = base.sampler, sampler
        one = _with(base, sampler, classifier or base.classifier, limits)
        if one not in found:
            found.append(one)
    for what, value in (("floor", floor), ("cap", cap)):
        if value is not None and all(getattr(one, what) is None for one in (*found, base)):
            samplers = ", ".join(dict.fromkeys(one.sampler for one in found))
            raise InputError(f"{what}: none of the samplers compared takes one ({samplers}). Leave "
                             "it out, or compare one that does.")
    return found


def compare_heads(features: Any, labels: ArrayLike, folds: Folds, ways: Sequence[HeadOptions], *,
                  rows: ArrayLike | None = None, known: Compared | None = None,
                  progress: StepCallback = ignore_steps) -> list[Compared]:
    """Cross-validate each way on the same folds.

    A way that is refused (not enough memory, a sampler that cannot work here) is kept with the
    reason.

    Parameters
    ----------
    features, labels, folds
        As in `fit_head`.
    ways : sequence of HeadOptions
    rows : array-like of int, shape (n,), optional
        As in `fit_head`.
    known : Compared, optional
        A way that was cross-validated on these folds before.
    progress : callable of (done, total, what), optional

    Returns
    -------
    list of Compared
    """
    found = []
    for i, options in enumerate(ways):
        progress(i, len(ways), f"{options.sampler} / {options.classifier}")
        if known is not None and options == known.options:
            found.append(known)
            continue
        start = time.perf_counter()
        try:
            _, task = prepare(features, labels, folds, options, rows)
            summary = summarize_folds(task.y, cross_predict(task), folds.units)
            found.append(Compared(options, summary, time.perf_counter() - start))
        except InputError as error:
            found.append(Compared(options, None, time.perf_counter() - start, str(error)))
    progress(len(ways), len(ways), "compared")
    return found


def comparison_results(compared: Sequence[Compared], deciding: str = "macro_f1") -> dict[str, Any]:
    """The part ``comparison`` of results.json.

    Parameters
    ----------
    compared : sequence of Compared
        The first is what others are compared with.
    deciding : str
        Score that decides.

    Returns
    -------
    dict
    """
    base = compared[0].summary
    if base is None:
        raise InputError(f"comparison: {compared[0].name} was refused ({compared[0].refused})")
    differences = [compare(one.summary, base, deciding) if one.summary else None
                   for one in compared[1:]]
    rows = [_row(one, difference)
            for one, difference in zip(compared, [None, *differences], strict=True)]
    return {"baseline": compared[0].name, "rows": rows,
            "recommendation": _recommendation(compared, differences, deciding)}


def _row(one: Compared, difference: Comparison | None) -> dict[str, Any]:
    told = comparison_to_json(difference) if difference else {
        "difference": None, "verdict": one.refused and f"refused: {one.refused}"}
    return {"name": one.name, "sampler": one.options.sampler,
            "classifier": one.options.classifier,
            "scores": intervals_to_json(one.summary.scores) if one.summary else {},
            "seconds": round(one.seconds, 1), **told}


def _recommendation(compared: Sequence[Compared], differences: Sequence[Comparison | None],
                    deciding: str) -> str:
    words = deciding.replace("macro_f1", "macro-F1").replace("_", " ")
    better = [(one, d) for one, d in zip(compared[1:], differences, strict=True)
              if d and d.verdict == "better"]
    if not better:
        text = f"Keep {compared[0].name}: no other way was shown to be better in {words}."
        resampled = any(one.options.sampler != "none" and one.summary for one in compared)
        return f"{text} Resampling was not shown to help here." if resampled else text
    one, difference = max(better, key=lambda pair: float(pair[1].differences[deciding].estimate))
    gain = difference.differences[deciding]
    text = (f"Use {one.name}: {words} is {100 * float(gain.estimate):.1f} points higher than "
            f"with {compared[0].name} (95 %: {100 * float(gain.low):.1f} to "
            f"{100 * float(gain.high):.1f}).")
    loss = difference.differences["accuracy"]
    if float(loss.high) < 0:
        text += f" It costs {-100 * float(loss.estimate):.1f} points of accuracy."
    return text


def _with(base: HeadOptions, sampler: str, classifier: str,
          limits: dict[str, Any]) -> HeadOptions:
    """`base` with another sampler, and the floor and cap that it takes."""
    if sampler not in SAMPLERS and "+" not in sampler:
        raise InputError(f"compare: '{sampler}' is neither a sampler ({', '.join(SAMPLERS)}) nor a "
                         f"classifier ({', '.join(CLASSIFIERS)}).")
    return replace(base, sampler=sampler, classifier=classifier, **limits_of(sampler, **limits))


def _takes(sampler: str, **limit: Any) -> bool:
    try:
        make_sampler(sampler, **limit)
    except InputError:
        return False
    return True
