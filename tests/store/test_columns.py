"""Extra columns of a feature file: any name, each type, nothing lost."""

import struct

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plankton_features import read_features
from plankton_features.errors import InputError, MismatchError, StoreError
from plankton_features.store import Block, FeatureStore, Plan

ODD = ["depth", "Depth", "DEPTH", "a/b", "/", "//x", ".", "..", "%", "%2F", "100%25", " ", "  x ",
       "vectors", "features", "columns", "images/path", "Path", "глубина", "é", "e\u0301", "線",
       "two\nlines", "tab\there", "x" * 255, "NA", "0", "name [m]", "\x7f", "🦐", "\x1a"]


def write(path, columns, values, *, n=None, again=None, overwrite=True, **plan):
    """A file with these extra columns: name -> type, name -> values."""
    n = n if n is not None else len(next(iter(values.values())))
    with FeatureStore(path, Plan(n, 1, columns=columns, **plan), {"recipe": "{}"},
                      notes={"feature_blocks": '[["x", 1]]'}, overwrite=overwrite) as store:
        positions = list(range(n))
        store.append(Block(np.zeros((n, 1), np.float32),
                           {"position": positions, "sha256": [f"{p:064x}" for p in positions],
                            **values},
                           duplicates={} if again is None else
                           {"position": [n], "row": [0], **again}))
        store.finish()
    return read_features(path)


def test_what_conftest_writes_is_read(written):
    file = read_features(written())
    assert file.extra_columns == {"глубина/depth": "float64", "n": "int64", "note": "text"}
    assert list(file.extra_columns) == list(file.images)[11:]
    assert file.units == {"глубина/depth": "m"}
    for table in (file.images, file.failures, file.duplicates):
        for p, depth, n, note in zip(table["position"], table["глубина/depth"].array,
                                     table["n"].array, table["note"].array, strict=True):
            assert depth is pd.NA if p % 4 == 1 else (
                np.isnan(depth) if p % 4 == 2 else depth == p / 3)
            assert n is pd.NA if p % 5 == 0 else n == 2**53 + p
            assert note is pd.NA if p % 3 == 2 else note == ("" if p % 3 else f"ж{p % 10}")
    assert len(file.failures) == len(file.duplicates) == 8
    assert [str(kind) for kind in file.duplicates.dtypes.iloc[-3:]] == [
        "Float64", "Int64", "string"]


def test_how_missing_values_stand_in_the_file(tmp_path):
    """Written out by hand: R's mark, the least whole number, and one letter more for empty text."""
    columns = {"f": "float64", "i": "int64", "t": "text"}
    values = {"f": pd.arrays.FloatingArray(np.array([1.5, np.nan, 0]), np.array([0, 0, 1], bool)),
              "i": [-(2**63) + 1, 2**63 - 1, None], "t": ["", "\x1a", None]}
    file = write(tmp_path / "x.h5", columns, values, text_bytes={"t": 9})
    with h5py.File(file.path) as raw:
        bits = [struct.unpack("<II", value.tobytes()) for value in raw["columns/images/f"][:]]
        assert bits[0] == struct.unpack("<II", struct.pack("<d", 1.5))
        assert bits[1] == (0, 0x7FF80000)
        assert bits[2] == (1954, 0x7FF80000)
        assert raw["columns/images/i"][:].tolist() == [-(2**63) + 1, 2**63 - 1, -(2**63)]
        assert raw["columns/images/t"][:].tolist() == [b"\x1a", b"\x1a\x1a", b""]
    assert file.images["t"].tolist() == ["", "\x1a", pd.NA]
    assert file.images["f"].isna().tolist() == [False, False, True]
    assert np.isnan(file.images["f"].array[1])


def test_any_name_is_kept_and_makes_no_group(tmp_path):
    columns = dict.fromkeys(ODD, "int64")
    file = write(tmp_path / "x.h5", columns, {name: [k] for k, name in enumerate(ODD)},
                 units={name: f"unit {k}" for k, name in enumerate(ODD)})
    assert list(file.extra_columns) == ODD
    assert [file.images[name][0] for name in ODD] == list(range(len(ODD)))
    assert file.units == {name: f"unit {k}" for k, name in enumerate(ODD)}
    with h5py.File(file.path) as raw:
        assert all(isinstance(item, h5py.Dataset) for item in raw["columns/images"].values())
        assert len(raw["columns/images"]) == len(ODD)
        assert {"depth", "глубина", "a%2Fb", "%2E", "100%2525"} <= set(raw["columns/images"])


def test_hundreds_of_columns_keep_their_order(tmp_path):
    names = [f"c{k * 37 % 640}" for k in range(640)]
    file = write(tmp_path / "x.h5", dict.fromkeys(names, "float64"),
                 {name: [k / 7] for k, name in enumerate(names)})
    assert list(file.images)[11:] == names
    assert file.images[names].iloc[0].tolist() == [k / 7 for k in range(640)]


