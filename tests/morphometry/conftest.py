"""A drawn vignette."""

from __future__ import annotations

import numpy as np
import pytest
from morphometry.drawing import Ellipse, Ground


@pytest.fixture(scope="session")
def disc() -> np.ndarray:
    """A dark disc of 24 px on light grey, 40 x 40."""
    return Ground(220, -120).picture(Ellipse(12, 12).cover(), np.random.default_rng(0))
