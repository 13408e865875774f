"""What is asked of fine-tuning, what is told while it runs, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plankton_features.assessment.taxonomy import Taxonomy
from plankton_features.embedding import Recipe, Weights
from plankton_features.errors import InputError
from plankton_features.finetuning.canvases import Gathered
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.phases import Parts, TuneCallback, ignore_training
from plankton_features.finetuning.training import Trained
from plankton_features.heads.fitting import FitResult
from plankton_features.heads.head import Head
from plankton_features.heads.options import HeadOptions
from plankton_features.heads.splits import Folds
from plankton_features.progress import ProgressCallback, StepCallback, ignore, ignore_steps

Groups = Callable[[list[str]], NDArray[np.object_]]


@dataclass(frozen=True)
class Split:
    """How images are divided.

    Attributes
    ----------
    test_size, validation_size : float
        Shares, see `make_split`.
    groups : callable of list of str, or None
        From paths to groups; by default the catalog's own.
    ungrouped : bool
        Whether groups are left aside.
    seed : int
    """

    test_size: float = 0.2
    validation_size: float = 0.1
    groups: Groups | None = None
    ungrouped: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Watch:
    """What is told while it runs.

    Attributes
    ----------
    reading : callable of Progress
    steps : callable of (done, total, what)
    training : callable of TuneProgress
    gathered : callable of (Gathered, Folds)
        Once, before training.
    """

    reading: ProgressCallback = ignore
    steps: StepCallback = ignore_steps
    training: TuneCallback = ignore_training
    gathered: Callable[[Gathered, Folds], object] = lambda *_: None


@dataclass(frozen=True)
class Tuned:
    """A trained, judged and saved network.

    Attributes
    ----------
    result : FitResult
        Of the test part; its ``head`` classifies the network's vectors.
    trained : Trained
    recipe : Recipe
        Of the network's vectors.
    gathered : Gathered
    groups : ndarray of str, shape (n,), or None
    parts : Parts
    unlabelled : int
        Images that were left out for lack of a label.
    taxonomy : Taxonomy or None
    """

    result: FitResult
    trained: Trained
    recipe: Recipe
    gathered: Gathered
    groups: NDArray[np.object_] | None
    parts: Parts
    unlabelled: int
    taxonomy: Taxonomy | None


@dataclass(frozen=True)
class TunePlan:
    """What is asked for.

    Attributes
    ----------
    recipe : Recipe
        Of the pixels, layers and pooling; its weights are those before training.
    weights : Weights
    options : TuneOptions
    split : Split
    judging : HeadOptions
        Calibration and promised precision.
    begin : Head or None
        Whose classifier the last layer begins with.
    taxonomy : Taxonomy or None

    Raises
    ------
    InputError
        If `begin` is given with a layer between pooling and classes.
    """

    recipe: Recipe
    weights: Weights
    options: TuneOptions = field(default_factory=TuneOptions)
    split: Split = field(default_factory=Split)
    judging: HeadOptions = field(default_factory=HeadOptions)
    begin: Head | None = None
    taxonomy: Taxonomy | None = None

    def __post_init__(self) -> None:
        if self.begin is not None and self.options.hidden:
            raise InputError("--hidden: the last layer begins as the head of --from, which has no "
                             "layer between. Leave one of the two out.")