@pytest.mark.parametrize(("name", "said"), [
    ("path", "a name that the feature file has for itself"), ("width", "for itself"),
    ("row", "for itself"), ("reason", "for itself"), ("", "1 to 255 letters"),
    ("x" * 256, "1 to 255 letters"), ("a\0b", "zero bytes"), ("\udcff", "is no text")])
def test_names_that_no_column_can_have(name, said):
    with pytest.raises(InputError, match=said):
        Plan(1, 1, columns={name: "text"})


@pytest.mark.parametrize(("plan", "said"), [
    ({"columns": {"a": "bool"}}, "expected one of the types text, int64, float64, got 'bool'"),
    ({"columns": {str(k): "text" for k in range(4097)}}, "up to 4,096 extra columns, got 4,097"),
    ({"units": {"a": "m"}}, "units: there is no extra column 'a'"),
    ({"columns": {"a": "text"}, "units": {"a": "m" * 256}}, "expected a unit in at most 255"),
    ({"columns": {"a": "text"}, "units": {"a": 5}}, "such as 'm'; got '5'")])
def test_plans_that_cannot_be(plan, said):
    with pytest.raises(InputError, match=said):
        Plan(1, 1, **plan)


@pytest.mark.parametrize(("kind", "values", "said"), [
    ("int64", [1.5], "expected values of type int64"), ("int64", ["x"], "of type int64"),
    ("int64", [2**63], "of type int64"), ("int64", [-(2**63)], "cannot be kept"),
    ("float64", ["3,5"], "of type float64"), ("text", ["a\0"], "a zero byte"),
    ("text", ["12345"], "takes 5 bytes, there is room for 4"), ("text", [7], "of type text")])
def test_values_that_cannot_be_kept_are_refused_and_nothing_is_written(tmp_path, kind, values,
                                                                       said):
    plan = Plan(2, 1, columns={"c": kind}, text_bytes={"c": 4})
    vectors = np.zeros((1, 1), np.float32)
    with FeatureStore(tmp_path / "x.h5", plan, {}) as store:
        with pytest.raises(InputError, match=said):
            store.append(Block(vectors, {"position": [0], "c": values}))
        assert store.n_valid == 0
        store.append(Block(vectors, {"position": [0]}))  # it can go on
        assert store.n_done == 1


def test_what_a_block_does_not_have_is_missing(tmp_path):
    columns = {"f": "float64", "i": "int64", "t": "text"}
    file = write(tmp_path / "x.h5", columns, {"i": [1, 2]}, again={"t": ["b"]},
                 text_bytes={"t": 1})
    assert file.images[["f", "t"]].isna().all(axis=None)
    assert file.images["i"].tolist() == [1, 2]
    assert file.duplicates[["f", "i", "t"]].iloc[0].tolist() == [pd.NA, pd.NA, "b"]


TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | \
    st.sampled_from(["", "\x1a", "\x1a\x1a", "NA", "nan"])
WHOLE = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
REAL = st.none() | st.floats()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, WHOLE, REAL), min_size=1, max_size=9))
def test_any_value_survives(tmp_path, rows):
    text, whole, real = zip(*rows, strict=True)
    numbers = pd.arrays.FloatingArray(np.array([0.0 if v is None else v for v in real]),
                                      np.array([v is None for v in real]))
    file = write(tmp_path / "x.h5", {"t": "text", "i": "int64", "f": "float64"},
                 {"t": text, "i": whole, "f": numbers}, text_bytes={"t": 40})
    for name, wanted in (("t", text), ("i", whole), ("f", real)):
        found = [None if value is pd.NA else type(one)(value)
                 for value, one in zip(file.images[name].array, wanted, strict=True)]
        assert repr(found) == repr(list(wanted))  # so that -0.0 and NaN are what they were


def test_numpys_nan_is_missing(tmp_path):
    values = {"a": np.array([1, np.nan]), "b": [1.0, None], "c": pd.Series([1, np.nan])}
    file = write(tmp_path / "x.h5", dict.fromkeys(values, "float64"), values)
    assert file.images[["a", "b", "c"]].isna().to_numpy().tolist() == [[False] * 3, [True] * 3]


@pytest.mark.parametrize(("columns", "units", "said"), [
    ({}, {}, "column глубина/depth: found float64 in m, asked for none"),
    ({"глубина/depth": "float64", "n": "text", "note": "text"}, {"глубина/depth": "m"},
     "column n: found int64, asked for text"),
    ({"глубина/depth": "float64", "n": "int64", "note": "text"}, {"глубина/depth": "km"},
     "column глубина/depth: found float64 in m, asked for float64 in km"),
    ({"глубина/depth": "float64", "n": "int64", "note": "text", "new": "text"},
     {"глубина/depth": "m"}, "column new: found none, asked for text")])
def test_an_unfinished_file_of_other_columns_is_refused(opened, block, plan, columns, units, said):
    with opened() as store:
        store.append(block(0, 5))
    header = {"recipe": '{"backbone":"pixels"}'}
    with pytest.raises(MismatchError, match=f"begun differently.*\n  {said}\n"):
        FeatureStore(store.path, Plan(40, 2, columns=columns, units=units), header)
    with FeatureStore(store.path, plan, header) as again:
        assert again.n_done == 5
    with FeatureStore(store.path, None, {}) as again:  # whatever it has
        assert again.n_done == 5


