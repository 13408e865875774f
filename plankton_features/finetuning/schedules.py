"""Learning rate at each step of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral

from plankton_features.errors import InputError

#: Name -> what it does, in words for a person.
SCHEDULES = {
    "cosine": "a linear warm-up, then down along half a cosine",
    "step": "times a factor every few epochs",
    "constant": "the same throughout",
}


@dataclass(frozen=True)
class Schedule:
    """Learning rate as a function of the step.

    Parameters
    ----------
    kind : str, default="cosine"
        A name in `SCHEDULES`.
    base_rate : float, default=1e-3
        The highest rate, above 0.
    warmup : float, default=0.05
        Share of the steps in [0, 1) over which ``cosine`` rises to it, rounded up to a step.
    decay : float, default=0.5
        Factor in (0, 1] of ``step``.
    every : int, default=10
        Epochs from one such factor to the next, at least 1.
    final : float, default=0.0
        Rate of the last step of ``cosine``, in 0..base_rate.

    Raises
    ------
    InputError
        If a value is not as above.

    References
    ----------
    ``cosine``: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts.

    Examples
    --------
    >>> Schedule("step", base_rate=0.1, every=2).rate(step=25, n_steps=60, steps_per_epoch=10)
    0.05
    """

    kind: str = "cosine"
    base_rate: float = 1e-3
    warmup: float = 0.05
    decay: float = 0.5
    every: int = 10
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise InputError(f"schedule '{self.kind}': expected one of {', '.join(SCHEDULES)}.")
        whole = isinstance(self.every, Integral) and not isinstance(self.every, bool)
        for name, fits, expected in (
                ("base_rate", 0 < self.base_rate < math.inf, "a learning rate above 0"),
                ("warmup", 0 <= self.warmup < 1, "a share of the steps, at least 0 and below 1"),
                ("decay", 0 < self.decay <= 1, "a factor above 0, at most 1"),
                ("every", whole and self.every >= 1, "a whole number of epochs, at least 1"),
                ("final", 0 <= self.final <= self.base_rate, "a rate of at least 0, at most "
                                                             f"base_rate {self.base_rate:g}")):
            if not fits:
                raise InputError(f"{name}: expected {expected}, got {getattr(self, name)!r}.")

    def rate(self, step: int, n_steps: int, steps_per_epoch: int) -> float:
        """Learning rate of one step.

        ``cosine`` rises from base_rate / w to base_rate over the first w = ceil(warmup * n_steps)
        steps, then falls from there to `final` at the last step; a training of one step has
        base_rate. ``step`` is base_rate * decay ** floor(epoch / every), epochs counted from 0.

        Parameters
        ----------
        step : int
            In 0..n_steps-1, counted through all epochs.
        n_steps : int
            Of the whole training.
        steps_per_epoch : int
            At least 1.

        Returns
        -------
        float
            At most `base_rate`.

        Raises
        ------
        InputError
            If the step is out of range.
        """
        if not 0 <= step < n_steps or steps_per_epoch < 1:
            raise InputError(f"step: expected 0 to n_steps - 1 and epochs of at least one step, got"
                             f" step {step} of {n_steps}, {steps_per_epoch} in an epoch.")
        if self.kind == "cosine":
            return self._cosine(step, n_steps)
        if self.kind == "step":
            return self.base_rate * self.decay ** (step // steps_per_epoch // self.every)
        return self.base_rate

    def describe(self) -> str:
        """The schedule in words.

        Examples
        --------
        >>> Schedule().describe()
        'up to 0.001 over the first 5 % of steps, then down to 0 along half a cosine'
        >>> Schedule("step", base_rate=0.01).describe()
        '0.01, times 0.5 every 10 epochs'
        """
        rate = f"{self.base_rate:g}"
        if self.kind == "constant":
            return f"{rate} throughout"
        if self.kind == "step":
            often = "epoch" if self.every == 1 else f"{self.every} epochs"
            return f"{rate}, times {self.decay:g} every {often}"
        up = f"up to {rate} over the first {100 * self.warmup:g} % of steps, then "
        return f"{up if self.warmup else f'from {rate} '}down to {self.final:g} along half a cosine"

    def _cosine(self, step: int, n_steps: int) -> float:
        n_warm = math.ceil(round(self.warmup * n_steps, 6))
        if step < n_warm:
            return self.base_rate * (step + 1) / n_warm
        peak = max(0, n_warm - 1)
        fallen = (step - peak) / max(1, n_steps - 1 - peak)
        return self.final + (self.base_rate - self.final) * (1 + math.cos(math.pi * fallen)) / 2
