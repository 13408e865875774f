"""Forged files of fine-tuned networks: what a stranger could write into a ``.keras`` file.

Each function of `NETWORKS` writes one into an empty folder and returns its path. They are of
mobilenet_v2, and looked at without building it.
"""

from __future__ import annotations

import functools
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from forging import heads

from plankton_features.embedding import resolve_weights
from plankton_features.errors import HeadError, InputError, WeightsError
from plankton_features.heads import load_head

Rng = np.random.Generator
Forgery = Callable[[Path, Rng], Path]
BACKBONE = "mobilenet_v2"
DESCRIPTION, ARRAYS, HEAD = ("plankton_features/description.json", "model.weights.h5",
                             "plankton_features/head")
RECIPE = {"backbone": BACKBONE, "layers": ["out_relu"], "pooling": ["avg"], "canvas": 96,
          "normalization": "tf"}
TOLD = {"format": "plankton_features model", "version": 1, "recipe": RECIPE,
        "classes": heads.CLASSES, "hidden": None, "dropout": 0.2}


@functools.cache
def arrays() -> bytes:
    """A small file of weights as Keras writes it."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for i in range(3):
            file[f"layers/dense_{i}/vars/0"] = np.zeros((20, 10), np.float32)
    return buffer.getvalue()


def sound_parts() -> dict[str, bytes]:
    """The parts of a sound file."""
    return {"metadata.json": b"{}", "config.json": b"{}", ARRAYS: arrays(),
            DESCRIPTION: json.dumps(TOLD).encode(), HEAD: heads.sound_bytes("logistic")}


def write(folder: Path, parts: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    """A file of these parts."""
    path = folder / "network.keras"
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def outcome(path: Path) -> str:
    """``refused`` or ``same``: what must come of a forged network.

    Raises
    ------
    AssertionError
        If it is neither.
    """
    try:
        resolve_weights(BACKBONE, str(path))
        found = load_head(path).predict_proba(heads.ROWS)
    except (WeightsError, HeadError, InputError) as error:
        if str(path) not in str(error) or not str(error).endswith("."):
            raise AssertionError(f"no words for a person: {error}") from error
        return "refused"
    np.testing.assert_allclose(found, heads.expected("logistic", "none"), rtol=1e-5)
    return "same"


def described(*changes: dict[str, Any]) -> Forgery:
    """A description of which some parts are others."""
    def forge(folder: Path, rng: Rng) -> Path:
        told = {**TOLD, **changes[rng.integers(len(changes))]}
        told = {name: value for name, value in told.items() if value is not ...}
        return write(folder, {**sound_parts(), DESCRIPTION: json.dumps(told).encode()})

    return forge


def odd_json(folder: Path, rng: Rng) -> Path:
    """A description that is no JSON, or none of ours."""
    odd = [b"", b"null", b"[1]", b"{", b"\xff", b"[" * 10**5, b"9" * 6000,
           json.dumps(TOLD).encode()[:int(rng.integers(300))]]
    return write(folder, {**sound_parts(), DESCRIPTION: odd[rng.integers(len(odd))]})


def lacking(folder: Path, rng: Rng) -> Path:
    """A part is missing, or is there twice."""
    parts = sound_parts()
    name = str(rng.choice([ARRAYS, DESCRIPTION, HEAD]))
    if rng.random() < 0.5:
        del parts[name]
        return write(folder, parts)
    path = write(folder, parts)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, parts[name] + b" ")
    return path


def bombs(folder: Path, rng: Rng) -> Path:
    """A part that unpacks to much more."""
    name = str(rng.choice([ARRAYS, DESCRIPTION, HEAD]))
    parts = sound_parts()
    parts[name] += b" " * int(rng.integers(2**24, 2**26))
    return write(folder, parts, zipfile.ZIP_DEFLATED)


def with_arrays(change: Callable[[Any, Rng], None]) -> Forgery:
    """Weights of which some arrays are others."""
    def forge(folder: Path, rng: Rng) -> Path:
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".h5") as place:
            with h5py.File(place.name, "w") as file:
                file["layers/dense/vars/0"] = np.zeros((20, 10), np.float32)
                change(file, rng)
            content = Path(place.name).read_bytes()
        return write(folder, {**sound_parts(), ARRAYS: content})

    return forge


def claimed(file: Any, rng: Rng) -> None:
    """An array that claims gigabytes and takes no bytes."""
    shape = (int(rng.integers(10**5, 10**6)), int(rng.integers(10**3, 10**6)))
    how = [{}, {"chunks": (100, 100), "compression": "gzip"}][rng.integers(2)]
    file.create_dataset("layers/dense/vars/1", shape, "f4", **how)


def elsewhere(file: Any, rng: Rng) -> None:
    """Values or groups that lie in another file of the reader's machine."""
    kind = rng.integers(4)
    if kind == 0:
        file["layers/other"] = h5py.ExternalLink("/etc/hostname", "/")
    elif kind == 1:
        file["layers/other"] = h5py.SoftLink("/layers/other")
    elif kind == 2:
        file.create_dataset("layers/dense/vars/1", (10,), "u1", external=[("/etc/hostname", 0, 10)])
    else:
        layout = h5py.VirtualLayout((10,), "f4")
        layout[:] = h5py.VirtualSource("/etc/hostname", "x", (10,))
        file.create_virtual_dataset("layers/dense/vars/1", layout)


