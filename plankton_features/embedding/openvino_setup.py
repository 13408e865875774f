"""Import OpenVINO once, without the reports of use that it sends to its makers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plankton_features.errors import EngineError


def import_openvino() -> Any:
    """Import OpenVINO.

    Its import and its converter report events to a web service unless the package
    ``openvino_telemetry`` is missing, so it is made to look missing in this process.

    Returns
    -------
    module

    Raises
    ------
    EngineError
        If it is not installed or cannot be loaded.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO cannot be imported ({error}). Install it (pip install "
                          "openvino), or use --engine tensorflow.") from error
    return openvino


@contextmanager
def environment_told() -> Iterator[None]:
    """Tell OpenVINO's converter the version of TensorFlow, where it cannot find out by itself.

    It deletes a name that ``exec`` made inside a function, which fails since Python 3.13.
    """
    if sys.version_info < (3, 13):
        yield
        return
    import tensorflow
    from openvino.frontend.tensorflow import utils

    its_own = utils.get_environment_setup
    utils.get_environment_setup = lambda _: {"tensorflow": tensorflow.__version__}
    try:
        yield
    finally:
        utils.get_environment_setup = its_own
