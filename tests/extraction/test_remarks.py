"""Odd pictures that are used all the same: counted in dry runs, files and training."""

import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from plankton_features import build_catalog, extract, read_features
from plankton_features.extraction import survey
from plankton_features.extraction.remarks import Remarks, remarks_of, remarks_on
from plankton_features.finetuning.canvases import gather
from plankton_features.images import Framing
from plankton_features.store import merge_files

EXPECTED = Remarks({1.0: 1, 4095.0: 3, 65535.0: 2}, flat=2, several_pages=2)


@pytest.fixture
def odd(tmp_path):
    """Ten pictures: of 12 and 16 bits, floating point and 8 bits; two flat, two of two pages."""
    root = tmp_path / "imgs"
    root.mkdir()
    rng = np.random.default_rng(0)
    twelve = [rng.integers(0, 4096, (20, 20)).astype(np.uint16) for _ in range(3)]
    deep = [rng.integers(0, 65536, (20, 20)).astype(np.uint16) for _ in range(2)]
    flat = np.full((20, 20), 90, np.uint8)
    flat[0] = 106
    contrasty = flat + np.eye(20, dtype=np.uint8) * 60
    for name, pixels in {
            "12a": twelve[0], "12b": twelve[1], "16a": deep[0], "16b": deep[1],
            "unit": rng.random((20, 20)).astype(np.float32), "8": contrasty, "flat": flat,
            "flat2": flat + 1}.items():
        tifffile.imwrite(root / f"{name}.tif", pixels)
    tifffile.imwrite(root / "pages.tif", np.stack([twelve[2]] * 2), photometric="minisblack")
    frames = [Image.fromarray(contrasty + np.uint8(i)) for i in range(2)]
    frames[0].save(root / "frames.gif", save_all=True, append_images=frames[1:])
    return build_catalog(root)


def test_they_are_counted_everywhere_alike(odd, pixels, tmp_path):
    recipe, engine = pixels()
    assert survey(odd, recipe, engine).remarks == EXPECTED
    extract(odd, recipe, engine, tmp_path / "out.h5")
    file = read_features(tmp_path / "out.h5")
    assert len(file) == 10
    assert remarks_on(file) == remarks_of(file.images) == EXPECTED
    assert remarks_of(gather(odd, Framing(16), tmp_path).images) == EXPECTED
    assert EXPECTED.mixed


def test_a_run_that_was_broken_off_and_merged_files_count_alike(odd, pixels, tmp_path):
    recipe, engine = pixels()
    root = odd.root
    (tmp_path / "other").mkdir()
    for name in ("12a.tif", "pages.tif", "flat.tif"):
        shutil.move(root / name, tmp_path / "other" / f"moved_{name}")
    for part, folder in (("a", root), ("b", tmp_path / "other")):
        extract(build_catalog(folder), recipe, engine, tmp_path / f"{part}.h5")
    merge_files([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "all.h5")
    assert remarks_on(read_features(tmp_path / "all.h5")) == EXPECTED

    class Stop(Exception):
        pass

    def stop(progress):
        raise Stop

    catalog = build_catalog(root)
    with pytest.raises(Stop):
        extract(catalog, recipe, engine, tmp_path / "c.h5", progress=stop)
    extract(catalog, recipe, engine, tmp_path / "c.h5")
    assert remarks_on(read_features(tmp_path / "c.h5")) == remarks_on(
        read_features(tmp_path / "a.h5"))


def test_one_depth_is_one_scale(odd, pixels, tmp_path):
    recipe, engine = pixels(depth="16")
    found = survey(odd, recipe, engine)
    assert found.remarks.full_scales == {65535.0: 6}
    assert not found.remarks.mixed
    assert found.remarks.flat == 2 + 3 + 1  # 12 bits on a scale of 16, and 0..1
    extract(odd, recipe, engine, tmp_path / "out.h5")
    assert read_features(tmp_path / "out.h5").recipe["depth"] == "16"


def test_what_is_not_known_is_not_odd():
    table = pd.DataFrame({"full_scale": [0.0], "contrast": [-1], "several_pages": [0]})
    assert remarks_of(table) == Remarks()


@pytest.mark.parametrize(("contrast", "flat"), [(0, 1), (16, 1), (17, 0)])
def test_12_bits_on_a_scale_of_16_are_nearly_constant(contrast, flat):
    assert round(4095 * 255 / 65535) == 16
    table = pd.DataFrame({"full_scale": [0.0], "contrast": [contrast], "several_pages": [0]})
    assert remarks_of(table).flat == flat
