"""From vectors or images to a table of predictions and their sums, with little memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import pandas as pd

from plankton_features.embedding import EngineOptions
from plankton_features.embedding.model_file import is_model_file
from plankton_features.errors import InputError
from plankton_features.files.targets import check_output
from plankton_features.heads import Head, Predictions, load_head
from plankton_features.heads.file.persistence import is_head_file
from plankton_features.images import Catalog, build_catalog
from plankton_features.progress import ProgressCallback, ignore
from plankton_features.results.blocks import (
    VectorBlock,
    array_blocks,
    check_takes_images,
    features_to_classify,
    file_blocks,
    is_feature_file,
)
from plankton_features.results.extracting import extract_for_head
from plankton_features.results.prediction_files import check_format, predictions_file
from plankton_features.results.predictions import (
    WhichProbabilities,
    check_which,
    prediction_table,
)
from plankton_features.results.tally import Tally
from plankton_features.store import FeatureFile

StrPath = str | os.PathLike[str]
BlockCallback = Callable[[VectorBlock, Predictions], None]


@dataclass(frozen=True, eq=False)
class Classified:
    """What a head says of pictures.

    Attributes
    ----------
    tally : Tally
        Sums by taxon, and scores if there are labels.
    table : DataFrame or None
        The predictions, as they stand in the file; None if they were written to one.
    failures : DataFrame
        Images that could not be used: path, label, stage, reason.
    """

    tally: Tally
    table: pd.DataFrame | None
    failures: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["path", "label", "stage", "reason"]))


def classify(head: Head | StrPath, source: Any, target: StrPath | IO[str] | None = None, *,
             probabilities: WhichProbabilities = "top", columns: Sequence[str] | str = (),
             overwrite: bool = False, features: StrPath | None = None, update: bool = False,
             drop: bool = False,
             weights: str | None = None, options: EngineOptions | None = None, threads: int = 2,
             progress: ProgressCallback = ignore) -> Classified:
    """Name the taxa of images or vectors.

    Parameters
    ----------
    head : Head or path-like
        Or the file of one, or of a fine-tuned network, which brings its weights along.
    source : FeatureFile, Catalog, path-like, VectorSource or array-like of shape (n, d)
        Vectors; or images, whose features are extracted first, with the head's own recipe. A path
        is that of a feature file, of a folder or of a table of images. Rows of an array have
        their numbers as paths.
    target : path-like or text file, optional
        Where to write the predictions, block by block: Parquet if the name ends with
        ``.parquet``, else CSV. Without one they are returned as a table.
    probabilities : {"top", "all"}, default="top"
        Whether those of all classes follow, in columns named ``p_`` and the class.
    columns : sequence of str, or "all"
        Extra columns of the images to add, see `FeatureFile.extra_columns`.
    overwrite : bool, default=False
        Whether a file of predictions that is there may be replaced.
    features : path-like, optional
        Feature file to keep the features of images in; by default beside `target`, and nowhere
        without one.
    update, drop : bool, default=False
        Of that file, see `extraction.extract`.
    weights : str, optional
        A file with the network's weights, if they are not in the usual place.
    options : EngineOptions, optional
        By default the head's engine and batch.
    threads : int, default=2
        Threads that read images.
    progress : callable of Progress
        Of the extraction, then of the predictions.

    Returns
    -------
    Classified

    Raises
    ------
    InputError
        If there is nothing to classify, the file of predictions is there and may not be replaced
        or is one that is read, or the head was fitted on an array and gets images.
    MismatchError
        If features were made with another recipe than the head's.
    HeadError, StoreError, EngineError, WeightsError
        If a file cannot be read or written, or the network cannot run.

    Examples
    --------
    >>> from plankton_features.heads import fit_head, make_folds
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> found = classify(fit_head(X, labels, make_folds(labels)).head, X[:2])
    >>> found.table[["path", "taxon", "taxon_2"]].values.tolist()
    [['0', 'copepod', 'diatom'], ['1', 'copepod', 'diatom']]
    """
    check_which(probabilities)
    place = Path(target) if isinstance(target, str | os.PathLike) else target
    if isinstance(place, Path):
        read = [item for item in (head, source) if isinstance(item, str | os.PathLike)]
        check_target_of(place, read, overwrite)
    fitted = head if isinstance(head, Head) else load_head(head)
    told: dict[str, Any] = {"probabilities": probabilities, "overwrite": overwrite}
    is_path = isinstance(source, str | os.PathLike)
    if isinstance(source, FeatureFile) or (is_path and is_feature_file(Path(source))):
        file = features_to_classify(fitted, source)
        return classify_file(fitted, file, place, columns=columns, progress=progress, **told)
    if not is_path and not isinstance(source, Catalog):
        if columns:
            raise InputError("columns: an array has none. Give a feature file or images.")
        return classify_blocks(fitted, array_blocks(source, progress), place, **told)
    check_takes_images(fitted, "head" if isinstance(head, Head) else head)
    if is_path:
        refuse_head(Path(source))
    if weights is None and not isinstance(head, Head) and is_model_file(Path(head)):
        weights = os.fspath(head)
    catalog = source if isinstance(source, Catalog) else build_catalog(source)
    with _place_of_features(features, place) as kept:
        file = extract_for_head(fitted, catalog, kept, derived=features is None, options=options,
                                weights=weights, progress=progress, update=update, drop=drop,
                                threads=threads)
        return classify_file(fitted, features_to_classify(fitted, file), place,
                             columns=columns, progress=progress, **told)


def classify_file(head: Head, file: FeatureFile, target: Path | IO[str] | None, *,
                  probabilities: WhichProbabilities = "top", columns: Sequence[str] | str = (),
                  overwrite: bool = False, progress: ProgressCallback = ignore,
                  also: BlockCallback | None = None) -> Classified:
    """Name the taxa of the vectors of a feature file that the head takes; see `classify`."""
    found = classify_blocks(head, file_blocks(file, progress, columns=columns), target,
                            probabilities=probabilities, overwrite=overwrite, also=also)
    return replace(found, failures=file.failures)


def classify_blocks(head: Head, blocks: Iterable[VectorBlock],
                    target: Path | IO[str] | None = None, *,
                    probabilities: WhichProbabilities = "top", overwrite: bool = False,
                    also: BlockCallback | None = None) -> Classified:
    """Name the taxa of vectors block by block; a table has one row for each path.

    A duplicate gets the row of its picture, below it, and that one's path in ``duplicate_of``.

    Parameters
    ----------
    head : Head
    blocks : iterable of VectorBlock
        All with the same columns.
    target : Path or text file, optional
        See `classify`.
    probabilities : {"top", "all"}, default="top"
    overwrite : bool, default=False
    also : callable of (VectorBlock, Predictions), optional
        Gets each block with what is said of it.

    Returns
    -------
    Classified

    Raises
    ------
    InputError
        If vectors do not fit the head, or the file cannot be written there.
    StoreError
        If another process writes it, or writing fails; a file that was there is as before.
    """
    tally = Tally(head.classes)
    tables = _tables(head, blocks, tally, probabilities, also)
    if target is None:
        whole = list(tables)
        return Classified(tally, pd.concat(whole, ignore_index=True) if whole else pd.DataFrame())
    with predictions_file(target, overwrite) as write:
        for table in tables:
            write(table)
    return Classified(tally, None)


def check_target_of(target: Path, read: Iterable[StrPath], overwrite: bool) -> None:
    """Refuse a file of predictions that cannot be written, or that is one of those read.

    Parameters
    ----------
    target : Path
    read : iterable of path-like
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError, StoreError
    """
    if any(target.resolve() == Path(path).resolve() for path in read):
        raise InputError(f"{target}: would replace what is read. Choose another name for the "
                         "predictions.")
    check_format(target)
    check_output(target, overwrite)


def refuse_head(source: Path) -> None:
    """Refuse a head where images or features are expected.

    Raises
    ------
    InputError
    """
    if is_head_file(source):
        raise InputError(f"{source}: a head, expected features or images. The order is: "
                         "plankton-features classify HEAD FEATURES.h5")


@contextmanager
def _place_of_features(features: StrPath | None, target: Path | IO[str] | None) -> Iterator[Path]:
    """Where features of images are kept: beside a file of predictions, else for now only."""
    if features is not None:
        yield Path(features)
    elif isinstance(target, Path):
        yield target.with_suffix(".features.h5")
    else:
        with TemporaryDirectory(prefix="plankton_features-") as folder:
            yield Path(folder, "features.h5")


def _tables(head: Head, blocks: Iterable[VectorBlock], tally: Tally,
            probabilities: WhichProbabilities,
            also: BlockCallback | None) -> Iterator[pd.DataFrame]:
    for block in blocks:
        found = head.classify(block.vectors)
        if also is not None:
            also(block, found)
        tally.add(found, block.images.get("label", ()))
        tally.n_duplicates += len(block.duplicates)
        yield _with_duplicates(prediction_table(head, found, block.images, probabilities), block)


def _with_duplicates(table: pd.DataFrame, block: VectorBlock) -> pd.DataFrame:
    """The table with duplicates below their pictures, and the column that marks them."""
    table = table.reset_index(drop=True)
    table.insert(table.columns.get_loc("recipe_id"), "duplicate_of", "")
    if not len(block.duplicates):
        return table
    again = block.duplicates.reset_index(drop=True)
    rows = again["row"].to_numpy()
    copies = table.iloc[rows].reset_index(drop=True)
    copies["duplicate_of"] = copies["path"]
    copies[list(block.images.columns)] = again[list(block.images.columns)]
    order = np.argsort(np.concatenate([np.arange(len(table)), rows]), kind="stable")
    return pd.concat([table, copies]).iloc[order]
