"""What the user chose for training."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from plankton_features.errors import InputError
from plankton_features.finetuning.augmentation import AUGMENTATIONS
from plankton_features.finetuning.draws import SAMPLERS, expected_counts
from plankton_features.finetuning.schedules import Schedule

#: Scores of the validation part that can choose the best epoch.
METRICS = ("mcc", "macro_f1", "accuracy", "loss")
#: Optimizer -> its usual learning rate, low enough not to undo what a backbone knows.
RATES = {"sgd": 0.002, "adam": 3e-4}
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TuneOptions:
    """What the user chose for training; the defaults are those of ``fine-tune``.

    Attributes
    ----------
    unfreeze : str
        See `blocks.first_trained`.
    epochs : int
        Of the second phase, in which the backbone is trained, at most.
    minutes : float or None
        Instead of `epochs`: as many as fit in this time, by the speed measured at the start.
    head_epochs : int
        Of the first phase, in which only the classification layers are trained, at most.
    batch : int
        Images in each step.
    optimizer : {"sgd", "adam"}
        Of the second phase; ``sgd`` with momentum 0.9.
    schedule : {"cosine", "step", "constant"}
    base_rate : float, optional
        The highest learning rate of the second phase; by default that of `RATES`.
    decay : float
    every : int
        See `Schedule`.
    patience : int
        Epochs without a better `metric` after which a phase ends, at least 1.
    metric : {"mcc", "macro_f1", "accuracy", "loss"}
        Of the validation part; the weights of its best epoch are kept.
    sampler, floor, cap
        See `draws.epoch_rows`.
    tau : float
        Strength of ``logit-adjustment``.
    augment : {"none", "turns", "full"}
        See `augmentation.augment`.
    cache_frozen : bool
        Whether activations of the frozen layers are computed once and trained from.
    hidden : int or None
        Units of a layer between pooling and classes.
    dropout : float
        In [0, 1).
    precision : {"float32", "bfloat16"}
        Numbers that the backbone computes with while it is trained.
    deterministic : bool
        Whether TensorFlow shall use only operations that repeat to the bit.
    seed : int

    Raises
    ------
    InputError
        If a value is not allowed, or two do not go together.
    """

    unfreeze: str = "2"
    epochs: int = 20
    minutes: float | None = None
    head_epochs: int = 20
    batch: int = 32
    optimizer: str = "sgd"
    schedule: str = "cosine"
    base_rate: float | None = None
    decay: float = 0.5
    every: int = 5
    patience: int = 5
    metric: str = "mcc"
    sampler: str = "none"
    floor: int | None = None
    cap: int | None = None
    tau: float = 1.0
    augment: str = "full"
    cache_frozen: bool = False
    hidden: int | None = None
    dropout: float = 0.2
    precision: str = "float32"
    deterministic: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("optimizer", tuple(RATES)), ("metric", METRICS),
                              ("sampler", tuple(SAMPLERS)), ("augment", tuple(AUGMENTATIONS)),
                              ("precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} '{getattr(self, name)}': expected one of "
                                 f"{', '.join(allowed)}.")
        for name, least in (("epochs", 0), ("head_epochs", 0), ("batch", 1), ("patience", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name.replace('_', '-')}: expected {least} or more, got "
                                 f"{getattr(self, name)}.")
        if self.minutes is not None and not (math.isfinite(self.minutes) and self.minutes > 0):
            raise InputError(f"minutes: expected a number above 0, got {self.minutes}.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout: expected a number from 0 to below 1, got {self.dropout}.")
        if self.cache_frozen and self.augment == "full":
            raise InputError("--cache-frozen keeps the activations of a few views: use it with "
                             "--augment none or --augment turns.")
        if self.base_rate is None:
            object.__setattr__(self, "base_rate", RATES[self.optimizer])
        self.rates  # noqa: B018 (refuses what is no schedule)
        expected_counts([0], 1, **self.draws)  # refuses what does not go together

    @property
    def rates(self) -> Schedule:
        """Learning rates of the second phase."""
        return Schedule(self.schedule, self.base_rate or 0.0, decay=self.decay, every=self.every)

    @property
    def draws(self) -> dict[str, Any]:
        """Arguments of `draws.epoch_rows`."""
        return {"sampler": self.sampler, "floor": self.floor, "cap": self.cap}

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the options."""
        return tuple(field.name for field in fields(cls))
