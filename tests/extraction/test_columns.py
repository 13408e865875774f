"""Extra columns from a table to the feature file, through updates and merges."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plankton_features import build_catalog, merge_files, open_session, read_features
from plankton_features.embedding import EngineOptions
from plankton_features.errors import MismatchError

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from make_format_1_extracted import pictures

DATA = Path(__file__).parents[1] / "data"
NAMES = ["a/0.bmp", "a/1.bmp", "b/broken.bmp", "b/2.bmp", "b/copy.bmp", "b/3.bmp", "b/4.bmp"]


@pytest.fixture
def imgs(tmp_path):
    return pictures(tmp_path / "imgs").parent


@pytest.fixture
def catalog(imgs):
    """A catalog of the pictures with these columns: name [unit] -> cells."""

    def make(**columns):
        table = pd.DataFrame({"path": NAMES, **columns}, dtype=object)
        table.to_csv(imgs / "columns.csv", index=False)
        return build_catalog(imgs / "columns.csv")

    return make


def extract(path, catalog, **how):
    session = open_session(path, backbone="pixels", canvas=32, options=EngineOptions(batch=2))
    return session.extract(catalog, path, **how)


def columns_of(file):
    """Everything that the file has of each path, by its path."""
    tables = [table[["path", *file.extra_columns]]
              for table in (file.images, file.failures, file.duplicates)]
    return {row[0]: row[1:] for table in tables
            for row in table.astype(object).itertuples(index=False)}


def test_every_row_keeps_its_own(catalog, tmp_path):
    """Also failures and copies, whose columns differ from those of the first."""
    table = catalog(**{"depth [m]": [0.5, 1, 2, "", 4, "NaN", 6], "n": range(7),
                       "note": ["007", "", "é", "x", "y", "z", ""]})
    extract(tmp_path / "out.h5", table)
    file = read_features(tmp_path / "out.h5")
    assert file.units == {"depth": "m"}
    assert file.extra_columns == {"depth": "float64", "n": "int64", "note": "text"}
    found = columns_of(file)
    assert list(found) == [NAMES[i] for i in (0, 1, 3, 5, 6, 2, 4)]
    assert found["b/copy.bmp"] == (4.0, 4, "y")
    assert found["a/1.bmp"] == (1.0, 1, pd.NA)
    assert found["b/broken.bmp"] == (2.0, 2, "é")
    assert found["b/2.bmp"] == (pd.NA, 3, "x")
    assert np.isnan(found["b/3.bmp"][0])


def test_a_changed_cell_is_taken_over_without_the_network(catalog, tmp_path):
    path = tmp_path / "out.h5"
    extract(path, catalog(depth=[1, 2, 3, 4, 5, 6, 7]))
    before = read_features(path).X
    changed = catalog(depth=[1, 2, 3, 4, 5, 6, 7.5], ship=["a"] * 7)
    with pytest.raises(MismatchError, match=r"\n  columns: found other values, asked for as now\n"):
        extract_same(path, changed)
    report = extract(path, changed, update=True)
    assert (report.reused, report.written) == (5, 5)
    file = read_features(path)
    assert (before == file.X).all()
    assert columns_of(file)["b/4.bmp"] == (7.5, "a")
    assert columns_of(file)["b/copy.bmp"] == (5.0, "a")
    extract(path, catalog(), update=True)
    assert read_features(path).extra_columns == {}


def extract_same(path, catalog):
    """As the command does: nothing to do if the file is of this catalog."""
    from plankton_features.extraction import is_finished

    assert not is_finished(path, catalog)


def test_a_finished_file_is_known_by_its_columns(catalog, tmp_path):
    from plankton_features.extraction import is_finished

    path = tmp_path / "out.h5"
    extract(path, catalog(depth=range(7)))
    assert is_finished(path, catalog(depth=range(7)))
    for other in (catalog(), catalog(deep=range(7)), catalog(**{"depth [m]": range(7)})):
        with pytest.raises(MismatchError, match="columns: found other values"):
            is_finished(path, other)


def test_a_run_broken_off_goes_on(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 1)  # blocks of one batch
    path, table = tmp_path / "out.h5", catalog(depth=range(7), note=list("abcdefg"))
    extract(tmp_path / "whole.h5", table)

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(path, table, progress=stop)
    with pytest.raises(MismatchError, match="columns: found other values"):
        extract(path, catalog(depth=range(1, 8), note=list("abcdefg")))
    assert extract(path, catalog(depth=range(7), note=list("abcdefg"))).resumed == 6
    assert columns_of(read_features(path)) == columns_of(read_features(tmp_path / "whole.h5"))


def test_files_of_format_1_get_the_columns_of_their_table(imgs, tmp_path):
    """That version did not read them: refused in words, and added by an update."""
    table = build_catalog(imgs / "table.csv")
    assert table.columns["depth"].tolist() == [5, 7.5, 9, pd.NA, 11, 1, 2]
    for name, end in (("finished", ""), ("begun", ".partial")):
        path = tmp_path / f"{name}.h5"
        Path(f"{path}{end}").write_bytes((DATA / f"format-1-{name}.h5").read_bytes())
        with pytest.raises(MismatchError, match=r"columns: found none, asked .*\n.*--update"):
            extract_same(path, table) if name == "finished" else extract(path, table)
        report = extract(path, table, update=True)
        assert report.reused == (5 if name == "finished" else 4)
        file = read_features(path)
        assert file.attributes["format_version"] == 2
        assert columns_of(file)["b/copy.bmp"] == (11.0,)
        assert columns_of(file)["b/2.bmp"] == (pd.NA,)


@pytest.fixture
def made(imgs, tmp_path):
    """A file of some of the pictures, with columns: name, positions, columns, units -> path."""

    def make(name, positions, columns, units=None):
        frame = pd.DataFrame({"path": [NAMES[i] for i in positions], **columns})
        path = tmp_path / f"{name}.h5"
        extract(path, build_catalog(frame, root=imgs, units=units))
        return path

    return make


def test_merged_files_have_the_columns_of_all(made, tmp_path):
    a = made("a", [0, 2], {"depth": [1, 2], "ship": ["x", "y"]}, {"depth": "m"})
    b = made("b", [4, 3], {"depth": [0.5, None], "n": [2**53 + 1, 5]}, {"depth": "m"})
    plain = made("c", [5], {})
    file = merge_files([a, b, plain, DATA / "format-1-finished.h5"], tmp_path / "all.h5",
                       prefix=True)
    assert file.extra_columns == {"depth": "float64", "ship": "text", "n": "int64"}
    assert file.units == {"depth": "m"}
    found = columns_of(file)
    assert found["a/a/0.bmp"] == (1.0, "x", pd.NA)
    assert found["a/b/broken.bmp"] == (2.0, "y", pd.NA)
    assert found["b/b/copy.bmp"] == (0.5, pd.NA, 2**53 + 1)
    assert found["b/b/2.bmp"] == (pd.NA, pd.NA, 5)
    assert found["c/b/3.bmp"] == (pd.NA,) * 3
    assert found["format-1-finished/b/2.bmp"] == (pd.NA,) * 3  # a duplicate now
    assert len(found) == 5 + 7


def test_a_picture_of_two_files_keeps_both_rows(made, tmp_path):
    a, b = made("a", [1], {"depth": [1.5]}), made("b", [4], {"depth": [2.5]})
    file = merge_files([a, b], tmp_path / "all.h5")
    assert file.images["depth"].tolist() == [1.5]
    assert file.duplicates["depth"].tolist() == [2.5]


def test_a_column_without_values_takes_the_type_of_the_others(made, tmp_path):
    a, b = made("a", [0], {"depth": ["x"]}), made("b", [3], {"depth": [None]}, {"depth": "m"})
    assert merge_files([b, a], tmp_path / "all.h5").extra_columns == {"depth": "text"}


def test_nan_stays_nan_beside_a_column_without_values(made, tmp_path):
    numbers = pd.arrays.FloatingArray(np.array([np.nan, 0]), np.array([False, True]))
    a, b = made("a", [0], {"depth": [None]}), made("b", [3, 5], {"depth": numbers})
    found = merge_files([a, b], tmp_path / "all.h5").images["depth"]
    assert found.isna().tolist() == [True, False, True]
    assert np.isnan(found.array[1])


@pytest.mark.parametrize(("one", "other", "units", "said"), [
    ([1], ["n/a"], ({}, {}), "'depth': int64 in .*a.h5, text in .*b.h5. Columns of one name"),
    ([1], [2], ({"depth": "m"}, {}), "int64 in m in .*a.h5, int64 in .*b.h5"),
    ([1], [2], ({"depth": "m"}, {"depth": "km"}), "int64 in m in .*a.h5, int64 in km in "),
    ([2**53 + 1], [0.5], ({}, {}), "int64 in .*a.h5, float64 in .*b.h5")])
def test_columns_that_differ_are_refused(made, tmp_path, one, other, units, said):
    a, b = made("a", [0], {"depth": one}, units[0]), made("b", [3], {"depth": other}, units[1])
    with pytest.raises(MismatchError, match=said):
        merge_files([a, b], tmp_path / "all.h5")
    assert not (tmp_path / "all.h5").exists()


LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp"))
CELLS = st.lists(st.text(LETTERS) | st.sampled_from(
    ["", "007", "1", "1.5", "NaN", "-3", "1e3", "3,5"]), min_size=7, max_size=7)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS, min_size=1, max_size=4))
def test_any_cells_come_back(catalog, tmp_path, columns):
    table = catalog(**{f"column {i}": cells for i, cells in enumerate(columns)})
    extract(tmp_path / "out.h5", table, overwrite=True)
    found = columns_of(read_features(tmp_path / "out.h5"))
    for i, name in enumerate(NAMES):
        for cells, value in zip(columns, found[name], strict=True):
            if value is pd.NA or isinstance(value, str):
                assert cells[i] == ("" if value is pd.NA else value)
            else:
                assert float(cells[i]) == value or (value != value and cells[i].lower() == "nan")
