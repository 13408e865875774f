"""Batches are functions of their seed, and what is computed once is what was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.errors import InputError
from plankton_features.finetuning.augmentation import turns
from plankton_features.finetuning.feeding import (
    Feeder,
    batches,
    fetch_arrays,
    fetch_canvases,
    padded_batches,
)

CANVASES = np.random.default_rng(0).integers(0, 256, (7, 16, 16)).astype(np.uint8)
ROWS = np.array([5, 0, 3, 6, 1])


def fed(feeder, seed):
    return list(feeder.iterate(ROWS, seed))


@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_seed_gives_the_same_batches(threads):
    source = fetch_canvases(CANVASES, "full")
    a, b = (fed(Feeder(source, 2, n), (1, 2, 3)) for n in (1, threads))
    assert len(a) == 3
    for one, other in zip(a, b, strict=True):
        assert np.array_equal(one.inputs[0], other.inputs[0])
    c = fed(Feeder(source, 2), (1, 2, 4))
    assert not np.array_equal(a[0].inputs[0], c[0].inputs[0])


def test_evaluation_takes_pictures_as_they_are():
    found = fed(Feeder(fetch_canvases(CANVASES, "full"), 2), None)
    pixels = np.concatenate([one.inputs[0][one.weights > 0] for one in found])
    assert np.array_equal(pixels[..., 0], CANVASES[ROWS])


def test_views_of_arrays_are_drawn_in_training_only():
    array = np.arange(7 * 8).reshape(7, 8)
    source = fetch_arrays((array,))
    assert source(ROWS, None)[0].tolist() == array[ROWS, 0].tolist()
    drawn = source(np.repeat(ROWS, 50), np.random.default_rng(0))[0]
    assert len(set((drawn % 8).tolist())) == 8
    assert ((drawn // 8) == np.repeat(ROWS, 50)).all()


def test_an_error_in_a_thread_is_raised():
    def broken(rows, rng):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fed(Feeder(broken, 2), None)


@pytest.mark.tensorflow
def test_what_is_computed_once(tmp_path):
    from plankton_features.finetuning.precomputing import precompute

    def sums(pixels):
        import tensorflow as tf

        weights = tf.reshape(tf.range(256, dtype=tf.float32), (16, 16, 1))
        return [tf.reduce_sum(tf.cast(pixels, tf.float32) * weights, axis=(1, 2))]

    calls = {"rows": ROWS, "folder": tmp_path, "name": "it", "n_views": 8, "batch": 2}
    (found,) = precompute(sums, CANVASES, key={"a": 1}, **calls)
    assert found.shape == (7, 8, 1)
    weights = np.arange(256).reshape(16, 16)
    for view in range(8):
        expected = (turns(CANVASES[ROWS], view).astype(float) * weights).sum((1, 2))
        assert np.allclose(found[ROWS, view, 0], expected)
    (again,) = precompute(lambda _: pytest.fail("computed again"), CANVASES, key={"a": 1}, **calls)
    assert np.array_equal(found, again)
    (other,) = precompute(lambda x: [sums(x)[0] * 0], CANVASES, key={"a": 2}, **calls)
    assert not other[ROWS].any()


ANY_ROWS = st.lists(st.integers(0, 999), max_size=60).map(lambda rows: np.array(rows, np.int64))


@given(ANY_ROWS, st.integers(1, 70))
def test_nothing_is_dropped(rows, size):
    parts = list(batches(rows, size))
    assert len(parts) == -(-len(rows) // size)
    assert all(len(part) == size for part in parts[:-1])
    np.testing.assert_array_equal(np.concatenate([*parts, np.empty(0, np.int64)]), rows)


@given(ANY_ROWS, st.integers(1, 70))
def test_padding_weighs_nothing_and_repeats_the_batch(rows, size):
    plain, padded = list(batches(rows, size)), list(padded_batches(rows, size))
    for part, (filled, weights) in zip(plain, padded, strict=True):
        assert filled.shape == weights.shape == (size,)
        assert weights.dtype == np.float32
        assert filled.dtype == np.int64
        np.testing.assert_array_equal(filled[weights == 1], part)
        assert set(filled.tolist()) == set(part.tolist())
        assert weights.sum() == len(part)


@pytest.mark.parametrize("function", [batches, padded_batches])
def test_no_batch_without_rows(function):
    assert list(function(np.empty(0, np.int64), 4)) == []
    with pytest.raises(InputError, match="size: expected at least 1 row in a batch, got 0"):
        function(np.arange(3), 0)
