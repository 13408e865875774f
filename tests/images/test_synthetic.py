"""Synthetic vignettes: repeatable, varied, learnable."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import cross_val_score

from plankton_features.errors import InputError
from plankton_features.images import Framing, build_catalog, frame, read_image
from plankton_features.images.synthetic import long_tail, make_vignettes
from plankton_features.images.synthetic_shapes import FAMILIES


def digests(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in root.rglob("*.*") if p.is_file()}


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_vignettes(tmp_path / name, n_images=30, seed=seed)
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    assert len(set(first.values())) == 30
    assert first.keys() == other.keys()
    assert not set(first.values()) & set(other.values())


def test_table_and_folder_agree(tmp_path: Path) -> None:
    made = make_vignettes(tmp_path / "images", table=tmp_path / "table.csv", n_images=60)
    assert list(made.columns) == ["path", "label", "group", "id"]
    folder, table = build_catalog(tmp_path / "images"), build_catalog(tmp_path / "table.csv")
    assert sorted(made["path"]) == folder.path
    assert dict(zip(made["path"], made["label"], strict=True)) == dict(
        zip(folder.path, folder.label, strict=True))
    assert (table.size > 0).all()
    assert table.group == made["group"].tolist()
    assert table.id == made["id"].tolist()
    assert made["id"].is_unique


def test_pictures_are_as_asked(tmp_path: Path) -> None:
    made = make_vignettes(tmp_path, n_classes=12, n_images=96, imbalance=1, size=(30, 90))
    pixels = [read_image(tmp_path / path) for path in made["path"]]
    longer = np.array([max(p.shape) for p in pixels])
    assert all(p.ndim == 2 for p in pixels)
    assert longer.min() >= 30
    assert longer.max() <= 90
    assert longer.std() > 10
    kinds = [(tmp_path / path).read_bytes()[:3] for path in made["path"]]
    assert set(kinds) == {b"\x89PN", b"\xff\xd8\xff"}
    assert all(p.std() > 4 for p in pixels)  # none is empty


@pytest.mark.parametrize(("ground", "low", "high"), [
    ("white", 200, 255), ("grey", 110, 190), ("black", 0, 40)])
def test_ground(tmp_path: Path, ground: str, low: int, high: int) -> None:
    made = make_vignettes(tmp_path, n_images=24, ground=ground)  # type: ignore[arg-type]
    for path in made["path"]:
        edge = np.median(read_image(tmp_path / path)[0])
        assert low <= edge <= high


def test_mixed_ground_changes_with_the_group(tmp_path: Path) -> None:
    made = make_vignettes(tmp_path, n_images=48, groups=3)
    edge = pd.Series([np.median(read_image(tmp_path / p)[0]) for p in made["path"]])
    means = edge.groupby(made["group"].to_numpy()).mean().sort_values()
    assert (np.diff(means) > 60).all()


def test_each_class_is_spread_over_all_groups(tmp_path: Path) -> None:
    made = make_vignettes(tmp_path, n_images=120, groups=4, imbalance=3)
    counts = pd.crosstab(made["label"], made["group"]).to_numpy()
    assert np.ptp(counts, axis=1).max() <= 1
    endings = pd.crosstab(made["group"], made["path"].str[-3:]).to_numpy()
    assert (endings > 0).all()


@given(st.integers(1, 12), st.integers(0, 500), st.floats(1, 1000))
def test_long_tail_sums_and_falls(n_classes: int, more: int, imbalance: float) -> None:
    counts = long_tail(n_classes + more, n_classes, imbalance)
    assert counts.sum() == n_classes + more
    assert len(counts) == n_classes
    assert counts.min() >= 1
    assert (np.diff(counts) <= 0).all()


def test_long_tail_has_the_ratio() -> None:
    assert long_tail(120, 6, 10)[[0, -1]].tolist() == [47, 5]
    assert long_tail(1110, 3, 100).tolist() == [1000, 100, 10]
    assert long_tail(60, 6, 1).tolist() == [10] * 6


def test_classes_are_learnable_but_not_by_size(tmp_path: Path) -> None:
    made = make_vignettes(tmp_path, n_images=180, imbalance=1, ground="white", size=(30, 120))
    pixels = [read_image(tmp_path / path) for path in made["path"]]
    forest = ExtraTreesClassifier(100, random_state=0)
    longer = np.array([[max(p.shape)] for p in pixels])
    canvases = np.array([frame(p, Framing(24)).ravel() for p in pixels])
    by_size = cross_val_score(forest, longer, made["label"], cv=3).mean()
    by_shape = cross_val_score(forest, canvases, made["label"], cv=3).mean()
    assert by_size < 0.35  # chance is 0.17
    assert by_shape > 0.6


@pytest.mark.parametrize(("wrong", "message"), [
    ({"n_classes": 0}, "n_classes"), ({"n_classes": len(FAMILIES) + 1}, "expected 1 to 12, got 13"),
    ({"n_images": 5}, "at least one for each of 6"), ({"imbalance": 0.5}, "imbalance"),
    ({"ground": "blue"}, "expected mixed, white, grey, black; got 'blue'"),
    ({"groups": 0}, "groups"), ({"groups": 100}, "groups"), ({"size": (5, 50)}, "size"),
    ({"size": (50, 40)}, "size"),
])
def test_arguments_out_of_range(tmp_path: Path, wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_vignettes(tmp_path / "images", **wrong)
    assert not (tmp_path / "images").exists()
