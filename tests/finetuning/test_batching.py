"""Batches: nothing dropped, nothing counted twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.errors import InputError
from plankton_features.finetuning.batching import batches, padded_batches

ROWS = st.lists(st.integers(0, 999), max_size=60).map(lambda rows: np.array(rows, np.int64))


@given(ROWS, st.integers(1, 70))
def test_nothing_is_dropped(rows, size):
    parts = list(batches(rows, size))
    assert len(parts) == -(-len(rows) // size)
    assert all(len(part) == size for part in parts[:-1])
    np.testing.assert_array_equal(np.concatenate([*parts, np.empty(0, np.int64)]), rows)


@given(ROWS, st.integers(1, 70))
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
