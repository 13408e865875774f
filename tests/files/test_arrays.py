"""Arrays that are filled on disk."""

import subprocess
import sys

import numpy as np
import pytest

from plankton_features.errors import StoreError
from plankton_features.files.arrays import ArrayFile


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float16])
def test_it_is_the_array_that_numpy_would_have_saved(tmp_path, dtype):
    rng = np.random.default_rng(0)
    expected = np.zeros((6, 2, 3, 5), dtype)
    with ArrayFile(tmp_path / "a.npy", expected.shape, dtype) as file:
        for row, view in ((3, 1), (0, 0), (5, 1), (3, 0)):
            values = rng.integers(0, 99, (3, 5))
            file.write((row, view), values)
            expected[row, view] = values
        assert np.array_equal(file.read((3,)), expected[3])
        file.rename(tmp_path / "b.npy")
        file.write((2, 1), values)
        expected[2, 1] = values
    np.save(tmp_path / "c.npy", expected)
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "c.npy").read_bytes()
    assert not (tmp_path / "a.npy").exists()


def test_a_link_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a.npy").symlink_to("victim")
    ArrayFile(tmp_path / "a.npy", (2, 2), np.uint8).close()
    assert (tmp_path / "victim").read_text() == "precious"


def test_no_room(small_disk):
    folder = small_disk("1m")
    with pytest.raises(StoreError, match=r"a\.npy: the disk is full"):
        ArrayFile(folder / "a.npy", (2_000_000,), np.uint8)
    assert not list(folder.iterdir())


FILLED = """
import os, sys
from pathlib import Path
import numpy as np
from plankton_features.errors import StoreError
from plankton_features.files import arrays
arrays.reserve = lambda file, size: file.truncate(size)  # as on a disk that reserves nothing
folder = Path(sys.argv[1])
with arrays.ArrayFile(folder / "a.npy", (30, 100_000), np.uint8) as file:
    (folder / "other").write_bytes(bytes(900_000))
    for row in range(30):
        file.write((row,), np.ones(100_000))
"""


def test_a_disk_that_fills_up_all_the_same_does_not_kill(small_disk):
    done = subprocess.run([sys.executable, "-c", FILLED, small_disk("1m")], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert "StoreError" in done.stderr
    assert "a.npy: the disk is full" in done.stderr
