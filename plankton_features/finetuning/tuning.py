"""Fine-tune: from a catalog to a trained, judged and saved network."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.assessment.taxonomy import Taxonomy, lineage_matrix
from plankton_features.embedding import Weights, open_engine
from plankton_features.errors import InputError
from plankton_features.files.locking import WriteLock
from plankton_features.files.targets import check_output
from plankton_features.finetuning import checkpoint
from plankton_features.finetuning.as_head import UNLIKELY, first_weights
from plankton_features.finetuning.canvases import Gathered, digest_of_pictures, gather
from plankton_features.finetuning.draws import expected_counts
from plankton_features.finetuning.evaluating import Judging, evaluate
from plankton_features.finetuning.frequencies import implied_frequencies
from plankton_features.finetuning.journal import Journal
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.phases import Parts
from plankton_features.finetuning.plan import Split, Tuned, TunePlan, Watch
from plankton_features.finetuning.saving import (
    add_head,
    in_float32,
    put_in_place,
    write_network,
)
from plankton_features.finetuning.training import Job, check_network, train
from plankton_features.heads.fitting import check_training
from plankton_features.heads.head import Head
from plankton_features.heads.validation.folds import Folds, make_split
from plankton_features.heads.validation.groups import Groups, find_groups
from plankton_features.images import Catalog
from plankton_features.images.catalog import check_catalog


def fine_tune(catalog: Catalog, output: str | os.PathLike[str], plan: TunePlan, *,
              overwrite: bool = False, watch: Watch | None = None, readers: int = 2,
              place: bool = True) -> Tuned:
    """Train a network on labelled images and write it; goes on where a run was broken off.

    Parameters
    ----------
    catalog : Catalog
    output : path-like
        Name of the model, ends with ``.keras``; beside it come the journal and the folder
        `work_folder`, which `forget` removes when all is done.
    plan : TunePlan
    overwrite : bool, default=False
        Whether a model that is there may be replaced.
    watch : Watch, optional
    readers : int, default=2
        Threads that read images.
    place : bool, default=True
        Write the network to `output`. If not, it waits in `work_folder`, at ``file`` of what is
        returned, to be put in place together with other files (`Together`).

    Returns
    -------
    Tuned

    Raises
    ------
    InputError
        If `catalog` is not a Catalog, the model is there, no image has a label, there is one
        class only, images cannot be split, or a layer or taxon is not known.
    MismatchError
        If a run that was broken off had other options or images.
    OtherPicturesError
        If it had other pictures of the same names.
    EngineError, StoreError, WeightsError
        If training or writing fails, or another process trains the same model.
    """
    check_catalog(catalog)
    output = Path(output)
    check_output(output, overwrite)
    folder = work_folder(output)
    chosen, groups = _grouped(_labelled(catalog), plan.split)
    _check_early(chosen, plan)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        tuned = _fine_tune(catalog, chosen, groups, output, plan, watch or Watch(), readers)
    if not place:
        return tuned
    put_in_place(tuned.file, output)
    return replace(tuned, file=output)


def _fine_tune(catalog: Catalog, chosen: Catalog, groups: Groups | None, output: Path,
               plan: TunePlan, watch: Watch, readers: int) -> Tuned:
    folder = work_folder(output)
    checkpoint.name_pictures(folder, digest_of_pictures(folder))
    gathered = gather(chosen, plan.recipe.framing_options, folder, threads=readers,
                      progress=watch.reading)
    job, judged = _job(catalog, gathered, groups is not None, folder, plan)
    watch.gathered(gathered, judged.folds)
    journal = Journal(output.with_suffix(".log.csv"), output.with_suffix(".tensorboard"))
    trained = train(job, progress=watch.training, steps=watch.steps, after_epoch=journal)
    trained = replace(trained, network=in_float32(trained.network))
    made = folder / "model.keras"
    recipe = write_network(trained.network, judged.classes.tolist(), made)
    engine = open_engine(recipe, Weights(recipe.weights, f"fine-tuned ({output.name})", made))
    result = evaluate(trained, recipe, engine, gathered.canvases, job.parts, judged)
    add_head(made, result.head)
    return Tuned(result, trained, recipe, gathered, groups, job.parts,
                 catalog.label.count(""), plan.taxonomy, made)


def work_folder(output: Path) -> Path:
    """Where a run keeps what it needs to go on after it was broken off."""
    return output.with_suffix(".training")


def is_begun(output: Path) -> bool:
    """Whether a run was broken off that has trained something."""
    return (work_folder(output) / checkpoint.NAME).exists()


def forget(output: str | os.PathLike[str]) -> None:
    """Remove what a run would go on from.

    Parameters
    ----------
    output : path-like
        The network's file, as in `fine_tune`.
    """
    shutil.rmtree(work_folder(Path(output)), ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from training the same model.

    Raises
    ------
    StoreError
    """
    with WriteLock(folder / checkpoint.NAME, "another process trains this model. Wait for it, or "
                   "choose another name."):
        yield


