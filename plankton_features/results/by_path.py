"""What a head says of each picture of a feature file, for files that other programs read."""

from __future__ import annotations

import numpy as np

from plankton_features.heads import Head, Predictions
from plankton_features.progress import ProgressCallback, ignore
from plankton_features.results.blocks import file_blocks
from plankton_features.store import FeatureFile


def predictions_by_path(head: Head, file: FeatureFile,
                        progress: ProgressCallback = ignore) -> tuple[list[str], Predictions]:
    """Name the taxa of all pictures of a feature file.

    Parameters
    ----------
    head : Head
    file : FeatureFile
    progress : callable of Progress

    Returns
    -------
    paths : list of str
        Of pictures and of their duplicates, which get the same.
    predictions : Predictions
        One for each path.
    """
    paths: list[str] = []
    found: list[Predictions] = []
    for block in file_blocks(file, progress):
        said = head.classify(block.vectors)
        again = block.duplicates["row"].to_numpy(np.int64)
        rows = np.concatenate([np.arange(len(said)), again])
        paths += [*block.images["path"], *block.duplicates["path"]]
        found.append(Predictions(said.code[rows], said.probabilities[rows], said.accepted[rows]))
    return paths, Predictions(*(np.concatenate([getattr(one, name) for one in found])
                                for name in ("code", "probabilities", "accepted")))
