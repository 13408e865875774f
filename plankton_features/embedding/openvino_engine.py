"""The OpenVINO engine, and the cache of converted networks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.weights import Weights, file_digest
from plankton_features.errors import EngineError, WeightsError

_CONVERTER = 1  # raise when conversion changes, so that older cached networks are left aside
_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class OpenVINOEngine:
    """Runs a recipe's network in OpenVINO on the CPU; see `Engine` for the attributes.

    Parameters
    ----------
    recipe : Recipe
    weights : Weights or None
        None is enough if the converted network is in the cache.
    batch : int
    threads : int or None
        Threads that compute, None for all cores.

    Raises
    ------
    EngineError
        If this processor would compute with other numbers than the recipe's.
    """

    name = "openvino"
    device = "CPU"
    depth = 2

    def __init__(self, recipe: Recipe, weights: Weights | None, batch: int, threads: int | None):
        import openvino as ov

        core = ov.Core()
        folder = converted_network(recipe, weights)
        model = core.read_model(folder / "network.xml")
        model.reshape({0: [batch, recipe.canvas, recipe.canvas, 3]})
        options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _HINTS[recipe.precision],
                                   "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        compiled = core.compile_model(model, "CPU", options)
        self.batch = batch
        self.blocks = [(name, n) for name, n in _description(folder)["blocks"]]
        self.precision = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        self.precision = {v: k for k, v in _HINTS.items()}.get(self.precision, self.precision)
        self._requests = [compiled.create_infer_request() for _ in range(self.depth)]
        self._turn = 0
        self._check_precision(recipe.precision)

    def submit(self, canvases: np.ndarray) -> Callable[[], np.ndarray]:
        """See `Engine.submit`; fetch results in order, with at most `depth` under way."""
        request = self._requests[self._turn]
        self._turn = (self._turn + 1) % self.depth
        request.start_async([canvases], share_inputs=True)

        def result() -> np.ndarray:
            request.wait()
            return request.get_output_tensor(0).data.copy()

        return result

    def _check_precision(self, asked: str) -> None:
        if self.precision != asked:
            raise EngineError(f"engine openvino: asked for {asked}, but this processor would "
                              f"compute in {self.precision}. Use --precision {self.precision}, "
                              "or --engine tensorflow.")


def converted_network(recipe: Recipe, weights: Weights | None) -> Path:
    """Folder with a recipe's network in OpenVINO's format; converted on first use.

    Raises
    ------
    WeightsError
        If it is not in the cache, and `weights` is None.
    """
    folder = cache_folder() / _cache_key(recipe)
    if not _is_whole(folder):
        if weights is None:
            from plankton_features.embedding.tensorflow_engine import missing_weights

            raise WeightsError(missing_weights(recipe))
        _convert(recipe, weights, folder)
    return folder


def cache_folder() -> Path:
    """Folder of converted networks: ``$PLANKTON_FEATURES_CACHE``, or the user's cache."""
    given = os.environ.get("PLANKTON_FEATURES_CACHE")
    return Path(given) if given else user_cache_path("plankton_features")


def _cache_key(recipe: Recipe) -> str:
    content = json.dumps({**recipe.network_key, "converter": _CONVERTER}, sort_keys=True)
    return f"{recipe.backbone}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _is_whole(folder: Path) -> bool:
    """Whether a cached network is there and as it was written."""
    try:
        digests = _description(folder)["digests"]
        return all(file_digest(folder / name, "sha256") == d for name, d in digests.items())
    except (OSError, ValueError, KeyError):
        return False


def _description(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "description.json").read_text())


def _convert(recipe: Recipe, weights: Weights, folder: Path) -> None:
    import openvino as ov

    from plankton_features.embedding.network import build_network

    network, blocks = build_network(recipe, weights.file, batch=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter calls Keras with a tuple of one input
        model = ov.convert_model(network)
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True, exist_ok=True)
        ov.save_model(model, part / "network.xml", compress_to_fp16=False)
        files = sorted(part.iterdir())
        digests = {file.name: file_digest(file, "sha256") for file in files}
        description = {"blocks": blocks, "digests": digests}
        (part / "description.json").write_text(json.dumps(description))
        if folder.exists():  # damaged
            shutil.rmtree(folder)
        part.replace(folder)
    except OSError as error:
        raise EngineError(f"{folder}: cannot keep the converted network ({error}). Free some "
                          "space, or name another folder in PLANKTON_FEATURES_CACHE.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
