"""What is told of a trained network: the same as of a head, and how it was trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from plankton_features.assessment.lineage_scores import (
    rank_accuracies,
    score_lineages,
    taxonomy_to_json,
)
from plankton_features.assessment.taxonomy import lineage_matrix
from plankton_features.errors import counted
from plankton_features.finetuning.augmentation import AUGMENTATIONS
from plankton_features.finetuning.plan import Tuned, TunePlan
from plankton_features.results.describing import describe_fit
from plankton_features.results.facts import ClassRows, NetworkFacts, RunFacts, versions_of
from plankton_features.results.learning import conflicts_sentence
from plankton_features.results.results import Results
from plankton_features.results.whereabouts import Whereabouts


def describe_tuned(tuned: Tuned, plan: TunePlan, images: str | os.PathLike[str], *,
                   non_living: Sequence[str] = (), command: str = "",
                   seconds: float | None = None) -> Results:
    """Scores of the test part, curves, and warnings of a network.

    Parameters
    ----------
    tuned : Tuned
        From `fine_tune`.
    plan : TunePlan
        What was asked for.
    images : path-like
        The folder or table of the images.
    non_living : sequence of str
        Classes, or patterns such as ``detritus*``, to leave out of a second set of scores.
    command : str
        What was typed, if it was.
    seconds : float, optional
        That training took.

    Returns
    -------
    Results
        `report.write_report` and `report.write_json` take it.

    Raises
    ------
    InputError
        If a pattern names no class.
    """
    found, gathered = tuned.result, tuned.gathered.images
    options = {"test_size": plan.split.test_size, "validation_size": plan.split.validation_size}
    run = RunFacts(command, seconds, versions=versions_of("tensorflow", "keras"))
    told = describe_fit(found, images=gathered, non_living=non_living, options=options, run=run,
                        groups=None if tuned.groups is None else gathered["group"])
    # Of one split there are no repeats to tell of.
    chosen = {name: value for name, value in told.options.items() if name != "repeats"}
    facts = replace(told.features, path=os.fspath(images), engine="tensorflow",
                    weights_source=f"before training: {plan.weights.source}",
                    precision=plan.options.precision)
    counts = tuned.parts.epoch_counts.tolist()
    drawn = tuple(ClassRows(one.name, one.before, n, _how(one.before, n))
                  for one, n in zip(told.sampling, counts, strict=True))
    return replace(
        told, options=chosen, features=facts, sampling=drawn,
        warnings=(*_cautions(tuned, plan), *told.warnings),
        network=NetworkFacts(_facts(tuned, plan), tuned.trained.history, _taxonomy(tuned)),
        whereabouts=Whereabouts(os.fspath(images), frozenset(gathered["path"]),
                                plan.recipe.depth))


def _how(before: int, after: int) -> str:
    if not before:
        return "not trained"
    if after == before:
        return "each once"
    return "drawn anew for each epoch" if after < before else "repeated"


def _facts(tuned: Tuned, plan: TunePlan) -> dict[str, str]:
    trained, options = tuned.trained, plan.options
    return {"Backbone": plan.recipe.backbone, "Trained": trained.what,
            "Parameters": f"{trained.parameters / 1e6:.1f} million, "
                          f"{trained.trained_parameters / 1e6:.1f} million trained",
            "Classification layers": f"{options.hidden} units, then classes" if options.hidden
            else "one layer",
            "Augmentation": AUGMENTATIONS[options.augment],
            "Learning rate": f"{options.optimizer}, {options.rates.describe()}"}


def _taxonomy(tuned: Tuned) -> dict[str, Any] | None:
    if tuned.taxonomy is None:
        return None
    result, found = tuned.result, tuned.result.out_of_fold
    classes = result.classes.tolist()
    _, lineages = lineage_matrix(tuned.taxonomy, classes)
    true, units = result.y[found.row], result.folds.units[found.row]
    scores = score_lineages(true, found.predicted, lineages, units=units)
    ranks = rank_accuracies(true, found.predicted, tuned.taxonomy, classes, units=units)
    return taxonomy_to_json(scores, ranks, tuned.taxonomy, classes)


def _cautions(tuned: Tuned, plan: TunePlan) -> list[str]:
    told, gathered = [], tuned.gathered
    if plan.begin is not None:
        n = plan.begin.target.sum()
        told.append("The last layer began as a head that was fitted on "
                    f"{counted(round(n), 'image')}. Where the test part is among them, "
                    "its scores are too good.")
    if tuned.trained.stopped:
        told.append(f"Training ended before its time: {tuned.trained.stopped} The network is that "
                    "of the best epoch before.")
    if plan.weights.source.startswith("fine-tuned"):
        told.append("Training began with a fine-tuned network. Where the test part is among the "
                    "images that trained it, its scores are too good.")
    if tuned.unlabelled:
        told.append(f"{counted(tuned.unlabelled, 'image')} without a label left out.")
    if tuned.groups is not None and tuned.groups.dropped:
        told.append(tuned.groups.dropped)
    if n := len(gathered.failures):
        first = gathered.failures.iloc[0]
        told.append(f"{counted(n, 'image')} could not be used, such as {first['path']} "
                    f"({first['reason']}); left out.")
    if len(gathered.conflicts):
        told.append(conflicts_sentence(gathered.conflicts))
    return told
