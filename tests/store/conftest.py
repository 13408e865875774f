from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from plankton_features.store import Block, FeatureStore, Plan

HEADER = {"recipe": '{"backbone":"pixels"}', "engine": "numpy", "precision": "float32"}
NOTES = {"recipe_id": "e080b88e341c", "weights_source": "none",
         "feature_blocks": '[["thumbnail_avg", 2]]'}

#: Extra columns, their units, and the longest text.
EXTRA = {"глубина/depth": "float64", "n": "int64", "note": "text"}
UNITS, NOTE_BYTES = {"глубина/depth": "m"}, 4


def extra(positions):
    """Values of the extra columns: numbers, NaN, missing ones, empty text."""
    depth = pd.arrays.FloatingArray(
        np.array([np.nan if p % 4 == 2 else p / 3 for p in positions], float),
        np.array([p % 4 == 1 for p in positions], bool))
    return {"глубина/depth": depth,
            "n": [None if p % 5 == 0 else 2**53 + p for p in positions],
            "note": [["ж" + str(p % 10), "", None][p % 3] for p in positions]}


def make_block(start, stop, kinds="v"):
    """Positions start..stop; `kinds` repeats: v vector, f failure, d duplicate of row 0."""
    positions = range(start, stop)
    rows, failed, again = (
        [p for p in positions if kinds[p % len(kinds)] == kind] for kind in "vfd")
    return Block(
        np.array([[p, -p] for p in rows], np.float32).reshape(-1, 2),
        {"path": [f"ж/{p}.png" for p in rows], "label": [f"taxon {p % 3}" for p in rows],
         "group": ["tow 1"] * len(rows), "id": [str(p) for p in rows],
         "sha256": [f"{p:064x}" for p in rows], "width": rows, "height": [9] * len(rows),
         "position": rows, **extra(rows)},
        {"path": [f"{p}.jpg" for p in failed], "label": ["x"] * len(failed),
         "stage": ["decode"] * len(failed), "reason": [f"reason {p}" for p in failed],
         "position": failed, **extra(failed)},
        {"path": [f"{p}.png" for p in again], "label": ["taxon 0"] * len(again),
         "group": [""] * len(again), "id": [""] * len(again), "row": [0] * len(again),
         "position": again, **extra(again)})


@pytest.fixture
def tmp_path(memory_path):
    """Writing here is followed by waiting for the disk, many times in a test."""
    return memory_path


@pytest.fixture
def block():
    return make_block


@pytest.fixture
def plan():
    return Plan(40, 2, columns=EXTRA, units=UNITS, text_bytes={
        "path": 12, "label": 8, "group": 5, "id": 2, "note": NOTE_BYTES})


@pytest.fixture
def opened(tmp_path, plan):
    """Open the store ``out.h5``: further header, overwrite -> FeatureStore."""

    def make(overwrite=False, name="out.h5", **header):
        return FeatureStore(tmp_path / name, plan, {**HEADER, **header}, notes=NOTES,
                            overwrite=overwrite)

    return make


@pytest.fixture
def written(opened, tmp_path):
    """Write a whole file: bounds of blocks, kinds -> path. An unfinished one is continued."""

    def make(bounds=(0, 10, 25, 40), kinds="vvfvd", name="out.h5", **header):
        with opened(name=name, **header) as store:
            for start, stop in pairwise(bounds):
                if stop > store.n_done:
                    store.append(make_block(max(start, store.n_done), stop, kinds))
            store.finish({"n_found": bounds[-1]})
        return tmp_path / name

    return make
