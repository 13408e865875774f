"""Export a trained network to other formats; each is read back and compared before it is kept."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plankton_features.embedding.classifier_network import saved_form
from plankton_features.errors import EngineError, InputError, PlanktonFeaturesError
from plankton_features.files.together import placing
from plankton_features.finetuning.canvases import in_colour
from plankton_features.finetuning.export_formats import FORMATS, run

if TYPE_CHECKING:
    from plankton_features.finetuning.plan import Tuned

EXPORTS = {name: known.description for name, known in FORMATS.items()}
"""Names of formats, and what they are."""

TOLERANCE = 1e-4
"""Largest absolute difference of probabilities between a network and its export."""

_COMPARED = 8  # images
_BYTES_PER_WEIGHT = 4.2  # a little more than float32
_BYTES_PER_FORMAT = 4 * 2**20  # for names and the graph


@dataclass(frozen=True)
class Exported:
    """One network in one format.

    Attributes
    ----------
    format : str
        A name of `EXPORTS`.
    files : tuple of Path
    largest_difference : float
        Of probabilities, between the network and what was read back.
    """

    format: str
    files: tuple[Path, ...]
    largest_difference: float


def check_exports(formats: Sequence[str]) -> None:
    """Refuse formats that cannot be written here, before work begins.

    Parameters
    ----------
    formats : sequence of str
        A single name counts as one.

    Raises
    ------
    InputError
        If one is not in `EXPORTS`.
    EngineError
        If a package that one needs is not installed.
    """
    for name in _as_names(formats):
        if name not in FORMATS:
            raise InputError(f"export: the format '{name}' is not known. Choose of: "
                             f"{', '.join(FORMATS)}.")
        for package in FORMATS[name].packages:
            if importlib.util.find_spec(package) is None:
                raise EngineError(f"export {name}: the package {package} is not installed. "
                                  f"Install it: pip install {FORMATS[name].install}")


def export_files(name: str, stem: Path) -> tuple[Path, ...]:
    """The files of one format.

    Parameters
    ----------
    name : str
        Of `EXPORTS`.
    stem : path-like
        Folder and name without an ending.

    Examples
    --------
    >>> [file.name for file in export_files("json", Path("out/model"))]
    ['model.json', 'model.weights.h5']
    """
    return tuple(stem.with_name(stem.name + ending) for ending in FORMATS[name].endings)


def export_tuned(tuned: Tuned, formats: Sequence[str],
                 stem: str | os.PathLike[str]) -> list[Exported]:
    """Write a fine-tuned network in other formats, compared on its first images.

    Parameters
    ----------
    tuned : Tuned
        From `fine_tune`, before `forget`.
    formats : sequence of str
        Names of `EXPORTS`; a single name counts as one.
    stem : Path
        Folder and name without an ending.

    Returns
    -------
    list of Exported

    Raises
    ------
    InputError, EngineError, StoreError
        See `export_model`.
    """
    return export_model(saved_form(tuned.trained.network), formats, Path(stem),
                        in_colour(tuned.gathered.canvases[:_COMPARED]))


def export_model(model: Any, formats: Sequence[str], stem: Path,
                 canvases: np.ndarray) -> list[Exported]:
    """Write a network in other formats: all of them or, after an error, none.

    Files of the same names are replaced; after an error they are what they were.

    Parameters
    ----------
    model : keras.Model
        From uint8 canvases (batch, side, side, 3) to float32 probabilities (batch, K), with
        layers that compute in float32.
    formats : sequence of str
        Names of `EXPORTS`.
    stem : Path
        Folder and name without an ending.
    canvases : ndarray of shape (n, side, side, 3), uint8
        What the network and its exports are compared on; n is at least 1.

    Returns
    -------
    list of Exported
        In the order of `formats`, each once.

    Raises
    ------
    InputError
        If a format is not known, or `canvases` do not fit the network.
    EngineError
        If a package is missing, the network cannot be converted, or an export differs from it
        by more than `TOLERANCE`.
    StoreError
        If the files cannot be written.
    """
    targets = {name: export_files(name, stem) for name in _checked(formats)}
    if not targets:
        return []
    _check_canvases(model, canvases)
    expected = run(model, canvases)
    size = len(targets) * (model.count_params() * _BYTES_PER_WEIGHT + _BYTES_PER_FORMAT)
    with placing([file for files in targets.values() for file in files], size) as folder:
        differences = [_export(model, name, folder / stem.name, canvases, expected)
                       for name in targets]
    return [Exported(name, targets[name], difference)
            for name, difference in zip(targets, differences, strict=True)]


def _checked(formats: Sequence[str]) -> tuple[str, ...]:
    check_exports(formats)
    return tuple(dict.fromkeys(_as_names(formats)))


def _as_names(formats: Sequence[str]) -> Sequence[str]:
    return (formats,) if isinstance(formats, str) else formats


def _check_canvases(model: Any, canvases: np.ndarray) -> None:
    shape = model.input_shape[1:]
    if canvases.dtype != np.uint8 or canvases.shape[1:] != shape or not len(canvases):
        raise InputError(f"export: expected at least one canvas, uint8 of shape {shape}, to "
                         f"compare on, got {canvases.dtype} of shape {canvases.shape}.")


def _export(model: Any, name: str, stem: Path, canvases: np.ndarray,
            expected: np.ndarray) -> float:
    """Write one format and read it back; the largest difference of probabilities."""
    files = export_files(name, stem)
    with _named_errors(name, "converted"):
        FORMATS[name].write(model, *files)
    with _named_errors(name, "read back"):
        got = FORMATS[name].read(*files, canvases)
    difference = float(np.abs(got - expected).max()) if got.shape == expected.shape else np.inf
    if not difference <= TOLERANCE:  # not a number is no agreement
        raise EngineError(f"export {name}: its probabilities differ from the network's by up to "
                          f"{difference:.2g}, expected at most {TOLERANCE:g}. {_next_step(name)}")
    return difference


@contextmanager
def _named_errors(name: str, done: str) -> Iterator[None]:
    try:
        yield
    except (PlanktonFeaturesError, OSError):  # `placing` names the disk's errors
        raise
    # Converters and runtimes have no common kind of error.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise EngineError(f"export {name}: the network cannot be {done} ({reason}). "
                          f"{_next_step(name)}") from error


def _next_step(name: str) -> str:
    return (f"Nothing was exported. Leave {name} out, or try other versions of "
            f"{', '.join(FORMATS[name].packages) or 'keras'}.")
