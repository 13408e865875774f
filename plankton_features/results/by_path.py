"""What a head said of each picture of a feature file, for files that other programs read."""

from __future__ import annotations

import numpy as np

from plankton_features.heads import Predictions
from plankton_features.results.blocks import VectorBlock


class ByPath:
    """Gathers predictions block by block, those of duplicates too.

    Attributes
    ----------
    paths : list of str
        Of pictures and of their duplicates, which get the same.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._found: list[Predictions] = []

    def add(self, block: VectorBlock, found: Predictions) -> None:
        """Take what was said of a block."""
        again = block.duplicates["row"].to_numpy(np.int64)
        self.paths += [*block.images["path"], *block.duplicates["path"]]
        self._found.append(found.take(np.concatenate([np.arange(len(found)), again])))

    def predictions(self) -> Predictions:
        """All of them, one for each path."""
        return Predictions(*(np.concatenate([getattr(one, name) for one in self._found])
                             for name in ("code", "probabilities", "accepted")))
