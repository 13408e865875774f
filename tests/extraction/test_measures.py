"""Size and shape as columns of the feature file, through copies, failures, kills and updates."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features import build_catalog, merge_files, open_session, read_features
from plankton_features.embedding import EngineOptions
from plankton_features.errors import InputError, MismatchError
from plankton_features.extraction import is_finished
from plankton_features.morphometry import column_units, measure

NAMES = ["a/disc.png", "a/empty.png", "a/copy.png", "b/broken.png", "b/bar.png", "b/large.png"]


def disc(radius, bar=False):
    y, x = np.ogrid[:60, :60]
    pixels = np.where((y - 28) ** 2 + (x - 30) ** 2 <= radius**2, 80, 240).astype(np.uint8)
    if bar:
        pixels[52:58, 5:55] = 0
    return pixels


@pytest.fixture
def imgs(tmp_path):
    pictures = dict(zip(NAMES, [disc(9), disc(-1), disc(9), None, disc(5, bar=True), disc(15)],
                        strict=True))
    pictures["a/empty.png"] = np.full((60, 60), 240, np.uint8)
    for name, pixels in pictures.items():
        path = tmp_path / "imgs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            path.write_bytes(b"no picture")
        else:
            Image.fromarray(pixels).save(path)
    return tmp_path / "imgs"


@pytest.fixture
def catalog(imgs):
    """A catalog in the order of the names, with these columns: name [unit] -> cells."""

    def make(**columns):
        pd.DataFrame({"path": NAMES, **columns}, dtype=object).to_csv(imgs / "t.csv", index=False)
        return build_catalog(imgs / "t.csv")

    return make


def extract(path, catalog, morphometry=None, recipe=None, **how):
    session = open_session(path, backbone="pixels", canvas=32, options=EngineOptions(batch=2),
                           morphometry=morphometry, **(recipe or {}))
    return session.extract(catalog, path, **how)


def test_each_row_has_the_measures_of_its_picture(catalog, tmp_path):
    table = catalog(depth=range(6))
    extract(tmp_path / "out.h5", table, "feret")
    file = read_features(tmp_path / "out.h5")
    units = column_units(sized=False, feret=True)
    assert list(file.extra_columns) == ["depth", *units]
    assert file.units == {name: unit for name, unit in units.items() if unit}
    rows = file.images.set_index("path")
    for name in ("a/disc.png", "a/empty.png", "b/bar.png", "b/large.png"):
        expected = measure(table.read(NAMES.index(name)), feret=True)
        found = rows.loc[[name], list(units)].to_numpy(np.float64, na_value=np.nan)[0]
        assert found == pytest.approx([expected[unit] for unit in units], nan_ok=True)
    assert rows.loc["a/disc.png", "area_px"] == pytest.approx(np.pi * 81, rel=0.03)
    assert rows.loc["a/empty.png", "n_objects"] == 0
    assert pd.isna(rows.loc["a/empty.png", "esd_px"])
    assert file.failures["esd_px"].isna().all()
    assert file.duplicates["depth"].tolist() == [2]


def test_sizes_in_micrometres_where_the_table_has_them(catalog, tmp_path):
    for unit, factor in (("µm", 1), ("mm", 0.001)):
        small, large = 10 * factor, 20 * factor
        sizes = {f"pixel_size [{unit}]": [small, small, small, "", "", large]}
        path = tmp_path / f"{unit}.h5"
        extract(path, catalog(**sizes), "plain")
        rows = read_features(path).images.set_index("path")
        assert rows.loc["a/disc.png", "esd_um"] == pytest.approx(
            10 * rows.loc["a/disc.png", "esd_px"])
        assert rows.loc["b/large.png", "area_mm2"] == pytest.approx(
            4e-4 * rows.loc["b/large.png", "area_px"])
        assert pd.isna(rows.loc["b/bar.png", "esd_um"])
        assert rows.loc["b/bar.png", "esd_px"] > 0


@pytest.mark.parametrize(("column", "cell", "words"), [
    ("pixel_size", 10, "expected numbers in µm or mm, with the unit"),
    ("pixel_size [m]", 10, "expected numbers in µm or mm, with the unit"),
    ("pixel_size [µm]", "ten", "expected numbers in µm or mm"),
    ("pixel_size [µm]", -1, "above 0, got -1 for a/disc.png"),
    ("esd_px", 1, "columns of the same names already: esd_px"),
])
def test_columns_that_do_not_fit_are_refused_before_anything_is_written(
        catalog, tmp_path, column, cell, words):
    with pytest.raises(InputError, match=words):
        extract(tmp_path / "out.h5", catalog(**{column: [cell] * 6}), "plain")
    assert [path.name for path in tmp_path.iterdir()] == ["imgs"]
    extract(tmp_path / "out.h5", catalog(**{column: [cell] * 6}))


def test_an_unknown_kind_is_refused(catalog, tmp_path):
    with pytest.raises(InputError, match="expected 'plain', 'feret' or '' for none, got 'all'"):
        extract(tmp_path / "out.h5", catalog(), "all")


def test_ground_and_cut_are_those_of_the_recipe(catalog, tmp_path):
    for number, recipe in enumerate(({}, {"crop_bottom": 10}, {"background": "black"})):
        extract(tmp_path / f"{number}.h5", catalog(), "plain", recipe)
    plain, cut, black = (read_features(tmp_path / f"{i}.h5").images.set_index("path")["area_px"]
                         for i in range(3))
    assert plain["b/bar.png"] == 300
    assert cut["b/bar.png"] == pytest.approx(np.pi * 25, rel=0.05)
    assert black["a/empty.png"] == 3600


def test_what_a_file_measures_goes_on(catalog, tmp_path):
    path, table = tmp_path / "out.h5", catalog()
    extract(path, table)
    vectors = read_features(path).X
    assert is_finished(path, table)
    with pytest.raises(MismatchError, match=r"found none, asked for plain\n.*--update"):
        is_finished(path, table, morphometry="plain")
    assert extract(path, table, "plain", update=True).reused == 4
    assert is_finished(path, table, morphometry="plain")
    extract(path, catalog(depth=range(6)), update=True)  # measured again without being asked
    file = read_features(path)
    assert (vectors == file.X).all()
    assert list(file.extra_columns) == ["depth", *column_units(sized=False)]
    assert file.images["area_px"].notna().sum() == 3
    assert file.attributes["morphometry"] == "plain"
    extract(path, table, "", update=True)
    assert read_features(path).extra_columns == {}
    assert "morphometry" not in read_features(path).attributes


def test_a_run_broken_off_goes_on(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 1)  # blocks of one batch
    path, table = tmp_path / "out.h5", catalog()
    extract(tmp_path / "whole.h5", table, "feret")

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(path, table, "feret", progress=stop)
    with pytest.raises(MismatchError, match="morphometry: found feret, asked for plain"):
        extract(path, table, "plain")
    assert extract(path, table).resumed
    pd.testing.assert_frame_equal(read_features(path).images,
                                  read_features(tmp_path / "whole.h5").images)


def test_merged_files_keep_their_measures(imgs, tmp_path):
    for name in "ab":
        extract(tmp_path / f"{name}.h5", build_catalog(imgs / name), "plain")
    merge_files([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "both.h5")
    file = read_features(tmp_path / "both.h5")
    assert list(file.extra_columns) == list(column_units(sized=False))
    assert file.units["area_px"] == "px²"
    assert sorted(file.images["n_objects"]) == [0, 1, 1, 2]