def _check_early(labelled: Catalog, plan: TunePlan) -> None:
    """Refuse what reading the images would not change."""
    if plan.taxonomy is not None:
        lineage_matrix(plan.taxonomy, sorted(set(labelled.label)))
    check_network(plan.recipe, plan.options)


def _labelled(catalog: Catalog) -> Catalog:
    rows = [i for i, label in enumerate(catalog.label) if label]
    if not rows:
        raise InputError(f"{catalog.source}: no image has a label. Put the images into one folder "
                         "for each taxon, or give a CSV table with a column label.")
    return catalog.subset(rows)


def _grouped(labelled: Catalog, split: Split) -> tuple[Catalog, Groups | None]:
    """The images to train on and judge by, with their groups as the catalog's."""
    if split.grouping is None:
        return labelled, None
    columns = {"path": labelled.path, "id": labelled.id, "group": labelled.group}
    folder = labelled.root.resolve() if labelled.root else None
    found = find_groups(columns, split.grouping, folder=folder)
    if found is None:
        return labelled, None
    return replace(labelled.subset(found.rows), group=found.names.tolist()), found


def _job(catalog: Catalog, gathered: Gathered, grouped: bool, folder: Path,
         plan: TunePlan) -> tuple[Job, Judging]:
    labels = gathered.images["label"].to_numpy(str)
    groups = gathered.images["group"].to_numpy(object) if grouped else None
    folds = make_split(labels, groups=groups, digests=gathered.images["sha256"].tolist(),
                       test_size=plan.split.test_size, seed=plan.split.seed,
                       validation_size=plan.split.validation_size)
    classes, y = np.unique(labels, return_inverse=True)
    check_training(y, folds)
    parts = _parts(y.astype(np.int64), len(classes), folds, plan.options)
    begin = None
    if plan.begin is not None:
        begin = _renumbered(plan.begin, classes, parts.source)
    job = Job(plan.recipe, plan.weights, gathered.canvases, parts, plan.options, folder,
              _key(catalog, folder, plan, folds),
              _lineages(plan.taxonomy, classes), begin)
    info: dict[str, Any] = {"options": {**plan.options.to_dict(), "classifier": "network",
                                        "calibration": plan.judging.calibration,
                                        "min_precision": plan.judging.min_precision}}
    if plan.taxonomy is not None:
        info["taxonomy"] = plan.taxonomy.to_dict()
    return job, Judging(classes, folds, plan.judging, info)


def _parts(y: NDArray[np.int64], n_classes: int, folds: Folds, options: TuneOptions) -> Parts:
    test, validation, train_rows = (np.flatnonzero(folds.numbers[0] == k) for k in range(3))
    of_training = y[train_rows]
    counts = np.bincount(of_training, minlength=n_classes).astype(np.float64)
    drawn = expected_counts(of_training, n_classes, **options.draws)
    implied = implied_frequencies(drawn, drawn, options.sampler, options.tau)
    return Parts(y, n_classes, train_rows, validation, test, implied * drawn.sum(), counts, drawn)


def _renumbered(head: Head, classes: NDArray[np.str_],
                source: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A head's linear classifier for other classes, answering for other class frequencies."""
    kernel, bias = first_weights(head, len(head.classes))
    place = {name: k for k, name in enumerate(head.classes.tolist())}
    found = [place.get(name, -1) for name in classes.tolist()]
    known = np.array(found) >= 0
    if not known.any():
        raise InputError("--from: the head has none of these classes.")
    wide = np.zeros((len(kernel), len(classes)), np.float32)
    offset = np.full(len(classes), bias.min() - UNLIKELY, np.float32)
    wide[:, known], offset[known] = kernel[:, found][:, known], bias[found][known]
    shifted = known & (source > 0) & (head.source[found] > 0)
    offset[shifted] += np.log(source[shifted] / head.source[found][shifted])
    return wide, offset


def _lineages(taxonomy: Taxonomy | None, classes: NDArray[np.str_]) -> NDArray[np.bool_] | None:
    if taxonomy is None:
        return None
    return lineage_matrix(taxonomy, classes.tolist())[1]


def _key(catalog: Catalog, folder: Path, plan: TunePlan, folds: Folds) -> dict[str, Any]:
    split = plan.split
    return {**plan.options.to_dict(), "recipe": plan.recipe.to_json(),
            "images": catalog.fingerprint(), checkpoint.PICTURES: digest_of_pictures(folder),
            "test-size": split.test_size,
            "validation-size": split.validation_size, "split seed": split.seed,
            "split": hashlib.sha256(folds.numbers.tobytes()).hexdigest()[:16],
            "from": plan.begin.head_id if plan.begin else None,
            "taxonomy": plan.taxonomy.to_dict() if plan.taxonomy else None}
