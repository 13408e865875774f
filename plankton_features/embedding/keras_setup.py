"""Import Keras once, quietly, on the TensorFlow backend."""

from __future__ import annotations

import os
from typing import Any

from plankton_features.errors import EngineError


def import_keras() -> Any:
    """Import Keras with TensorFlow.

    Returns
    -------
    module

    Raises
    ------
    EngineError
        If Keras runs on another backend, or TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        import keras
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise EngineError(f"TensorFlow cannot be imported ({error}). Install it: "
                          "pip install tensorflow") from error
    if keras.config.backend() != "tensorflow":
        raise EngineError(f"Keras runs on the backend '{keras.config.backend()}', expected "
                          "tensorflow. Set the environment variable KERAS_BACKEND=tensorflow.")
    return keras
