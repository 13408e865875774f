"""One training step, and the network's answers, as compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plankton_features.errors import EngineError
from plankton_features.finetuning.feeding import Batch
from plankton_features.finetuning.options import TuneOptions

MOMENTUM = 0.9
Forward = Callable[[tuple[Any, ...], bool], Any]


class Stepper:
    """Changes variables step by step.

    Parameters
    ----------
    forward : callable of (inputs, training)
        From a tuple of tensors to logits of shape (n, K).
    variables : list of keras.Variable
        What is trained.
    optimizer : keras.optimizers.Optimizer
    loss : callable
        See `make_loss`.
    """

    def __init__(self, forward: Forward, variables: list[Any], optimizer: Any,
                 loss: Callable[[Any, Any, Any], Any]):
        import tensorflow as tf

        optimizer.build(variables)
        self.variables, self.optimizer = variables, optimizer

        def step(inputs: tuple[Any, ...], y: Any, weights: Any) -> Any:
            with tf.GradientTape() as tape:
                value = loss(forward(inputs, True), y, weights)
            optimizer.apply(tape.gradient(value, variables), variables)
            return value

        self._step = tf.function(step)
        self._forward = tf.function(lambda inputs: forward(inputs, False))

    def train(self, batch: Batch, y: NDArray[np.int64], rate: float) -> float:
        """One step; the loss before it."""
        self.optimizer.learning_rate.assign(rate)
        with memory_advice(len(batch.rows)):
            return float(self._step(batch.inputs, y[batch.rows], batch.weights))

    def logits(self, batches: Iterator[Batch]) -> NDArray[np.float32]:
        """Answers to all rows of some batches, shape (n, K)."""
        parts = []
        for batch in batches:
            with memory_advice(len(batch.rows)):
                parts.append(self._forward(batch.inputs).numpy()[batch.weights > 0])
        return np.concatenate(parts)

    def state(self) -> list[np.ndarray]:
        """Of what is trained and of the optimizer, in a fixed order."""
        return arrays_of([*self.variables, *self.optimizer.variables])

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """Put back what `state` gave."""
        assign([*self.variables, *self.optimizer.variables], state)


def arrays_of(variables: Sequence[Any]) -> list[np.ndarray]:
    """Copies of the values of variables."""
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
    """Give variables values."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


@contextmanager
def memory_advice(batch: int) -> Iterator[None]:
    """Turn a lack of memory into an error that says what to do.

    Raises
    ------
    EngineError
    """
    import tensorflow as tf

    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise EngineError(f"not enough memory for batches of {batch} images. Use --batch "
                          f"{max(1, batch // 2)}, a smaller --canvas, or --unfreeze fewer blocks."
                          ) from error


def make_optimizer(keras: Any, options: TuneOptions) -> Any:
    """Adam, or gradient descent with momentum."""
    if options.optimizer == "adam":
        return keras.optimizers.Adam(options.base_rate)
    return keras.optimizers.SGD(options.base_rate, momentum=MOMENTUM)
