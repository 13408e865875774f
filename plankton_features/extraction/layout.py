"""What the feature file of a catalog, a recipe and an engine looks like, and the room it takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from plankton_features.embedding import Engine, Recipe
from plankton_features.embedding.recipe import SIZE_FEATURES
from plankton_features.errors import check_same
from plankton_features.extraction.measures import ATTRIBUTE, measured_columns
from plankton_features.files.targets import check_target
from plankton_features.images import Catalog, Prepared
from plankton_features.images.catalog import COLUMNS
from plankton_features.store import Plan, partial_path
from plankton_features.store.column_values import longest
from plankton_features.store.columns import KINDS
from plankton_features.store.schema import encoded_length

#: Root attribute with the stamp of the files that a feature file was made from.
STAMP = "catalog_stamp"
#: That with the digest of the extra columns, which files without any lack.
_COLUMNS = "catalog_columns"
#: Types of extra columns in Python and in the file.
_KINDS = {pandas: kind for kind, pandas in KINDS.items()}
_PACKAGES = ("plankton_features", "numpy", "pillow", "h5py", "tensorflow", "keras", "openvino")


def vector_parts(recipe: Recipe, engine: Engine) -> list[tuple[str, int]]:
    """Name and length of the parts of a vector, size features included."""
    size = [(name, 1) for name in SIZE_FEATURES] if recipe.size_features else []
    return [*engine.blocks, *size]


def size_features(images: Sequence[Prepared], recipe: Recipe) -> np.ndarray:
    """Logarithms of width, height and area, (n, 3) float32; (n, 0) if the recipe has none."""
    if not recipe.size_features:
        return np.empty((len(images), 0), np.float32)
    width = np.array([i.width for i in images], np.float64)
    height = np.array([i.height for i in images], np.float64) - recipe.crop_bottom
    return np.log(np.stack([width, height, width * height], axis=1)).astype(np.float32)


def file_plan(catalog: Catalog, recipe: Recipe, engine: Engine, morphometry: str = "") -> Plan:
    """Room for all images of the catalog; measured columns come after those of the catalog."""
    widths = {c: max(map(encoded_length, getattr(catalog, c)), default=1) for c in COLUMNS}
    n_values = sum(n for _, n in vector_parts(recipe, engine))
    table = catalog.columns
    columns = {name: _KINDS[table[name].dtype.name] for name in table}
    widths |= {name: longest(name, table[name]) for name, kind in columns.items()
               if kind == "text"}
    measured, units = measured_columns(catalog, morphometry)
    return Plan(len(catalog), n_values, engine.batch, widths, {**columns, **measured},
                {**catalog.units, **units})


def file_header(catalog: Catalog, recipe: Recipe, engine: Engine,
                morphometry: str = "") -> dict[str, object]:
    """Root attributes that must be the same for a file to be continued."""
    measured = {ATTRIBUTE: morphometry} if morphometry else {}
    return {"recipe": recipe.to_json(), **catalog_header(catalog), "engine": engine.name,
            "precision": engine.precision, "device": engine.device, "batch": engine.batch,
            **measured}


def catalog_header(catalog: Catalog) -> dict[str, object]:
    """The part of the header that tells catalogs apart; contents are compared by themselves.

    Without extra columns it is that of format 1.
    """
    return {f"catalog_{name}": value for name, value in catalog.fingerprint().items()
            if name != "size" and (name != "columns" or value)}


def catalog_notes(catalog: Catalog) -> dict[str, object]:
    """Of the files as they are now, taken before they are read: sizes, and all by their times."""
    return {"catalog_size": catalog.fingerprint()["size"], STAMP: catalog.stamp()}


def refuse_other_images(attributes: Mapping[str, object], catalog: Catalog, what: str) -> None:
    """Refuse to go on with a file of other images, and say in what they differ.

    Raises
    ------
    MismatchError
        With the field ``images`` if their number differs, otherwise the differing columns.
    """
    asked = {_COLUMNS: "", **catalog_header(catalog)}
    attributes = {_COLUMNS: "", **attributes}
    n = attributes.get("catalog_n")
    if n == asked["catalog_n"]:
        words = {name.removeprefix("catalog_"): attributes.get(name) == value
                 for name, value in asked.items()}
        found: dict[str, object] = {k: "as now" if same else "other values"
                                    for k, same in words.items()}
        if not attributes[_COLUMNS] and asked[_COLUMNS]:  # of format 1, or of a table without
            found["columns"] = "none"
        now: dict[str, object] = dict.fromkeys(words, "as now")
    else:
        found, now = {"images": n if n is not None else "a merged file"}, {"images": len(catalog)}
    check_same(found, now, f"{what}: was made from other images, or they have changed since",
               "Use --update to take over the vectors of pictures that are still there (others "
               "leave the file), --overwrite, or another file name; merge puts files together.")


def file_notes(recipe: Recipe, engine: Engine, weights_source: str) -> dict[str, object]:
    """Further root attributes, which may change between runs."""
    return {"recipe_id": recipe.recipe_id, "weights_source": weights_source,
            "feature_blocks": json.dumps(vector_parts(recipe, engine)),
            "versions": json.dumps({name: _version(name) for name in _PACKAGES})}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True)
class Space:
    """Room for a feature file.

    Attributes
    ----------
    needed : int
        Bytes that the rest of the file takes, if no image fails or is a duplicate.
    free : int
        Bytes free where it will be.
    """

    needed: int
    free: int

    @property
    def enough(self) -> bool:
        """Whether the file fits."""
        return self.needed <= self.free

    def __str__(self) -> str:
        return f"needs about {_size_text(self.needed)}, {_size_text(self.free)} are free"


def space_for(output: Path, catalog: Catalog, recipe: Recipe, engine: Engine,
              morphometry: str = "") -> Space:
    """Compare what a feature file will take with what is free.

    Parameters
    ----------
    output : Path
    catalog : Catalog
    recipe : Recipe
    engine : Engine
    morphometry : {"", "plain", "feret"}, default=""
        See `extract`.

    Returns
    -------
    Space

    Raises
    ------
    StoreError
        If there can be no file of that name.
    """
    target = check_target(output)
    partial = partial_path(output)
    taken = getattr(partial.stat(), "st_blocks", 0) * 512 if partial.exists() else 0
    needed = max(0, file_plan(catalog, recipe, engine, morphometry).n_bytes - taken)
    return Space(needed, shutil.disk_usage(target.parent).free)


def _size_text(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"
