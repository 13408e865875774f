"""Import OpenVINO once, without the reports of use that it sends to its makers."""

from __future__ import annotations

import sys
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
