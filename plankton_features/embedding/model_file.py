"""The file of a fine-tuned network: a ``.keras`` file that also says how to make vectors with it.

Besides what Keras writes, the zip file holds

plankton_features/description.json   format, version, recipe (but for the weights), classes, layers
plankton_features/head               a head file, format 1, which classifies its vectors

Only arrays are read from Keras' own parts, never its configuration, which could name code.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from plankton_features.embedding.array_file import ARRAYS, check_arrays, checked_entry
from plankton_features.errors import WeightsError, one_line

FORMAT, VERSION = "plankton_features model", 1
DESCRIPTION = "plankton_features/description.json"
_MOST_BYTES = 2**24
_MOST_CLASSES, _MOST_LETTERS, _MOST_HIDDEN = 10_000, 500, 2**16


def is_model_file(path: Path) -> bool:
    """Whether a file is a fine-tuned network."""
    try:
        with ZipFile(path) as archive:
            return DESCRIPTION in archive.namelist()
    except Exception:  # noqa: BLE001 (whatever it is, it is no such file)
        return False


def read_description(path: Path) -> dict[str, Any]:
    """What a fine-tuned network's file says of itself.

    Returns
    -------
    dict
        ``recipe`` (fields of `Recipe` without ``weights``), ``classes``, ``hidden``, ``dropout``.

    Raises
    ------
    WeightsError
        If it is missing, damaged, something else, or of a newer format.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file. Expected a network that plankton-features "
                           "fine-tune has written.")
    try:
        with ZipFile(path) as archive:
            if DESCRIPTION not in archive.namelist():
                raise ValueError("it lacks what fine-tune adds; other .keras files go with "
                                 "--backbone NAME --weights FILE")
            text = archive.read(checked_entry(archive, DESCRIPTION, _MOST_BYTES))
        found: dict[str, Any] = json.loads(text)
        if found["format"] != FORMAT or int(found["version"]) > VERSION:
            raise ValueError(f"format {found['format']} {found['version']}: update "
                             "plankton_features")
        _check_parts(found)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error}), which does not "
                           "mean that it is damaged. See that you may read it.") from error
    except Exception as error:
        raise WeightsError(f"{path}: damaged, or no network that plankton-features fine-tune has "
                           f"written ({' '.join(str(error).split())[:200]}).") from error
    return found


def _check_parts(found: dict[str, Any]) -> None:
    recipe, classes, hidden, dropout = (found[name] for name in
                                        ("recipe", "classes", "hidden", "dropout"))
    fits = {
        "recipe": isinstance(recipe, dict) and isinstance(recipe.get("backbone"), str),
        "classes": isinstance(classes, list) and 1 <= len(classes) <= _MOST_CLASSES and all(
            isinstance(name, str) and len(name) <= _MOST_LETTERS for name in classes),
        "hidden": hidden is None or (type(hidden) is int and 1 <= hidden <= _MOST_HIDDEN),
        "dropout": type(dropout) in (int, float) and 0 <= dropout < 1,
    }
    if wrong := [name for name, right in fits.items() if not right]:
        raise ValueError(f"{' and '.join(wrong)} cannot be right")
    from plankton_features.embedding.recipe import Recipe

    Recipe(**recipe, weights=f"sha256:{0:064}")


def weights_identity(path: Path) -> str:
    """``sha256:<hex>`` of the arrays of a ``.keras`` file: they decide vectors, not the rest.

    Raises
    ------
    WeightsError
        If they cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with ZipFile(path) as archive:
            entry = checked_entry(archive, ARRAYS, path.stat().st_size)  # is not compressed
            with archive.open(entry) as file:
                while block := file.read(2**20):
                    digest.update(block)
    except Exception as error:
        raise WeightsError(f"{path}: its weights cannot be read ({one_line(error)}). Get the file "
                           "again from where it came from.") from error
    return f"sha256:{digest.hexdigest()}"


def check_model_arrays(path: Path) -> None:
    """Refuse a fine-tuned network whose arrays cannot be read, or are not what they should be.

    Raises
    ------
    WeightsError
    """
    try:
        check_arrays(path)
    except WeightsError:
        raise
    except Exception as error:  # libhdf5 has no common kind
        raise WeightsError(f"{path}: its weights cannot be read ({one_line(error)}). Get the file "
                           "again from where it came from.") from error


def fill_from_model_file(backbone: Any, path: Path) -> Any:
    """Fill a backbone with a fine-tuned network's weights.

    Parameters
    ----------
    backbone : keras.Model
        Changed in place.
    path : Path

    Returns
    -------
    keras.Model
        The part of it that was trained, or that pictures went through: up to the last layer that
        was pooled.

    Raises
    ------
    WeightsError
        If the file does not hold this network.
    """
    from plankton_features.embedding.classifier_network import assemble_network, saved_form
    from plankton_features.embedding.recipe import Recipe

    found = read_description(path)
    check_model_arrays(path)
    try:
        recipe = Recipe(**{**found["recipe"], "weights": weights_identity(path),
                           "canvas": backbone.input.shape[1]})
        network = assemble_network(recipe, backbone, len(found["classes"]),
                                   hidden=found["hidden"], dropout=found["dropout"])
        saved_form(network).load_weights(path)
    # Keras raises a dozen kinds of errors on a file that is not what it expects.
    except Exception as error:
        raise WeightsError(f"{path}: does not hold the weights of {found['recipe']['backbone']} "
                           f"({' '.join(str(error).split())[:200]}). Make it anew with "
                           "plankton-features fine-tune.") from error
    return network.trunk
