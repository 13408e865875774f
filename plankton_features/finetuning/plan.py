"""What is asked of fine-tuning, what is told while it runs, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from plankton_features.assessment.taxonomy import Taxonomy
from plankton_features.embedding import Recipe, Weights
from plankton_features.errors import InputError
from plankton_features.finetuning.canvases import Gathered
from plankton_features.finetuning.options import TuneOptions
from plankton_features.finetuning.phases import Parts, TuneCallback, ignore_training
from plankton_features.finetuning.training import Trained
from plankton_features.heads.fitting import FitResult
from plankton_features.heads.head import Head
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.validation.folds import Folds
from plankton_features.heads.validation.groups import Grouping, Groups
from plankton_features.progress import ProgressCallback, StepCallback, ignore, ignore_steps


@dataclass(frozen=True)
class Split:
    """How images are divided.

    Attributes
    ----------
    test_size, validation_size : float
        Shares, see `make_split`.
    grouping : Grouping or None
        How groups are found, by default in the catalog's column; None leaves them aside.
    seed : int
    """

    test_size: float = 0.2
    validation_size: float = 0.1
    grouping: Grouping | None = field(default_factory=Grouping)
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
    groups : Groups or None
        Of the labelled images before they were read; `gathered` has those of the others.
    parts : Parts
    unlabelled : int
        Images that were left out for lack of a label.
    taxonomy : Taxonomy or None
    file : Path
        The network: its place or, of one that was not placed, where it waits.
    """

    result: FitResult
    trained: Trained
    recipe: Recipe
    gathered: Gathered
    groups: Groups | None
    parts: Parts
    unlabelled: int
    taxonomy: Taxonomy | None
    file: Path


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
