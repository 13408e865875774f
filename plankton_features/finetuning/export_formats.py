"""Write and read each format that a trained network can be exported to."""

from __future__ import annotations

import gc
import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.embedding.keras_setup import import_keras, quiet_saving
from plankton_features.embedding.openvino_setup import environment_told, import_openvino


@dataclass(frozen=True)
class Format:
    """A format, and how its files are written and read.

    Attributes
    ----------
    description : str
        For people who choose.
    endings : tuple of str
        Of the names of its files.
    packages : tuple of str
        That write it and may be missing.
    install : str
        What ``pip install`` is to be given for these.
    write : callable
        From a network and the files' paths.
    read : callable
        From the files' paths and canvases, uint8 of shape (n, side, side, 3), to probabilities,
        float32 of shape (n, K).
    """

    description: str
    endings: tuple[str, ...]
    packages: tuple[str, ...]
    install: str
    write: Callable[..., None]
    read: Callable[..., np.ndarray]


def run(model: Any, canvases: np.ndarray) -> np.ndarray:
    """Probabilities of a network, float32 of shape (n, K).

    They are computed on the processor, because graphics cards may round more.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):
        probabilities: np.ndarray = _traced(model)(
            tf.convert_to_tensor(canvases))["probabilities"].numpy()
    return probabilities


def _traced(model: Any) -> Any:
    """A network as a TensorFlow function whose input and output have names."""
    import tensorflow as tf

    function = tf.function(lambda canvases: {"probabilities": model(canvases, training=False)})
    return function.get_concrete_function(tf.TensorSpec(model.input_shape, tf.uint8, "canvases"))


def _write_json(model: Any, architecture: Path, weights: Path) -> None:
    architecture.write_text(model.to_json(), encoding="utf-8")
    with quiet_saving():
        model.save_weights(weights)


def _read_json(architecture: Path, weights: Path, canvases: np.ndarray) -> np.ndarray:
    model = import_keras().models.model_from_json(architecture.read_text(encoding="utf-8"))
    model.load_weights(weights)
    return run(model, canvases)


def _write_onnx(model: Any, file: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    keras = import_keras()
    canvases = keras.Input(batch_shape=model.input_shape, dtype="uint8")
    output = keras.layers.Identity(name="probabilities")(model(canvases, training=False))
    signature = [tf.TensorSpec(model.input_shape, tf.uint8, "canvases")]
    with _functions_inlined(), _silent("tf2onnx"):
        proto, _ = tf2onnx.convert.from_keras(keras.Model(canvases, output), signature,
                                              custom_op_handlers={"Erfc": (_convert_erfc, [])},
                                              optimizers=_optimizers())
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    file.write_bytes(proto.SerializeToString())


def _convert_erfc(graph: Any, node: Any, name: str, _: list[Any]) -> None:
    """Write erfc(x), which tf2onnx 1.17 does not know, as 1 - erf(x)."""
    one = graph.make_const(f"{name}_one", np.float32(1.0))
    erf = graph.make_node("Erf", [node.input[0]])
    node.type = "Sub"
    graph.replace_inputs(node, [one.output[0], erf.output[0]])


def _optimizers() -> dict[str, Callable[[], Any]] | None:
    """tf2onnx's steps, each after freeing the copies of the network that the last one left.

    They refer to each other, so that otherwise gigabytes of them gather.
    """
    from tf2onnx import optimizer

    def after_freeing(make: Callable[[], Any]) -> Any:
        gc.collect()
        return make()

    steps: dict[str, Any] = getattr(optimizer, "_get_optimizers", dict)()
    return {name: partial(after_freeing, make) for name, make in steps.items()} or None


@contextmanager
def _functions_inlined() -> Iterator[None]:
    """Trace functions within a network as part of it: Keras compiles grouped convolutions."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """A converter logs what it cannot convert; reading the file then raises it."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _read_onnx(file: Path, canvases: np.ndarray) -> np.ndarray:
    if importlib.util.find_spec("onnxruntime") is None:
        return _read_openvino(file, None, canvases)
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    probabilities: np.ndarray = session.run(None, {session.get_inputs()[0].name: canvases})[0]
    return probabilities


def _write_openvino(model: Any, file: Path, _: Path) -> None:
    ov = import_openvino()
    with environment_told():
        converted = ov.convert_model(_traced(model))
    try:
        ov.save_model(converted, file, compress_to_fp16=False)
    except RuntimeError as error:  # of a full disk too
        raise OSError(str(error)) from error


def _read_openvino(file: Path, _: Path | None, canvases: np.ndarray) -> np.ndarray:
    core = import_openvino().Core()
    core.set_property({"ENABLE_MMAP": False})  # Windows moves no file that is mapped
    compiled = core.compile_model(core.read_model(file), "CPU",
                                  {"INFERENCE_PRECISION_HINT": "f32"})
    probabilities: np.ndarray = compiled(canvases)[0]
    return probabilities


FORMATS = {
    "json": Format("Keras: architecture NAME.json and weights NAME.weights.h5",
                   (".json", ".weights.h5"), (), "", _write_json, _read_json),
    "onnx": Format("ONNX, which most runtimes read: NAME.onnx", (".onnx",), ("tf2onnx", "onnx"),
                   '"plankton_features[onnx]"', _write_onnx, _read_onnx),
    "openvino": Format("OpenVINO, fast on processors: NAME.xml and NAME.bin", (".xml", ".bin"),
                       ("openvino",), "openvino", _write_openvino, _read_openvino),
}
