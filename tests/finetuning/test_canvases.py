"""Reading every image once."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from plankton_features import build_catalog, extract, read_features
from plankton_features.errors import InputError, StoreError
from plankton_features.finetuning.canvases import digest_of_pictures, gather
from plankton_features.images import Framing
from plankton_features.images.preparing import Preparer


def test_rows_are_those_of_a_feature_file(catalog, tmp_path):
    """The same images in the same order: failures and duplicates have no row."""
    found = gather(catalog, Framing(16), tmp_path)
    whole = list(Preparer(catalog, Framing(16)).iterate(range(len(catalog))))
    good = [image for image in whole if image.canvas is not None]
    first = {image.sha256: image for image in reversed(good)}
    kept = sorted(first.values(), key=lambda image: image.position)
    assert found.images["path"].tolist() == [catalog.path[image.position] for image in kept]
    assert all(np.array_equal(a, b.canvas) for a, b in zip(found.canvases, kept, strict=True))
    assert len(found.failures) == len(whole) - len(good) > 0
    assert found.duplicates == len(good) - len(kept) > 0
    assert found.canvases.shape == (len(kept), 16, 16)


def test_conflicts_are_those_of_a_feature_file(tmp_path, pixels, make_vignettes):
    make_vignettes(tmp_path / "imgs", 60)
    catalog = build_catalog(tmp_path / "imgs")
    extract(catalog, *pixels(), tmp_path / "out.h5")
    expected = read_features(tmp_path / "out.h5").label_conflicts()
    for _ in range(2):  # read, and taken over
        found = gather(catalog, Framing(16), tmp_path).conflicts
        assert len(found) > 0
        assert found.to_dict("list") == expected.to_dict("list")


def test_a_second_run_reads_no_image(catalog, tmp_path, monkeypatch):
    first = gather(catalog, Framing(16), tmp_path)
    monkeypatch.setattr(Preparer, "iterate", lambda *_: pytest.fail("read again"))
    again = gather(catalog, Framing(16), tmp_path)
    assert np.array_equal(first.canvases, again.canvases)
    assert first.images.equals(again.images)


def test_other_pictures_of_the_same_names_and_sizes_are_framed(tmp_path):
    """Of another folder, or put in the place of those before."""
    for station in (1, 2):
        (tmp_path / str(station)).mkdir()
        for i in range(3):
            write_grey(tmp_path / str(station) / f"{i}.bmp", 10 * station + i)
    found = [gathered(tmp_path, station) for station in (1, 2, 1)]
    write_grey(tmp_path / "1" / "2.bmp", 99)
    found.append(gathered(tmp_path, 1))
    assert [f.canvases[:, 0, 0].tolist() for f in found] == [
        [10, 11, 12], [20, 21, 22], [10, 11, 12], [10, 11, 99]]
    digests = [f.images["sha256"].tolist() for f in found]
    assert digests[0] == digests[2] != digests[1]


def write_grey(path, grey):
    Image.fromarray(np.full((8, 8), grey, np.uint8)).save(path)


def gathered(root, station):
    """Framed in one folder for all; pixels in memory, for the file is overwritten."""
    found = gather(build_catalog(root / str(station)), Framing(8), root)
    return replace(found, canvases=np.array(found.canvases))


def test_the_digest_of_pictures_is_that_of_their_contents(catalog, tmp_path):
    assert digest_of_pictures(tmp_path) is None
    gather(catalog, Framing(16), tmp_path)
    first = digest_of_pictures(tmp_path)
    gather(catalog, Framing(8), tmp_path)
    assert digest_of_pictures(tmp_path) == first
    gather(catalog.subset(range(20)), Framing(8), tmp_path)
    assert digest_of_pictures(tmp_path) != first


def test_another_framing_reads_again(catalog, tmp_path):
    assert gather(catalog, Framing(16), tmp_path).canvases.shape[1] == 16
    assert gather(catalog, Framing(24), tmp_path).canvases.shape[1] == 24


def test_colour_after_grey_makes_all_of_it_colour(tmp_path):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (8, 8, *more), np.uint8) for more in ((), (), (3,), ())]
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / "in" / f"{i}.png")
    found = gather(build_catalog(tmp_path / "in"), Framing(8), tmp_path)
    assert found.canvases.shape == (4, 8, 8, 3)
    for canvas, pixels in zip(found.canvases, pictures, strict=True):
        wide = pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, 2)
        assert np.array_equal(canvas, wide)


def test_no_image_that_can_be_used(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match="none of 1 images can be used"):
        gather(build_catalog(tmp_path / "in"), Framing(8), tmp_path)


def test_a_disk_that_is_too_small_is_told_before_reading(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9))
    with pytest.raises(StoreError, match=r"canvases of 16 px need up to 0.0 GB"):
        gather(catalog, Framing(16), tmp_path)


FILLING = """
import shutil, sys
from pathlib import Path
from plankton_features import build_catalog, extract, read_features
from plankton_features.finetuning.canvases import gather
from plankton_features.images import Framing
folder = Path(sys.argv[2])

def fill(progress):
    if progress.done == 1:
        free = shutil.disk_usage(folder).free
        (folder / "other").write_bytes(bytes(max(0, free - 8192)))

print(len(gather(build_catalog(sys.argv[1]), Framing(128), folder, progress=fill).canvases))
"""


@pytest.mark.parametrize("colour", [False, True])
def test_a_disk_that_fills_up_meanwhile_ends_nothing(tmp_path, small_disk, colour):
    """Room for grey canvases is kept from the start; for colour an error says that it is gone."""
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for i in range(20):
        shape = (100, 100, 3) if colour and i == 9 else (100, 100)
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(tmp_path / "in" / f"{i}.png")
    done = subprocess.run([sys.executable, "-c", FILLING, tmp_path / "in", small_disk("2m")],
                          capture_output=True, text=True, check=False)
    if colour:
        assert done.returncode == 1
        assert "StoreError" in done.stderr
        assert "canvases.colour.npy: the disk is full. Free some space" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, "20\n"), done.stderr


def test_the_depth_is_that_of_the_recipe(tmp_path):
    """Light and dark pictures of a 12-bit camera are on one scale, and another depth reads anew."""
    (tmp_path / "imgs").mkdir()
    for most in (200, 4095):
        pixels = np.full((8, 8), most, np.uint16)
        Image.fromarray(pixels).save(tmp_path / "imgs" / f"{most}.png")
    catalog = build_catalog(tmp_path / "imgs")
    greys = {depth: gather(catalog, Framing(8, depth=depth), tmp_path).canvases[:, 0, 0].tolist()
             for depth in ("12", "auto", "16")}
    assert greys == {"12": [12, 255], "auto": [200, 255], "16": [1, 16]}
