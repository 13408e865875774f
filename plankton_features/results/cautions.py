"""What to keep in mind when reading scores, as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from plankton_features.assessment.abstention import AbstentionSummary
from plankton_features.assessment.calibration.report import CalibrationReport
from plankton_features.assessment.checks import doubtful_labels
from plankton_features.assessment.summary import Summary
from plankton_features.heads import FitResult
from plankton_features.heads.validation.folds import missing_classes
from plankton_features.heads.validation.groups import lost_groups


def cautions_of_fit(result: FitResult, summary: Summary, few: int = 20) -> list[str]:
    """Of groups, labels, small classes, folds, sampler and thresholds.

    Parameters
    ----------
    result : FitResult
    summary : Summary
        From `summarize_folds`.
    few : int
        Classes of fewer images say little.

    Returns
    -------
    list of str
    """
    told = []
    if not result.folds.grouped:
        told.append(
            "No groups: images of one tow or sample may be in training and test rows, so the "
            "scores are optimistic. Give a group column, --group-pattern, --group-level or "
            "--group-by-date.")
    else:
        told += [*lost_groups(result.folds), *([summary.caution] if summary.caution else [])]
    told += doubtful_labels(result.classes[result.y].tolist())
    support = np.bincount(result.y, minlength=len(result.classes))
    if small := result.classes[support < few].tolist():
        told.append(f"{len(small)} of {len(result.classes)} classes have fewer than {few} images; "
                    f"their scores say little: {_shortened(small)}.")
    if alone := _never_tested(result):
        told.append(f"{len(alone)} classes have all their images in one fold (a single image or "
                    "group), so no model that was scored had seen them; they count as wrong: "
                    f"{_shortened(alone)}.")
    absent = result.classes[summary.support == 0].tolist()
    if absent:
        told.append(f"{len(absent)} of {len(result.classes)} classes have no image among those "
                    f"scored; averages over classes leave them out: {_shortened(absent)}.")
    done = result.final.done
    if result.head.info["options"]["sampler"] not in ("none", "class-weight") and done and all(
            how == "left alone" for how in done.values()):
        told.append("The sampler found nothing to do: no class is below the floor or above the "
                    "cap. Choose another --floor or --cap.")
    if not all(block.converged for block in result.out_of_fold.blocks):
        told.append("The classifier did not converge in some folds; its scores may be too low.")
    if never := _never_accepted(result):
        told.append(f"{len(never)} classes never keep the promised precision: predictions of "
                    f"them are always abstained from: {_shortened(never)}.")
    return told


def cautions_of_scores(calibration: Mapping[str, CalibrationReport],
                       kept: AbstentionSummary | None, min_precision: float | None) -> list[str]:
    """What the numbers themselves say against trusting them.

    Parameters
    ----------
    calibration : mapping of str to CalibrationReport
        ``before`` and ``after``.
    kept : AbstentionSummary or None
    min_precision : float or None
        The precision that was promised.

    Returns
    -------
    list of str
    """
    told = []
    before, after = calibration["before"], calibration["after"]
    if after.ece > before.ece and after.log_loss > before.log_loss:
        told.append(f"Correcting and calibrating made probabilities slightly worse (ECE "
                    f"{before.ece:.3f} to {after.ece:.3f}). Compare --calibration isotonic, "
                    "sigmoid and none.")
    elif abs(after.gap.gap) > abs(before.gap.gap) and after.ece > before.ece:
        told.append("Calibration lowered the log-loss but moved confidence further from accuracy "
                    f"(ECE {before.ece:.3f} to {after.ece:.3f}). Compare --calibration "
                    "isotonic, sigmoid and none.")
    if kept is not None and min_precision is not None and \
            float(kept.precision.estimate) < min_precision:  # NaN if nothing is accepted
        told.append(f"The promised precision of {min_precision:g} was missed on images "
                    f"that did not choose the thresholds: {float(kept.precision.estimate):.3f}. "
                    "Promise more than you need, or add images.")
    return told


def _shortened(names: Sequence[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _never_tested(result: FitResult) -> list[str]:
    number = result.folds.numbers[0]
    missing = [missing_classes(result.y, number, fold) for fold in result.folds.scored]
    names: list[str] = result.classes[np.unique(np.concatenate(missing))].tolist()
    return names


def _never_accepted(result: FitResult) -> list[str]:
    thresholds = result.choice.thresholds
    return [] if thresholds is None else result.classes[np.isinf(thresholds)].tolist()
