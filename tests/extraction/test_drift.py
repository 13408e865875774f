from dataclasses import replace

import numpy as np
import pytest

from plankton_features import build_catalog
from plankton_features.embedding import EngineOptions
from plankton_features.extraction.drift import (
    SAMPLE,
    cosine_similarity,
    embed_sample,
    measure_drift,
    sample_positions,
)


class Narrow:
    """An engine whose numbers have few digits."""

    def __init__(self, engine, digits):
        self.__dict__.update(vars(engine), depth=engine.depth, real=engine, digits=digits)

    def submit(self, canvases):
        result = self.real.submit(canvases)()
        return lambda: result.round(self.digits)


def test_the_same_numbers_do_not_drift(catalog, pixels):
    recipe, engine = pixels()
    drift = measure_drift(catalog, recipe, engine, None, EngineOptions())
    assert drift.n == 28  # of 32, four cannot be read
    assert drift.mean == drift.least == 1


def test_narrow_numbers_drift(catalog, pixels):
    recipe, engine = pixels()
    fine, coarse = (measure_drift(catalog, recipe, Narrow(engine, digits), None, EngineOptions())
                    for digits in (2, 0))
    assert 0.999 < fine.least <= fine.mean < 1
    assert coarse.least < 0.99
    assert str(fine).startswith("cosine similarity to float32 on 28 of your images: mean 0.99")


def test_the_comparison_is_with_float32(catalog, pixels, monkeypatch):
    recipe, engine = pixels()
    asked = []

    def open_engine(recipe, *_):
        asked.append(recipe.precision)
        return engine

    monkeypatch.setattr("plankton_features.extraction.drift.open_engine", open_engine)
    measure_drift(catalog, replace(recipe, precision="bfloat16"), engine, None, EngineOptions())
    assert asked == ["float32"]


def test_nothing_to_measure(tmp_path, pixels):
    (tmp_path / "a.png").write_bytes(b"broken")
    recipe, engine = pixels()
    assert measure_drift(build_catalog(tmp_path), recipe, engine, None, EngineOptions()) is None


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 100_000])
def test_samples_are_spread_evenly(n):
    positions = sample_positions(n)
    assert len(positions) == min(n, SAMPLE)
    assert (positions[0], positions[-1]) == (0, n - 1)
    if n > SAMPLE:
        assert np.diff(positions).max() <= n // (SAMPLE - 1) + 1


def test_vectors_of_what_can_be_read(catalog, pixels):
    recipe, engine = pixels()
    broken = [i for i, path in enumerate(catalog.path) if "00005" in path]
    vectors, readable = embed_sample(catalog, recipe, engine, np.array([0, *broken, 1]))
    assert readable.tolist() == [True, False, True]
    assert vectors.shape == (2, 64)


def test_cosine_similarity():
    a = np.array([[1, 0], [1, 1], [0, 0], [0, 0]], np.float32)
    b = np.array([[0, 2], [3, 3], [0, 0], [1, 0]], np.float32)
    assert cosine_similarity(a, b).round(6).tolist() == [0, 1, 1, 0]