def test_columns_as_other_programs_write_them(tmp_path):
    """Narrower numbers, another byte order, R's missing numbers, and tables that lack some."""
    file = write(tmp_path / "x.h5", {}, {}, n=3, again={})
    na = np.array([0x7FF00000000007A2, 0x7FF8000000000000, 0], np.uint64).view(np.float64)
    with h5py.File(file.path, "r+") as raw:
        columns = raw.create_group("columns/images")
        columns["r"] = na.astype(">f8")
        columns["r"].attrs["unit"] = np.array([b"m"])
        columns["i32"] = np.array([-(2**31), 5, 6], np.int32)
        columns["u1"] = np.array([0, 255, 7], np.uint8)
        columns["u8"] = np.array([0, 2**63 - 1, 7], np.uint64)
        columns["f4"] = np.array([0.5, np.nan, np.inf], np.float32)
        columns["text"] = np.array([b"caf\xc3\xa9", b"", b"x"])
        columns["100%"] = [1, 2, 3]
    file = read_features(file.path)
    assert list(file.extra_columns) == ["100%", "f4", "i32", "r", "text", "u1", "u8"]
    images = file.images
    assert images["r"].isna().tolist() == [True, False, False]
    assert np.isnan(images["r"].array[1])
    assert file.units == {"r": "m"}
    assert images["i32"].tolist() == [pd.NA, 5, 6]
    assert images["u1"].tolist() == [0, 255, 7]
    assert images["u8"].tolist() == [0, 2**63 - 1, 7]
    assert repr(images["f4"].tolist()) == "[0.5, nan, inf]"
    assert not images["f4"].isna().any()
    assert images["text"].tolist() == ["café", pd.NA, "x"]
    assert file.duplicates[list(file.extra_columns)].isna().all(axis=None)


def test_some_columns_only(tmp_path):
    file = write(tmp_path / "x.h5", {"f": "float64", "t": "text"}, {"f": [1.5], "t": ["a"]},
                 text_bytes={"t": 1})
    table = file.columns("t", "position", "f", "contrast")
    assert table.to_dict("list") == {"t": ["a"], "position": [0], "f": [1.5], "contrast": [-1]}
    with pytest.raises(InputError, match=r"has no column 'F'\. There are path, .*, f, t\."):
        file.columns("F")


def test_a_whole_number_that_is_too_large_is_told(tmp_path):
    file = write(tmp_path / "x.h5", {}, {}, n=2)
    with h5py.File(file.path, "r+") as raw:
        raw["columns/images/u8"] = np.array([0, 2**63], np.uint64)
    with pytest.raises(StoreError, match=r"column 'u8' is above 2\^63 - 1 in row 1"):
        read_features(file.path).columns("u8")


def test_a_value_that_is_nan_with_the_mark_of_missing_ones_is_no_missing_one(tmp_path):
    marked = np.array([0x7FF80000000007A2], np.uint64).view(np.float64)
    values = pd.arrays.FloatingArray(marked, np.array([False]))
    file = write(tmp_path / "x.h5", {"f": "float64"}, {"f": values})
    assert not file.images["f"].isna()[0]
    assert np.isnan(file.images["f"].array[0])


@pytest.mark.parametrize(("name", "value", "unit", "said"), [
    ("duplicates", np.zeros(1), None, "column 'n' is of another type in another table"),
    ("failures", np.zeros(0, "S3"), None, "column 'n' is of another type in another table"),
    ("images", np.zeros(2, int), 7.5, "the unit of column 'n' is no short text"),
    ("images", np.zeros(2, int), "m" * 256, "the unit of column 'n' is no short text"),
    ("images", np.zeros((2, 1), int), None, "columns/images/n has 2 dimensions, expected one"),
    ("duplicates", np.zeros(2, int), None, "columns/duplicates/n has 2 rows, expected 1")])
def test_columns_that_do_not_fit_are_refused(tmp_path, name, value, unit, said):
    file = write(tmp_path / "x.h5", {"n": "int64"}, {"n": [1, 2]}, again={"n": [3]})
    with h5py.File(file.path, "r+") as raw:
        del raw[f"columns/{name}/n"]
        raw[f"columns/{name}/n"] = value
        if unit is not None:
            raw[f"columns/{name}/n"].attrs["unit"] = unit
    with pytest.raises(StoreError, match=said):
        read_features(file.path)


def test_names_that_are_one_after_decoding_are_refused(tmp_path):
    file = write(tmp_path / "x.h5", {"n": "int64"}, {"n": [1, 2]})
    with h5py.File(file.path, "r+") as raw:
        raw["columns/images/%6E"] = [1, 2]
    with pytest.raises(StoreError, match="columns/images/'%6E' is there twice"):
        read_features(file.path)
