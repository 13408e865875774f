"""Which rows of a feature file can be learnt from."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plankton_features.errors import InputError, counted
from plankton_features.heads import Grouping, Groups, find_groups, labelled_rows
from plankton_features.results.whereabouts import Whereabouts, whereabouts
from plankton_features.store import FeatureFile


@dataclass(frozen=True, eq=False)
class LearningRows:
    """The labelled rows of a feature file, and their groups.

    Attributes
    ----------
    file : FeatureFile
    numbers : ndarray of int64, shape (n,)
        Of the rows, in the file.
    images : DataFrame of n rows
    found_groups : Groups or None
        None if they are left aside, or there are none.
    digests : list of bytes
        Of the images' contents.
    unlabelled : int
        Rows that were left out for lack of a label.
    whereabouts : Whereabouts
        Of the images.
    """

    file: FeatureFile
    numbers: NDArray[np.int64]
    images: pd.DataFrame
    found_groups: Groups | None
    digests: list[bytes]
    unlabelled: int
    whereabouts: Whereabouts

    @property
    def labels(self) -> NDArray[np.str_]:
        """Label of each row."""
        labels: NDArray[np.str_] = self.images["label"].to_numpy(str)
        return labels

    @property
    def groups(self) -> NDArray[np.object_] | None:
        """Group of each row, if there are groups."""
        return None if self.found_groups is None else self.found_groups.names

    def cautions(self) -> list[str]:
        """What to keep in mind of them, as sentences."""
        told = []
        if self.file.count_conflicts():
            told.append(f"{conflicts_sentence(self.file.label_conflicts())} List them with "
                        "plankton-features info --problems.")
        if self.unlabelled:
            told.append(f"{counted(self.unlabelled, 'image')} without a label left out.")
        if self.found_groups is not None and self.found_groups.dropped:
            told.append(self.found_groups.dropped)
        if str(self.file.attributes.get("weights_source", "")).startswith("fine-tuned"):
            told.append("The features come from a fine-tuned network. Scores of images that "
                        "trained it are too good: only others say how good this head is.")
        return told


def learning_rows(file: FeatureFile, grouping: Grouping | None,
                  images: str | os.PathLike[str] | None = None) -> LearningRows:
    """The rows that can be learnt from.

    Parameters
    ----------
    file : FeatureFile
    grouping : Grouping or None
        How groups are found; None leaves them aside.
    images : path-like, optional
        Where the images are now, if not where they were.

    Returns
    -------
    LearningRows

    Raises
    ------
    InputError
        If no row has a label, groups cannot be found, or `images` is no table of images.
    """
    place = whereabouts(file, images)
    try:
        labelled = labelled_rows(file.y)
    except InputError as error:
        raise InputError(f"{file.path}: {error}") from error
    groups = None if grouping is None else find_groups(
        file.images.iloc[labelled], grouping, folder=place.folder)
    kept = labelled if groups is None else labelled[groups.rows]
    digests = file.digests()
    return LearningRows(file, kept, file.images.iloc[kept].reset_index(drop=True), groups,
                        [digests[i] for i in kept], len(file) - len(labelled), place)


def conflicts_sentence(conflicts: pd.DataFrame) -> str:
    """What is told of pictures under two labels, given as by `FeatureFile.label_conflicts`."""
    first = conflicts.iloc[0]
    return (f"{counted(len(conflicts), 'file')} with a picture that lies under another label too, "
            f"such as {first['path']} ({first['label'] or 'unlabelled'}) and {first['first_path']} "
            f"({first['first_label'] or 'unlabelled'}); the first label is used.")
