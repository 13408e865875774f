import subprocess
import sys

import h5py
import pytest

#: Long vectors, so that blocks are small.
OPTIONS = ["--backbone", "pixels", "--canvas", "32", "--views", "none", "--batch", "8",
           "--pooling", "avg,spp", "--spp-levels", "4,8", "--quiet"]


@pytest.fixture(scope="module")
def images(make_vignettes, tmp_path_factory):
    return make_vignettes(tmp_path_factory.mktemp("many"), 400)


def run(images, output):
    command = [sys.executable, "-m", "plankton_features", "extract", images, output]
    return subprocess.run([*command, *OPTIONS], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("size", "begun"), [("100k", False), ("4m", True)])
def test_one_line_then_it_goes_on(images, small_disk, tmp_path, dump, size, begun):
    folder = small_disk(size)
    for _ in range(2):  # still full
        failed = run(images, folder / "out.h5")
        assert failed.returncode == 1
        assert failed.stderr.startswith(f"error: {folder}/out.h5.partial: the disk is full. ")
        assert failed.stderr.count("\n") == 1
    small_disk("50m", folder)
    assert n_valid(folder / "out.h5.partial") > 0 or not begun
    assert run(images, folder / "out.h5").returncode == 0
    assert run(images, tmp_path / "good.h5").returncode == 0
    assert dump(folder / "out.h5") == dump(tmp_path / "good.h5")


def n_valid(partial):
    with h5py.File(partial) as file:
        return file.attrs["n_valid"]
