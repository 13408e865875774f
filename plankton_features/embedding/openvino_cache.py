"""Networks converted to OpenVINO's format, kept so that later runs need no TensorFlow.

Whoever may write to a converted network decides the vectors, and no digest in the same folder can
tell. So one is believed only if it and its folder are the user's own and nobody else may write to
them, and if it says that it is of these weights; any other is converted anew. Where the cache is
shared, each user has a folder in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from platformdirs import user_cache_path

from plankton_features.embedding.backbones import get_backbone
from plankton_features.embedding.download import file_digest
from plankton_features.embedding.openvino_setup import environment_told, import_openvino
from plankton_features.embedding.recipe import Recipe
from plankton_features.embedding.registry import resolve
from plankton_features.embedding.weights import Weights, missing_weights
from plankton_features.errors import EngineError, PlanktonFeaturesError, WeightsError
from plankton_features.files.temporary import temporary_folder

_CONVERTER = 2  # raise when the converted network changes, so that older ones are left aside
_FILES = ("network.xml", "network.bin")
_PRIVATE: ContextVar[Path | None] = ContextVar("_PRIVATE", default=None)


@dataclass(frozen=True)
class ConvertedNetwork:
    """A network in OpenVINO's format.

    Attributes
    ----------
    file : Path
        The ``.xml``; its ``.bin`` lies beside it.
    blocks : list of (str, int)
        Name and length of the parts of the vector.
    """

    file: Path
    blocks: list[tuple[str, int]]


def converted_network(recipe: Recipe, weights: Weights | None) -> ConvertedNetwork:
    """A recipe's network in OpenVINO's format; converted on first use.

    Parameters
    ----------
    recipe : Recipe
    weights : Weights or None
        None if only the cache can be used.

    Raises
    ------
    WeightsError
        If it is not in the cache, and `weights` is None or does not fit.
    EngineError
        If it cannot be converted, or the cache cannot be written, or not without others.
    """
    folder = cache_folder() / _cache_key(recipe)
    if not _is_whole(folder):
        if weights is None:
            raise WeightsError(missing_weights(recipe.backbone, recipe.weights))
        _convert(recipe, weights, folder)
        if not _is_whole(folder):
            raise EngineError(f"{folder}: others may write to it, so what lies there is not "
                              "believed. Name a folder of your own in PLANKTON_FEATURES_CACHE, or "
                              "use --engine tensorflow.")
    blocks = [(str(name), int(n)) for name, n in _description(folder)["blocks"]]
    return ConvertedNetwork(folder / _FILES[0], blocks)


def cache_folder() -> Path:
    """Folder of converted networks: ``$PLANKTON_FEATURES_CACHE``, or the user's cache.

    In one that others own, or may write to, it is the folder ``user-<number>``.
    """
    if (private := _PRIVATE.get()) is not None:
        return private
    given = os.environ.get("PLANKTON_FEATURES_CACHE")
    folder = Path(given) if given else user_cache_path("plankton_features")
    with suppress(OSError):  # it is not there yet, or cannot be had, which is told later
        if not _is_own(folder.stat()):
            return folder / f"user-{os.getuid()}"
    return folder


@contextmanager
def converted_anew() -> Iterator[None]:
    """Convert networks from their weights within the block, whatever lies in the cache."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        token = _PRIVATE.set(Path(folder))
        try:
            yield
        finally:
            _PRIVATE.reset(token)


def _is_own(found: os.stat_result) -> bool:
    """Whether nobody but the user, or the administrator of the machine, may write to it."""
    if not hasattr(os, "getuid"):  # Windows has other rights, and a cache folder for each user
        return True
    return found.st_uid in (os.getuid(), 0) and not found.st_mode & 0o022


def _cache_key(recipe: Recipe) -> str:
    content = json.dumps({**recipe.network_key, "converter": _CONVERTER}, sort_keys=True)
    return f"{recipe.backbone}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _is_whole(folder: Path) -> bool:
    """Whether a cached network is there, the user's own, of these weights and as it was written."""
    try:
        found = [folder.parent.stat(), folder.lstat(), *(p.lstat() for p in folder.iterdir())]
        if not all(map(_is_own, found)):
            return False
        told = _description(folder)
        return told["of"] == folder.name and all(
            file_digest(folder / name, "sha256") == told["digests"][name] for name in _FILES)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _description(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "description.json").read_text(encoding="utf-8"))
    return told


def _convert(recipe: Recipe, weights: Weights, folder: Path) -> None:
    ov = import_openvino()
    with _installing(folder) as part:
        network, blocks = _network(recipe, weights)
        ov.save_model(network, part / _FILES[0], compress_to_fp16=False)
        digests = {name: file_digest(part / name, "sha256") for name in _FILES}
        text = json.dumps({"of": folder.name, "blocks": blocks, "digests": digests})
        (part / "description.json").write_text(text, encoding="utf-8")


def _network(recipe: Recipe, weights: Weights) -> tuple[Any, list[tuple[str, int]]]:
    """A recipe's network as OpenVINO's model; TensorFlow is imported only if it has to be."""
    known = get_backbone(recipe.backbone)
    if known.openvino and weights.file and weights.file.suffix in known.weights_suffixes:
        built: tuple[Any, list[tuple[str, int]]] = resolve(known.openvino)(recipe, weights.file)
        return built
    from plankton_features.embedding.network import build_network

    network, blocks = build_network(recipe, weights.file, batch=None)
    return _to_openvino(network), blocks


def _to_openvino(network: Any) -> Any:
    ov = import_openvino()
    try:
        with warnings.catch_warnings():
            # The converter calls the network with a list of its one input.
            warnings.filterwarnings("ignore", "The structure of `inputs`")
            with environment_told():
                return ov.convert_model(network)
    # The converter has no common kind of error, and networks differ in what they need of it.
    except Exception as error:
        raise EngineError(f"engine openvino: cannot convert the network ({str(error)[:200]}). Use "
                          "--engine tensorflow.") from error


@contextmanager
def _installing(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the name `folder` when the block ends without an error."""
    try:
        folder.parent.mkdir(0o700, parents=True, exist_ok=True)
        with temporary_folder(folder) as part:
            yield part
            for path in part.iterdir():
                path.chmod(0o600)
            _install(part, folder)
    except PlanktonFeaturesError:  # some of which are kinds of OSError
        raise
    except OSError as error:
        raise EngineError(
            f"{folder}: cannot keep the converted network ({error}). Free some space, name another "
            "folder in PLANKTON_FEATURES_CACHE, or use --engine tensorflow.") from error


def _install(part: Path, folder: Path) -> None:
    with suppress(OSError):  # there is one already
        part.rename(folder)
    if not _is_whole(folder):
        with temporary_folder(folder) as aside:
            folder.rename(aside / folder.name)
            part.rename(folder)
