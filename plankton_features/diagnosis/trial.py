"""What came of trying an engine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class PrecisionTrial:
    """What an engine does in numbers of one kind.

    Attributes
    ----------
    precision : str
    images_per_second : float
        Of preset ``fast``; 0 if it does not compute in these numbers.
    similarity : float or None
        Cosine of the angle between a vector in these numbers and in float32.
    native : bool or None
        Whether the processor has instructions for them; None if the engine does not tell.
    problem : str
        Why it does not, in one line.
    """

    precision: str
    images_per_second: float = 0.0
    similarity: float | None = None
    native: bool | None = None
    problem: str = ""


@dataclass(frozen=True)
class EngineTrial:
    """What came of trying an engine.

    Attributes
    ----------
    engine : str
        Its name, see `embedding.engine_names`.
    version : str
        Empty if it is not installed or cannot be imported.
    device : str
        What computed: ``CPU``, or the name of the GPU.
    sees : tuple of str
        All devices that the engine sees.
    precisions : tuple of PrecisionTrial
        float32 first.
    weights : str
        Which weights were used.
    vector : tuple of float
        Of a fixed canvas, in float32; empty if there is none.
    seconds : float
        Time taken, import included.
    failure : str
        Kind of failure: ``missing``, ``import``, ``crash``, ``time``, ``run``; empty if it works.
    problem : str
        What happened, in one line.
    tried_with : str
        Recipe of the vector: ``preset fast``, or the backbone of an engine that cannot run that.
    """

    engine: str
    version: str = ""
    device: str = ""
    sees: tuple[str, ...] = ()
    precisions: tuple[PrecisionTrial, ...] = ()
    weights: str = ""
    vector: tuple[float, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    failure: str = ""
    problem: str = ""
    tried_with: str = ""

    @property
    def works(self) -> bool:
        """Whether it computed a vector."""
        return bool(self.vector)

    @property
    def on_gpu(self) -> bool:
        """Whether it computed on a GPU."""
        return self.device not in ("", "CPU")

    @classmethod
    def from_json(cls, text: str) -> EngineTrial:
        """Read a trial whose fields were written as JSON."""
        values = json.loads(text)
        tried = tuple(PrecisionTrial(**one) for one in values.pop("precisions"))
        for name in ("sees", "vector"):
            values[name] = tuple(values[name])
        return cls(precisions=tried, **values)


def cosine(a: ArrayLike, b: ArrayLike) -> float:
    """Cosine of the angle between two vectors that are not zero.

    Examples
    --------
    >>> cosine([1, 0], [0, 2]), cosine([1, 0], [3, 0])
    (0.0, 1.0)
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