def odd_types(file: Any, rng: Rng) -> None:
    """Arrays of text, references or structures; groups in a circle."""
    kind = rng.integers(4)
    if kind == 0:
        file["layers/text"] = "x"
    elif kind == 1:
        file["layers/pairs"] = np.zeros(3, "i4,f8")
    elif kind == 2:
        file.create_dataset("layers/ref", (2,), h5py.ref_dtype)
    else:
        file["layers/dense/again"] = h5py.Empty("f4")


def damaged(folder: Path, rng: Rng) -> Path:
    """Bytes turned or cut."""
    path = write(folder, sound_parts())
    content = bytearray(path.read_bytes())
    start = int(rng.integers(len(content)))
    content[start:] = content[start:start + int(rng.integers(20))] if rng.random() < 0.3 else (
        rng.bytes(8) + content[start + 8:])
    path.write_bytes(content)
    return path


def forged_head(folder: Path, rng: Rng) -> Path:
    """A forged head within a sound network."""
    kinds = ("counts of nodes that overflow", "arrays of no numbers", "steps of other widths",
             "false headers of arrays", "one array named many times", "frequencies")
    path = heads.FORGERIES[str(rng.choice(kinds))](folder, rng)
    return write(folder, {**sound_parts(), HEAD: path.read_bytes()})


NETWORKS: dict[str, Forgery] = {
    "descriptions": described(
        *({name: value} for name in TOLD for value in (..., None, -1, [], {}, "x", 10**400)),
        {"hidden": 10**9}, {"hidden": True}, {"classes": ["a"] * 10**5}, {"classes": [1]},
        {"classes": ["x" * 10**6]}, {"dropout": 1}, {"dropout": "0.5"}, {"version": 2}),
    "recipes": described(*({"recipe": {**RECIPE, **other}} for other in (
        {"backbone": "x"}, {"backbone": ["mobilenet_v2"]}, {"canvas": -1}, {"canvas": 10**9},
        {"layers": [{}]}, {"pooling": ["x"]}, {"more": 1}, {"weights": "none"},
        {"spp_levels": [10**6]}, {"gem_power": "x"}, {"views": []})), {"recipe": {}}),
    "no JSON": odd_json,
    "parts missing or twice": lacking,
    "parts that unpack to more": bombs,
    "arrays that claim more": with_arrays(claimed),
    "arrays of other files": with_arrays(elsewhere),
    "arrays of other types": with_arrays(odd_types),
    "forged heads": forged_head,
    "damaged": damaged,
}
