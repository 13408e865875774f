"""Where training stands, in one file that is replaced whole after every epoch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plankton_features.errors import OtherPicturesError, StoreError, check_same, one_line
from plankton_features.files.replacing import replacing

NAME = "checkpoint.npz"
#: In the key: digest of the contents of the images.
PICTURES = "pictures"


@dataclass
class Standing:
    """Where training stands.

    Attributes
    ----------
    key : dict
        Options, images and network that it belongs to, JSON-able.
    phase : int
        1 or 2; 3 when all is trained.
    epoch : int
        Epochs done in this phase.
    n_epochs : int
        Epochs planned in this phase.
    history : list of dict
        One entry for each epoch of both phases.
    best : float or None
        Best value of the metric so far; larger is better.
    stopped : str
        Why training stopped before its time, for people; empty if it did not.
    state : list of ndarray
        Of `Stepper.state`.
    kept : list of ndarray
        What this phase trains, as it was after the best epoch so far.
    """

    key: dict[str, Any]
    phase: int = 1
    epoch: int = 0
    n_epochs: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: float | None = None
    stopped: str = ""
    state: list[np.ndarray] = field(default_factory=list)
    kept: list[np.ndarray] = field(default_factory=list)


def save(standing: Standing, folder: Path) -> None:
    """Write the checkpoint of a folder.

    Raises
    ------
    StoreError
        If it cannot be written; the one before is kept.
    """
    arrays = [*standing.state, *standing.kept]
    told = {**_told(standing), "n_state": len(standing.state), "n_arrays": len(arrays)}
    with replacing(folder / NAME) as file:
        named: Any = {f"a{i}": array for i, array in enumerate(arrays)}
        np.savez(file, told=np.array(json.dumps(told)), **named)


def load(folder: Path, key: dict[str, Any]) -> Standing | None:
    """Read the checkpoint of a folder; None if there is none.

    Raises
    ------
    StoreError
        If it is damaged.
    MismatchError
        If it belongs to other options, images or another network.
    OtherPicturesError
        If it belongs to other pictures of the same names.
    """
    standing = _read(folder / NAME)
    if standing is None:
        return None
    others = {name: value for name, value in key.items() if name != PICTURES}
    check_same(standing.key, others, f"{folder}: training that was broken off had other options",
               "Give the same options, or none, to go on; or begin anew with --overwrite.")
    if standing.key.get(PICTURES) != key.get(PICTURES):
        raise OtherPicturesError(
            f"{folder}: training that was broken off was of other pictures of the same names, or "
            "they have changed since. Put those back to go on, or choose another name for "
            "these; --overwrite begins anew with these.",
            {PICTURES: (standing.key.get(PICTURES), key.get(PICTURES))})
    return standing


def name_pictures(folder: Path, pictures: str | None) -> None:
    """Say in a checkpoint of the version before which pictures it is of.

    Parameters
    ----------
    folder : Path
    pictures : str or None
        Digest of those that are framed in the folder.

    Raises
    ------
    StoreError
        If it is damaged, or cannot be written.
    """
    standing = _read(folder / NAME)
    if standing is not None and PICTURES not in standing.key:
        standing.key[PICTURES] = pictures
        save(standing, folder)


def _read(path: Path) -> Standing | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            told = json.loads(str(file["told"]))
            arrays = [file[f"a{i}"] for i in range(told.pop("n_arrays"))]
        n_state = told.pop("n_state")
        return Standing(**told, state=arrays[:n_state], kept=arrays[n_state:])
    except (OSError, MemoryError) as error:
        raise StoreError(f"{path}: cannot be read ({one_line(error)}), which does not mean that it "
                         "is damaged. Run the same command again.") from error
    except Exception as error:
        raise StoreError(f"{path}: damaged ({one_line(error)}). Move {path.parent} elsewhere to "
                         "begin anew, or choose another name.") from error


def _told(standing: Standing) -> dict[str, Any]:
    return {name: value for name, value in vars(standing).items()
            if name not in ("state", "kept")}
