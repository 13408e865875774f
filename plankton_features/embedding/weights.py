"""Find, download and name the weights of a backbone."""

from __future__ import annotations

import hashlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plankton_features.embedding.backbones import (
    DEFAULT_BACKBONE,
    OFFLINE_BACKBONE,
    Backbone,
    get_backbone,
)
from plankton_features.errors import InputError, WeightsError

CONNECT_SECONDS = 5.0
AUTO_DOWNLOAD_SECONDS = 120.0
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Weights:
    """Weights that were found.

    Attributes
    ----------
    identity : str
        What the recipe keeps: ``sha256:<hex>``, ``random:<seed>`` or ``none``.
    source : str
        Where they came from, for people.
    file : Path or None
        None for random weights and for backbones without weights.
    """

    identity: str
    source: str
    file: Path | None = None


def resolve_auto() -> tuple[str, Weights, str]:
    """Choose the default backbone that this machine can have.

    Returns
    -------
    backbone : str
        InceptionV3 if its ImageNet weights are cached or can be downloaded within
        `AUTO_DOWNLOAD_SECONDS`, otherwise EfficientNet-Lite0.
    weights : Weights
    why : str
        Empty if it is InceptionV3, otherwise why not, in one line.
    """
    try:
        wanted = get_backbone(DEFAULT_BACKBONE)
        return wanted.name, _imagenet(wanted, AUTO_DOWNLOAD_SECONDS), ""
    except WeightsError as error:
        offline = get_backbone(OFFLINE_BACKBONE)
        return offline.name, _imagenet(offline), str(error).splitlines()[0]


def resolve_weights(backbone: str, spec: str = "imagenet") -> Weights:
    """Find weights for a backbone asked for by name.

    Parameters
    ----------
    backbone : str
    spec : str, default="imagenet"
        ``imagenet``, ``random``, ``random:<seed>``, or a file (``.h5``, ``.weights.h5``,
        ``.keras``; for efficientnet_lite0 also ``.pth``).

    Raises
    ------
    WeightsError
        If they cannot be had. It never falls back to others.
    InputError
        If `spec` is none of these.
    """
    known = get_backbone(backbone)
    if not known.factory:
        return Weights("none", "no weights")
    if spec.partition(":")[0] == "random":
        seed = _seed(spec)
        return Weights(f"random:{seed}", f"RANDOM weights, seed {seed}: not trained on anything")
    if spec == "imagenet":
        return _imagenet(known)
    return _from_file(Path(spec))


def find_weights(backbone: str, identity: str) -> Weights | None:
    """Look for the weights of an existing feature file in the usual places, offline.

    Returns
    -------
    Weights or None
        None if no file with that digest is there.
    """
    if identity == "none" or identity.startswith("random:"):
        return resolve_weights(backbone, identity if identity != "none" else "imagenet")
    known = get_backbone(backbone)
    for file in _usual_files(known):
        if file.is_file() and f"sha256:{file_digest(file, 'sha256')}" == identity:
            return Weights(identity, f"ImageNet ({file.name})", file)
    return None


def file_digest(file: Path, algorithm: str) -> str:
    """Hexadecimal digest of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def keras_cache() -> Path:
    """Folder where Keras keeps downloaded weights."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home) / "models"


def local_file(backbone: str) -> Path | None:
    """The file of a backbone's ImageNet weights, if it is on this machine."""
    return next((file for file in _usual_files(get_backbone(backbone)) if file.is_file()), None)


def _usual_files(backbone: Backbone) -> list[Path]:
    if backbone.name == OFFLINE_BACKBONE:
        from plankton_features.embedding.efficientnet_lite import weights_file

        return [weights_file()]
    return [keras_cache() / backbone.weights_file]


def _imagenet(backbone: Backbone, seconds: float | None = None) -> Weights:
    file = _usual_files(backbone)[0]
    if not file.is_file():
        download(backbone, file, seconds=seconds)
    _check_published_digest(backbone, file)
    return Weights(f"sha256:{file_digest(file, 'sha256')}", f"ImageNet ({file.name})", file)


def _from_file(file: Path) -> Weights:
    if not file.is_file():
        raise WeightsError(f"{file}: no such weight file. Expected 'imagenet', 'random', "
                           "'random:SEED' or a .h5, .weights.h5 or .keras file.")
    return Weights(f"sha256:{file_digest(file, 'sha256')}", file.name, file)


def _seed(spec: str) -> int:
    text = spec.partition(":")[2] or "0"
    if not text.isdecimal():
        raise InputError(f"weights '{spec}': expected random or random:SEED with a whole number.")
    return int(text)


def _check_published_digest(backbone: Backbone, file: Path) -> None:
    expected = backbone.weights_digest
    if not expected:
        return
    got = file_digest(file, _algorithm(expected))
    if got != expected:
        raise WeightsError(
            f"{file}: expected {backbone.name}'s ImageNet weights with {_algorithm(expected)} "
            f"{expected}, got {got}. Delete the file and try again, or pass your own weights with "
            "--weights FILE."
        )


def _algorithm(digest: str) -> str:
    return {32: "md5", 64: "sha256"}[len(digest)]


def download(
    backbone: Backbone,
    target: Path,
    *,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Download a backbone's ImageNet weights as Keras does, whole or not at all.

    Parameters
    ----------
    backbone : Backbone
    target : Path
    seconds : float, optional
        Longest time to spend, in seconds.
    progress : callable of (bytes done, bytes in all), optional

    Raises
    ------
    WeightsError
        If it cannot be had; the message names the file, its place and the offline choices.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(backbone.weights_url, part, seconds, progress)
        _check_published_digest(backbone, part)
        part.replace(target)
    except (OSError, urllib.error.URLError) as error:
        raise WeightsError(_how_to_get(backbone, target, error)) from error
    finally:
        part.unlink(missing_ok=True)


def _fetch(
    url: str, part: Path, seconds: float | None, progress: Callable[[int, int], None] | None
) -> None:
    deadline = time.monotonic() + (seconds if seconds is not None else float("inf"))
    with (
        urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as answer,
        part.open("wb") as file,
    ):
        total = int(answer.headers.get("Content-Length") or 0)
        while block := answer.read(_BLOCK):
            file.write(block)
            if progress:
                progress(file.tell(), total)
            if time.monotonic() > deadline:
                raise TimeoutError(f"not finished after {seconds:.0f} s ({file.tell()} bytes)")


def _how_to_get(backbone: Backbone, target: Path, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"{backbone.name}: its ImageNet weights are not on this machine and cannot be "
        f"downloaded ({reason}).\n"
        f"  On a machine with network, fetch {backbone.weights_url}\n"
        f"  and put it at {target}\n"
        f"  or pass your own file:          --weights FILE\n"
        f"  or use weights that come along: --backbone {OFFLINE_BACKBONE}\n"
        f"  or a network trained on nothing: --weights random"
    )
