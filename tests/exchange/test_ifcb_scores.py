"""Class-score files, read back as the programs of both dialects read them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.errors import InputError, PlanktonFeaturesError
from plankton_features.exchange import ascii_names, write_class_scores
from plankton_features.heads.predictions import Predictions
from tests.forging.bins import NEW, OLD

CLASSES = ["Détritus", "Detritus", "Ærø", "Кладоцера", "copepod"]


def predicted(n: int, k: int = len(CLASSES), seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    return Predictions(rng.integers(0, k, n), rng.dirichlet(np.ones(k), n), rng.random(n) < 0.7)


def read_whoi(path: Path) -> tuple[list[str], dict[int, dict[str, float]], dict[str, object]]:
    """As the dashboard's libraries do: names are decoded as ASCII."""
    with h5py.File(path) as file:
        names = [name.decode("ascii") for name in file["class_labels"][:]]
        scores, numbers = file["output_scores"][:], file["roi_numbers"][:]
        best = np.asarray(file["output_classes"]).astype(int)
        about = dict(file["metadata"].attrs)
        assert file["metadata"].shape is None
    rows = {int(number): dict(zip(names, map(float, row), strict=True))
            for number, row in zip(numbers, scores, strict=True)}
    return names, rows, {**about, "best": [names[i] for i in best]}


def read_smhi(path: Path) -> dict[str, object]:
    """As in R: every dataset by name, texts as texts, one-dimensional."""
    with h5py.File(path) as file:
        found: dict[str, object] = {}
        for name in ("output_scores", "class_labels", "roi_numbers", "class_name_auto",
                     "class_name", "classifier_name", "thresholds"):
            dataset = file[name]
            found[name] = (dataset.asstr()[:].tolist() if h5py.check_string_dtype(dataset.dtype)
                           else dataset[:])
    return found


def test_both_dialects_read_the_files(tmp_path: Path) -> None:
    predictions = predicted(30)
    rng = np.random.default_rng(1)
    bins = [NEW if i % 3 else OLD for i in range(30)]
    targets = rng.permutation(5000)[:30] + 1
    thresholds = np.array([0.5, np.nan, 0.9, np.nan, 0.1])
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    files = write_class_scores(tmp_path / "new" / "er", bins, targets, CLASSES, predictions,
                               thresholds=thresholds, classifier="Größe", model_id="abc", time=when)
    assert [path.name for path in files] == [f"{NEW}_class.h5", f"{OLD}_class.h5"]
    folded = ["Detritus_2", "Detritus", "AEro", "_________", "copepod"]
    for path, name in zip(files, (NEW, OLD), strict=True):
        rows = sorted((i for i in range(30) if bins[i] == name), key=lambda i: targets[i])
        names, scores, about = read_whoi(path)
        assert names == folded
        assert list(scores) == targets[rows].tolist()
        for row in rows:
            assert list(scores[targets[row]].values()) == pytest.approx(
                predictions.probabilities[row].tolist(), rel=1e-7)
        decided = [folded[predictions.code[row]] for row in rows]
        assert about == {"version": "v3", "model_id": "abc", "bin_id": name, "best": decided,
                         "timestamp": "2026-01-02T03:04:05+00:00"}
        other = read_smhi(path)
        assert other["class_labels"] == folded
        assert other["class_name_auto"] == decided
        assert other["class_name"] == [
            label if predictions.accepted[row] else "unclassified"
            for label, row in zip(decided, rows, strict=True)]
        assert other["classifier_name"] == ["Größe"]
        assert np.asarray(other["output_scores"]).shape == (len(rows), 5)
        np.testing.assert_array_equal(other["thresholds"], thresholds)
        with h5py.File(path) as file:
            assert file["class_labels_utf8"].asstr()[:].tolist() == CLASSES
            assert file["output_scores"].dtype == np.float32
            assert file["roi_numbers"].dtype == np.int32


def test_more_classes_than_float16_can_count(tmp_path: Path) -> None:
    """2,049 is not a float16."""
    k = 3000
    predictions = Predictions(np.array([2049, 2999]), np.full((2, k), 1 / k), np.array([True] * 2))
    names = [f"class {i}" for i in range(k)]
    path, = write_class_scores(tmp_path, [NEW] * 2, [1, 2], names, predictions)
    assert read_whoi(path)[2]["best"] == ["class 2049", "class 2999"]
    assert np.isnan(np.asarray(read_smhi(path)["thresholds"])).all()


@given(st.lists(st.text(max_size=12), unique=True, max_size=20))
def test_folded_names_are_ascii_and_different(names: list[str]) -> None:
    folded = ascii_names(names)
    assert all(name.isascii() and name.isprintable() and name for name in folded)
    assert len(set(folded)) == len(folded) == len(names)
    for name, plain in zip(names, folded, strict=True):
        if name.isascii() and name.isprintable() and name:
            assert plain == name


@pytest.mark.parametrize(("bins", "targets", "classes", "told"), [
    ([NEW], [1, 2], CLASSES, "expected 2, one per prediction"),
    ([NEW] * 2, [1], CLASSES, "expected 2, one per prediction"),
    ([NEW] * 2, [1, 1], CLASSES, f"1 of {NEW} is there twice"),
    ([NEW] * 2, [0, 1], CLASSES, "from 1; got 0 to 1"),
    ([NEW] * 2, [1, 2**31], CLASSES, "from 1; got 1 to 2147483648"),
    ([NEW] * 2, [1.5, 2.0], CLASSES, "of type float64"),
    ([NEW, "../x"], [1, 2], CLASSES, r"got '../x'. Only pictures of an IFCB"),
    ([NEW] * 2, [1, 2], CLASSES[1:], "expected 5 different names, got 4"),
    ([NEW] * 2, [1, 2], ["a"] * 5, "expected 5 different names, got 5"),
])
def test_what_does_not_go_together_is_refused(tmp_path: Path, bins: list[str], targets: list[int],
                                              classes: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        write_class_scores(tmp_path / "x", bins, targets, classes, predicted(2))
    with pytest.raises(InputError, match="thresholds: expected 5"):
        write_class_scores(tmp_path / "x", [NEW] * 2, [1, 2], CLASSES, predicted(2),
                           thresholds=[0.5])
    assert not (tmp_path / "x").exists()


def test_files_that_are_there_are_not_replaced_unasked(tmp_path: Path) -> None:
    write_class_scores(tmp_path, [OLD], [1], CLASSES, predicted(1))
    before = (tmp_path / f"{OLD}_class.h5").read_bytes()
    with pytest.raises(PlanktonFeaturesError, match=f"{OLD}_class.h5"):
        write_class_scores(tmp_path, [NEW, OLD], [1, 2], CLASSES, predicted(2))
    assert [path.name for path in tmp_path.iterdir()] == [f"{OLD}_class.h5"]
    assert (tmp_path / f"{OLD}_class.h5").read_bytes() == before
    assert len(write_class_scores(tmp_path, [NEW, OLD], [1, 2], CLASSES, predicted(2),
                                  overwrite=True)) == 2
    assert list(read_whoi(tmp_path / f"{OLD}_class.h5")[1]) == [2]
