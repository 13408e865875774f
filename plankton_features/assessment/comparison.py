"""Do two classifiers differ? And what does looking past the groups pretend?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from plankton_features.assessment.replicates import Interval, paired_difference
from plankton_features.assessment.summary import LESS_IS_BETTER, SCORES, Summary
from plankton_features.errors import InputError

ComparisonVerdict = Literal["better", "worse", "no difference shown"]

#: Differences of scores below this are told as none, in words.
_NOTHING = 0.005


@dataclass(frozen=True)
class Comparison:
    """How a classifier differs from another on the same rows.

    Attributes
    ----------
    differences : dict of str to Interval
        First minus second, each of `summary.SCORES`.
    verdict : str
        ``better``, ``worse`` or ``no difference shown``, of the first.
    deciding : str
        The score whose difference gave the verdict.
    caution : str
        Why intervals should not be trusted; empty if they can be.
    """

    differences: dict[str, Interval]
    verdict: ComparisonVerdict
    deciding: str
    caution: str


def compare_summaries(first: Summary, second: Summary, deciding: str = "macro_f1") -> Comparison:
    """Paired differences first - second, and whether the first is better.

    Of many comparisons with the same second, one in twenty is found different by chance.

    Parameters
    ----------
    first, second : Summary
        Of the same rows in the same order, with the same units, number of replicates and seed.
    deciding : str
        Score whose interval decides, one of `summary.SCORES`. For ``log_loss``, ``brier`` and the
        calibration errors less is better.

    Returns
    -------
    Comparison
        ``better`` or ``worse`` if the interval leaves out 0.

    Raises
    ------
    InputError
        If they did not draw the same rows, or there is no such score.

    Examples
    --------
    >>> import numpy as np
    >>> from plankton_features.assessment.summary import summarize
    >>> y = np.arange(200) % 2
    >>> good, bad = (summarize(y, None, abs(np.eye(2)[y] - share)) for share in (0.1, 0.8))
    >>> compare_summaries(good, bad).verdict, compare_summaries(bad, good, "brier").verdict
    ('better', 'worse')
    """
    if deciding not in SCORES:
        raise InputError(f"deciding score: expected one of {', '.join(SCORES)}, got {deciding}.")
    paired = paired_difference(first.replicates, second.replicates)
    differences = {name: paired.interval(name) for name in SCORES}
    return Comparison(differences, difference_verdict(differences[deciding], deciding), deciding,
                      paired.caution)


def difference_verdict(difference: Interval, name: str) -> ComparisonVerdict:
    """What the interval of a difference of one score says.

    Parameters
    ----------
    difference : Interval
        Of numbers; without ends (NaN) no difference is shown.
    name : str
        Of the score, one of `summary.SCORES`.

    Returns
    -------
    str
        ``better`` or ``worse`` if all of it is on one side of 0.
    """
    above, below = bool(difference.low > 0), bool(difference.high < 0)
    if name in LESS_IS_BETTER:
        above, below = below, above
    if above:
        return "better"
    return "worse" if below else "no difference shown"


def optimism_sentence(grouped: Mapping[str, float], ungrouped: Mapping[str, float],
                      complete: bool = True) -> str:
    """What scores would pretend if images of one group were on both sides of a split.

    Parameters
    ----------
    grouped, ungrouped : mapping of str to float
        Scores of both kinds of split; both have ``macro_f1``.
    complete : bool, default=True
        Whether groups keep all images together. If not, the first are optimistic as well.

    Returns
    -------
    str
        For a person.

    Examples
    --------
    >>> optimism_sentence({"macro_f1": 0.61}, {"macro_f1": 0.72})
    'If groups were split, macro-F1 would come out 11.0 points higher (72.0 % instead of 61.0 %): \
that is optimism. Expect the lower number in new groups.'
    """
    honest, other = float(grouped["macro_f1"]), float(ungrouped["macro_f1"])
    numbers = f"({100 * other:.1f} % instead of {100 * honest:.1f} %)"
    points = f"{100 * abs(other - honest):.1f} points"
    none = "no optimism was seen." if complete else (
        "this says nothing of optimism, since groups keep only a part of the images together.")
    if abs(other - honest) < _NOTHING:
        told = f"hardly change {numbers}: {none}"
    elif other < honest:
        told = f"come out {points} lower {numbers}: {none}"
    else:
        expected = "Expect the lower number in new groups." if complete else (
            "Even the lower number may be too good, since groups keep only a part of the images "
            "together.")
        told = f"come out {points} higher {numbers}: that is optimism. {expected}"
    return f"If groups were split, macro-F1 would {told}"
