"""Samplers and classifiers on the same folds: which differences are real?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from plankton_features.assessment.comparison import Comparison, compare_summaries
from plankton_features.assessment.summary import SCORES, Summary
from plankton_features.assessment.to_json import comparison_to_json, intervals_to_json
from plankton_features.errors import InputError
from plankton_features.heads import Folds, HeadOptions
from plankton_features.heads.classifiers import CLASSIFIERS, classifier_name
from plankton_features.heads.fitting import prepare
from plankton_features.heads.sampling import SAMPLERS, make_sampler
from plankton_features.heads.validation.out_of_fold import cross_predict
from plankton_features.progress import StepCallback, ignore_steps
from plankton_features.results.scores import summarize_folds

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
    difference : Comparison or None
        To the first way; None of that one, and if it was refused.
    """

    options: HeadOptions
    summary: Summary | None
    seconds: float
    refused: str = ""
    difference: Comparison | None = None

    @property
    def name(self) -> str:
        """``sampler / classifier``."""
        return f"{self.options.sampler} / {classifier_name(self.options.classifier)}"

    @property
    def verdict(self) -> str:
        """Of the difference, or why there is none; empty for the first way."""
        if self.refused:
            return f"refused: {self.refused}"
        return self.difference.verdict if self.difference else ""

    def to_dict(self) -> dict[str, Any]:
        """As in results.json."""
        told = (comparison_to_json(self.difference) if self.difference else
                {"difference": None, "verdict": self.verdict})
        return {"name": self.name, "sampler": self.options.sampler,
                "classifier": classifier_name(self.options.classifier),
                "scores": intervals_to_json(self.summary.scores) if self.summary else {},
                "seconds": round(self.seconds, 1), **told}


@dataclass(frozen=True)
class HeadComparison:
    """Ways of fitting, cross-validated on the same folds.

    Attributes
    ----------
    ways : tuple of Compared
        The first is what the others are compared with.
    deciding : str
        Score that decides, one of `assessment.summary.SCORES`.

    Raises
    ------
    InputError
        If the first way was refused.
    """

    ways: tuple[Compared, ...]
    deciding: str = "macro_f1"

    def __post_init__(self) -> None:
        first, *others = self.ways
        base = first.summary
        if base is None:
            raise InputError(f"comparison: {first.name} was refused ({first.refused})")
        told = (replace(one, difference=compare_summaries(one.summary, base, self.deciding))
                if one.summary else one for one in others)
        object.__setattr__(self, "ways", (first, *told))

    @property
    def recommendation(self) -> str:
        """What to use, for a person."""
        return _recommendation(self.ways, self.deciding)

    def table(self) -> pd.DataFrame:
        """One row for each way.

        Returns
        -------
        DataFrame
            With columns ``name``, the scores of `assessment.summary.SCORES`, ``difference``,
            ``low`` and ``high`` (of the deciding score, to the first way), ``verdict``,
            ``seconds``. NaN where there is no value.
        """
        rows = []
        for one in self.ways:
            scores = one.summary.scores if one.summary else {}
            gap = one.difference and one.difference.differences[self.deciding]
            rows.append({
                "name": one.name,
                **{name: float(scores[name].estimate) if scores else np.nan for name in SCORES},
                "difference": float(gap.estimate) if gap else np.nan,
                "low": float(gap.low) if gap else np.nan,
                "high": float(gap.high) if gap else np.nan,
                "verdict": one.verdict, "seconds": one.seconds})
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """As in results.json; NaN is None."""
        return {"baseline": self.ways[0].name, "rows": [one.to_dict() for one in self.ways],
                "recommendation": self.recommendation}


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


def ways_to_compare(names: Sequence[str | HeadOptions], base: HeadOptions, *,
                    floor: int | str | None = None, cap: int | None = None) -> list[HeadOptions]:
    """What to compare; the way without resampling comes first.

    Parameters
    ----------
    names : sequence of str or HeadOptions
        Each a sampler, a classifier, or ``sampler/classifier``; what is not said is as in `base`.
        Options are taken as they are.
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
    >>> [o.sampler for o in ways_to_compare(["smote", "none/knn"], HeadOptions())]
    ['none', 'smote', 'none']
    """
    limits = {"floor": floor if floor is not None else base.floor,
              "cap": cap if cap is not None else base.cap}
    found = [_with(base, "none", base.classifier, limits)]
    for name in names:
        one = name if isinstance(name, HeadOptions) else _named(name, base, limits)
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
                  deciding: str = "macro_f1",
                  progress: StepCallback = ignore_steps) -> HeadComparison:
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
    deciding : str, default="macro_f1"
        Score that decides, one of `assessment.summary.SCORES`.
    progress : callable of (done, total, what), optional

    Returns
    -------
    HeadComparison

    Raises
    ------
    InputError
        If the first way is refused, or there is no such score.
    """
    found = []
    for i, options in enumerate(ways):
        progress(i, len(ways), f"{options.sampler} / {classifier_name(options.classifier)}")
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
    return HeadComparison(tuple(found), deciding)


def _recommendation(ways: Sequence[Compared], deciding: str) -> str:
    words = deciding.replace("macro_f1", "macro-F1").replace("_", " ")
    better = [(one, one.difference) for one in ways[1:]
              if one.difference and one.difference.verdict == "better"]
    if not better:
        text = f"Keep {ways[0].name}: no other way was shown to be better in {words}."
        resampled = any(one.options.sampler != "none" and one.summary for one in ways)
        return f"{text} Resampling was not shown to help here." if resampled else text
    one, difference = max(better, key=lambda pair: float(pair[1].differences[deciding].estimate))
    gain = difference.differences[deciding]
    text = (f"Use {one.name}: {words} is {100 * float(gain.estimate):.1f} points higher than "
            f"with {ways[0].name} (95 %: {100 * float(gain.low):.1f} to "
            f"{100 * float(gain.high):.1f}).")
    loss = difference.differences["accuracy"]
    if float(loss.high) < 0:
        text += f" It costs {-100 * float(loss.estimate):.1f} points of accuracy."
    return text


def _named(name: str, base: HeadOptions, limits: dict[str, Any]) -> HeadOptions:
    sampler, _, classifier = name.partition("/")
    if sampler in CLASSIFIERS and not classifier:
        sampler, classifier = base.sampler, sampler
    return _with(base, sampler, classifier or base.classifier, limits)


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
