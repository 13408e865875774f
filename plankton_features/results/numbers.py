"""A fitted head's validation as plain numbers: what the report shows and results.json holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plankton_features.assessment.abstention import abstention as summarize_abstention
from plankton_features.assessment.baselines import majority_baseline, prior_random_baseline
from plankton_features.assessment.checks import doubtful_labels
from plankton_features.assessment.comparison import optimism_sentence
from plankton_features.assessment.confusion import confusion
from plankton_features.assessment.metrics import scores
from plankton_features.assessment.summary import Summary, living, summarize
from plankton_features.assessment.to_json import (
    abstention_to_json,
    classes_to_json,
    intervals_to_json,
    living_to_json,
    number_to_json,
    numbers_to_json,
)
from plankton_features.heads.fitting import FitResult
from plankton_features.heads.predictions import Predictions
from plankton_features.heads.validation.folds import missing_classes
from plankton_features.heads.validation.groups import lost_groups
from plankton_features.heads.validation.labels import texts_of
from plankton_features.heads.validation.out_of_fold import Choice, OutOfFold
from plankton_features.results.calibration_reports import calibration_reports

Json = dict[str, Any]


def summarize_folds(y: NDArray[np.int64], found: OutOfFold, units: NDArray[np.int64],
                    seed: int = 0) -> Summary:
    """Every score of out-of-fold predictions, with intervals that draw whole units.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
        Class numbers of all rows.
    found : OutOfFold
    units : ndarray of int64, shape (n,)
        Of `Folds`; a row that several repeats scored counts as one.
    seed : int

    Returns
    -------
    Summary
    """
    return summarize(y[found.row], found.predicted, found.probabilities,
                     units=units[found.row], seed=seed)


def validation_results(result: FitResult, summary: Summary, non_living: Sequence[str] = (),
                       groups: ArrayLike | None = None) -> Json:
    """The parts of results.json that follow from a fit.

    Parameters
    ----------
    result : FitResult
    summary : Summary
        From `summarize_folds`.
    non_living : sequence of str
        Classes to leave out of the second set of scores.
    groups : array-like, shape (n,), optional
        To count the groups of each class.

    Returns
    -------
    dict
        JSON-able, except that scores without a value are None.
    """
    found, options = result.out_of_fold, result.head.info["options"]
    y, units = result.y[found.row], result.folds.units[found.row]
    abstention = None
    if options["min_precision"] is not None:
        abstention = summarize_abstention(y, found.predicted, found.accepted,
                                          len(result.classes), units=units)
    calibration = {stage: one.to_dict() for stage, one in calibration_reports(result).items()}
    return {
        "classes": result.classes.tolist(),
        "folds": _folds(result, groups),
        "choices": [_choice(block.repeat, block.fold, block.choice) for block in found.blocks]
        + [_choice(None, None, result.choice)],
        "sampling": _sampling(result),
        "scores": intervals_to_json(summary.scores),
        "baselines": {"majority": numbers_to_json(majority_baseline(summary.support)),
                      "prior_random": numbers_to_json(prior_random_baseline(summary.support))},
        "living": _living(result, non_living),
        "per_class": classes_to_json(
            result.classes.tolist(), summary, groups=_groups_per_class(result, groups),
            training=result.final.source if options["sampler"] != "class-weight"
            else result.final.target, threshold=result.choice.thresholds,
            coverage=abstention.class_coverage if abstention else None),
        "confusion": summary.confusion.tolist(),
        "calibration": {"method": options["calibration"], **calibration},
        "abstention": abstention_to_json(abstention, options["min_precision"])
        if abstention else None,
    }


def optimism(result: FitResult, ungrouped: OutOfFold) -> Json:
    """What scores would pretend if groups were split; both without repeats.

    Parameters
    ----------
    result : FitResult
        Validated with groups.
    ungrouped : OutOfFold
        Of the same rows and options, with folds made without groups.

    Returns
    -------
    dict
    """
    found, n_classes = result.out_of_fold, len(result.classes)
    once = found.block < len(result.folds.scored)
    lost = result.folds.without_group or result.folds.hardly_grouped
    honest = scores(confusion(result.y[found.row[once]], found.predicted[once], n_classes))
    other = scores(confusion(result.y[ungrouped.row], ungrouped.predicted, n_classes))
    return {"grouped": numbers_to_json(honest), "ungrouped": numbers_to_json(other),
            "sentence": optimism_sentence({k: float(v) for k, v in honest.items()},
                                          {k: float(v) for k, v in other.items()},
                                          complete=not lost)}


def prediction_frame(result: FitResult, images: pd.DataFrame) -> pd.DataFrame:
    """Out-of-fold predictions, one row for each image and repeat.

    Parameters
    ----------
    result : FitResult
    images : DataFrame
        With columns path, id, group and label, one row for each row that was fitted.

    Returns
    -------
    DataFrame
    """
    found = result.out_of_fold
    ranked = Predictions(found.predicted, found.probabilities.astype(np.float64),
                         found.accepted).ranked(3)
    frame = images.iloc[found.row][["path", "id", "group", "label"]].reset_index(drop=True)
    for place, (name, column) in enumerate(zip(("predicted", "second", "third"), ranked.T,
                                               strict=False)):
        frame[name] = result.classes[column]
        share = "probability" if place == 0 else f"{name}_probability"
        frame[share] = found.probabilities[np.arange(len(column)), column].round(6)
    blocks = found.blocks
    return frame.assign(repeat=np.array([b.repeat for b in blocks])[found.block],
                        fold=np.array([b.fold for b in blocks])[found.block],
                        accepted=found.accepted)


def confusion_table(result: FitResult, shares: bool = False) -> pd.DataFrame:
    """Confusions of out-of-fold predictions as a pandas crosstab with margins.

    Parameters
    ----------
    result : FitResult
    shares : bool, default=False
        Of each true class, instead of counts.

    Returns
    -------
    DataFrame, shape (K + 1, K + 1), or (K + 1, K) for shares
        Rows true, columns predicted; ``All`` is the margin.
    """
    found = result.out_of_fold
    true, predicted = (pd.Categorical.from_codes(codes, categories=result.classes)
                       for codes in (result.y[found.row], found.predicted))
    return pd.crosstab(true, predicted, rownames=["true"], colnames=["predicted"], margins=True,
                       dropna=False, normalize="index" if shares else False)


def warnings_of(result: FitResult, summary: Summary, few: int = 20) -> list[str]:
    """What to keep in mind when reading the scores, as sentences."""
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


def warnings_of_results(results: Json) -> list[str]:
    """What the numbers themselves say against trusting them, as sentences."""
    told = []
    before, after = (results["calibration"][stage] for stage in ("before", "after"))
    if after["ece"] > before["ece"] and after["log_loss"] > before["log_loss"]:
        told.append(f"Correcting and calibrating made probabilities slightly worse (ECE "
                    f"{before['ece']:.3f} to {after['ece']:.3f}). Compare --calibration isotonic, "
                    "sigmoid and none.")
    elif abs(after["gap"]["estimate"]) > abs(before["gap"]["estimate"]) and \
            after["ece"] > before["ece"]:
        told.append("Calibration lowered the log-loss but moved confidence further from accuracy "
                    f"(ECE {before['ece']:.3f} to {after['ece']:.3f}). Compare --calibration "
                    "isotonic, sigmoid and none.")
    kept = results["abstention"]
    if kept and kept["precision"]["estimate"] is not None and \
            kept["precision"]["estimate"] < kept["min_precision"]:
        told.append(f"The promised precision of {kept['min_precision']:g} was missed on images "
                    f"that did not choose the thresholds: {kept['precision']['estimate']:.3f}. "
                    "Promise more than you need, or add images.")
    return told


def _shortened(names: list[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _never_tested(result: FitResult) -> list[str]:
    number = result.folds.numbers[0]
    missing = [missing_classes(result.y, number, fold) for fold in result.folds.scored]
    return result.classes[np.unique(np.concatenate(missing))].tolist()


def _never_accepted(result: FitResult) -> list[str]:
    thresholds = result.choice.thresholds
    return [] if thresholds is None else result.classes[np.isinf(thresholds)].tolist()


def _folds(result: FitResult, groups: ArrayLike | None) -> Json:
    folds = result.folds
    missing = [{"repeat": repeat, "fold": fold, "classes": result.classes[absent].tolist()}
               for repeat, number in enumerate(folds.numbers) for fold in folds.scored
               if len(absent := missing_classes(result.y, number, fold))]
    n_groups = None if groups is None else len(set(texts_of(np.asarray(groups))) - {""})
    return {"kind": folds.kind, "n_groups": n_groups, "without_group": folds.without_group,
            "repeats": len(folds.numbers), "rows": np.bincount(folds.numbers[0]).tolist(),
            "missing": missing}


def _choice(repeat: int | None, fold: int | None, choice: Choice) -> Json:
    """Of a fold, or of the head itself (no fold)."""
    return {"repeat": repeat, "fold": fold, "parameters": choice.parameters,
            "candidates": [{**parameters, "log_loss": number_to_json(loss)}
                           for parameters, loss in choice.losses],
            "temperature": choice.calibrator.to_dict().get("temperature")}


def _sampling(result: FitResult) -> list[Json]:
    final = result.final
    after = final.target if result.head.info["options"]["sampler"] == "class-weight" \
        else final.source
    return [{"class": name, "before": int(final.target[k]), "after": int(after[k]),
             "how": final.done.get(k, "left alone")}
            for k, name in enumerate(result.classes.tolist())]


def _living(result: FitResult, non_living: Sequence[str]) -> Json | None:
    if not non_living:
        return None
    found = result.out_of_fold
    left_out = np.isin(result.classes, list(non_living))
    return living_to_json(living(
        result.y[found.row], found.predicted, found.probabilities, left_out,
        units=result.folds.units[found.row]), list(non_living))


def _groups_per_class(result: FitResult, groups: ArrayLike | None) -> list[int] | None:
    if groups is None:
        return None
    names = texts_of(np.asarray(groups))
    table = pd.DataFrame({"class": result.y, "group": pd.Series(names).where(names != "")})
    return table.groupby("class")["group"].nunique().tolist()
