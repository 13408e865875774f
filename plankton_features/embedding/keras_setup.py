"""Keras, imported once, quietly, on the TensorFlow backend; and the numbers it computes with."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plankton_features.errors import EngineError

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what C++ code writes while it is imported, which no log level stops.

    It is shown after all if the import fails.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


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
    if "keras" not in sys.modules:
        _check_backend(os.environ.setdefault("KERAS_BACKEND", "tensorflow"))
    try:
        with _quiet_stderr():
            import keras
            import tensorflow  # noqa: F401
    except ImportError as error:
        raise EngineError(f"TensorFlow cannot be imported ({error}). Install it: "
                          "pip install tensorflow") from error
    _check_backend(keras.config.backend())
    return keras


@contextmanager
def dtype_policy(keras: Any, precision: str) -> Iterator[None]:
    """Layers made within compute with these numbers; their weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def quiet_saving() -> Iterator[None]:
    """Keras 3.15 converts its variables in a way that NumPy 2 deprecates; neither is ours."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


def _check_backend(backend: str) -> None:
    if backend != "tensorflow":
        raise EngineError(f"Keras runs on the backend '{backend}', expected tensorflow. Set the "
                          "environment variable KERAS_BACKEND=tensorflow before Keras is imported.")
