"""Extra columns of a table or a DataFrame: the type that loses nothing, units, names."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features import build_catalog
from plankton_features.errors import InputError
from plankton_features.images import Catalog
from plankton_features.images.columns import RESERVED, column_of_cells
from plankton_features.store.schema import TAKEN


def column(*cells):
    return column_of_cells(cell.encode() for cell in cells)


def from_text(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return build_catalog(tmp_path / "t.csv")


@pytest.mark.parametrize(("cells", "dtype", "values"), [
    (["1", "-20", "0"], "Int64", [1, -20, 0]),
    (["9007199254740993", "9223372036854775807"], "Int64", [2**53 + 1, 2**63 - 1]),
    (["9223372036854775808", "1"], "string", None),
    (["-9223372036854775808"], "string", None),
    (["9007199254740993", "0.5"], "string", None),
    (["9007199254740992", "0.5"], "Float64", [2.0**53, 0.5]),
    (["007", "1"], "string", None), (["+5"], "string", None), (["-007.5"], "string", None),
    (["1.50", "1e3", "-2.5E-3", "7"], "Float64", [1.5, 1000.0, -0.0025, 7.0]),
    (["-0"], "Float64", [-0.0]), ([".5", "5."], "Float64", [0.5, 5.0]),
    (["3,5", "1"], "string", None), (["1.000.000"], "string", None), (["1 000"], "string", None),
    (["Inf", "-inf", "1"], "Float64", [np.inf, -np.inf, 1.0]),
    (["1e400"], "string", None), (["1e-400"], "string", None), (["0e9"], "Float64", [0.0]),
    (["1.000000000000000056e-01"], "Float64", [0.1]),  # as %.18e writes 0.1
    (["0.1234567890123456789"], "string", None),
    (["0.1000000000000000055511151231257827"], "Float64", [0.1]),
    (["5.960464477539063e-08"], "Float64", [2.0**-24]),  # as repr writes it: a tie, rounded up
    (["TRUE", "FALSE"], "string", None), (["2022-05-19T12:45:33Z"], "string", None),
    (["0x10"], "string", None), (["1_000"], "string", None), (["١٢"], "string", None),
    (["1" * 5000], "string", None), (["infinity"], "string", None), (["5\n"], "string", None),
])
def test_types_that_lose_nothing(cells, dtype, values):
    found = column(*cells)
    assert found.dtype == dtype
    assert not found.isna().any()
    assert repr(found.tolist()) == repr(cells if values is None else values)


def test_an_empty_cell_is_missing_and_nan_is_not():
    numbers = column("1e3", "NaN", "", "nan", "2")
    assert numbers.isna().tolist() == [False, False, True, False, False]
    assert repr(numbers.to_numpy(float, na_value=-1).tolist()) == "[1000.0, nan, -1.0, nan, 2.0]"
    assert column("", "5").tolist() == [pd.NA, 5]
    assert column("NA", "", "nan").tolist() == ["NA", pd.NA, "nan"]
    assert column("", "").dtype == "string"
    assert column("", "").isna().all()


@given(st.lists(st.floats(allow_nan=False).filter(lambda v: not 2**53 < abs(v) < 1e17),
                min_size=1),
       st.sampled_from([repr, "%.17g".__mod__, "%.18e".__mod__, "%.25e".__mod__]))
def test_numbers_of_programs_come_back_to_the_last_bit(numbers, written):
    cells = [written(v) for v in numbers]
    found = column(*cells)
    assert found.dtype in ("Float64", "Int64")
    assert [float(v) for v in found] == numbers


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_number_is_worth_what_its_cell_said_or_is_text(numbers):
    cells = [format(v, "f") if abs(v.adjusted()) < 40 else str(v) for v in numbers]
    found = column(*cells)
    if found.dtype == "string":
        assert found.tolist() == cells
        return
    for cell, value in zip(cells, found, strict=True):
        half = Fraction(10) ** Decimal(cell).as_tuple().exponent / 2
        exact = Fraction(value) if found.dtype == "Float64" else int(value)
        assert abs(exact - Fraction(cell)) <= half
        assert found.dtype == "Float64" or exact == Fraction(cell)


def test_a_table_keeps_its_columns_with_units(tmp_path):
    catalog = from_text(tmp_path, "Path,depth [m],Ship,n,label,Глубина/м\n"
                                  "a.png,3.5,Polarstern,7,x,\nb.png,,,8,y,0007\n")
    assert catalog.label == ["x", "y"]
    assert {name: str(kind) for name, kind in catalog.columns.dtypes.items()} == {
        "depth": "Float64", "Ship": "string", "n": "Int64", "Глубина/м": "string"}
    assert catalog.columns["depth"].tolist() == [3.5, pd.NA]
    assert catalog.columns["Глубина/м"].tolist() == [pd.NA, "0007"]
    assert catalog.units == {"depth": "m"}


@pytest.mark.parametrize(("text", "names", "units"), [
    ("path,depth,t\n,m,°C\na,1,2\n", ["depth", "t"], {"depth": "m", "t": "°C"}),
    ("path,depth,t\n-,[m],(°C)\na,1,2\n", ["depth", "t"], {"depth": "m", "t": "°C"}),
    ("path,depth [cm],t\n,m,-\na,1,2\n", ["depth", "t"], {"depth": "cm"}),
    ("path\tdepth\tt\n[t]\t[f]\t[t]\na\t1\t2\n", ["depth", "t"], {}),
    ("path,width,height [px],row\na,1,2,3\n", ["table_width", "table_height", "table_row"],
     {"table_height": "px"}),
    ("path,d,d,d [m]\na,1,2,3\n", ["d", "d_2", "d_3"], {"d_3": "m"}),
    ('"","path",""\n"1","a","b"\n', ["column_1", "column_3"], {}),
    ("path,d,,\na,1,,\n", ["d"], {}), ("path,d,\na,,\n", ["d"], {}),
    ("path,d [],[m],x[y]z\na,1,2,3\n", ["d []", "[m]", "x[y]z"], {}),
    ("path,e\u0301,\u00e9,D,d\na,1,2,3,4\n", ["e\u0301", "\u00e9", "D", "d"], {}),
])
def test_names_and_units_of_tables(tmp_path, text, names, units):
    catalog = from_text(tmp_path, text)
    assert list(catalog.columns) == names
    assert catalog.units == units


def test_rows_that_end_early_and_many_rows(tmp_path):
    lines = [f"{i}.png,{i}" if i % 3 else f"{i}.png" for i in range(10_000)]
    catalog = from_text(tmp_path, "path,n\n" + "\n".join([*lines, "last.png,x1"]))
    assert catalog.columns["n"].dtype == "string"  # decided by the last row
    assert catalog.columns["n"].tolist() == [
        str(i) if i % 3 else pd.NA for i in range(10_000)] + ["x1"]


def test_a_zero_byte_is_refused(tmp_path):
    with pytest.raises(InputError, match="a zero byte"):
        from_text(tmp_path, "path,note\na.png,b\0\n")


def test_a_data_frame_keeps_its_types():
    frame = pd.DataFrame({
        "path": ["a.png", "b.png"], "label": ["x", None], "depth": [1.5, np.nan],
        "n": np.array([2**53 + 1, 3], np.int64), "text": ["007", None], "empty": ["", "NA"],
        "yes": [True, False], "when": pd.to_datetime(["2022-05-19 12:45:33", None]),
        "kind": pd.Categorical(["u", "v"]),
        "real": pd.arrays.FloatingArray(np.array([np.nan, 0]), np.array([False, True]))})
    catalog = build_catalog(frame, root="imgs", units={"depth": "m"})
    assert (catalog.path, catalog.label) == (["a.png", "b.png"], ["x", ""])
    assert str(catalog.root) == "imgs"
    assert catalog.units == {"depth": "m"}
    assert {name: str(kind) for name, kind in catalog.columns.dtypes.items()} == {
        "depth": "Float64", "n": "Int64", "text": "string", "empty": "string", "yes": "string",
        "when": "string", "kind": "string", "real": "Float64"}
    found = {name: catalog.columns[name].tolist() for name in catalog.columns}
    assert found.pop("real")[1] is pd.NA
    assert np.isnan(catalog.columns["real"].array[0])
    assert found == {"depth": [1.5, pd.NA], "n": [2**53 + 1, 3], "text": ["007", pd.NA],
                     "empty": ["", "NA"], "yes": ["True", "False"],
                     "when": ["2022-05-19 12:45:33", pd.NA], "kind": ["u", "v"]}


@pytest.mark.parametrize(("frame", "how", "said"), [
    ({"file": ["a"]}, {}, "expected a column 'path' in the table, got file"),
    ({"path": ["a", None]}, {}, "row 1 of the table has no path"),
    ({"path": ["a"], "x": [["l"]]}, {}, "column 'x': expected numbers or text, got list"),
    ({"path": ["a", "b"], "x": ["1", 2]}, {}, r"got int '2'.*astype\(str\)"),
    ({"path": ["a"], "width": [1]}, {}, "'width': is a name that the feature file has"),
    ({"path": ["a"], 7: [1]}, {}, "got '7' which is no text"),
    ({"path": ["a"], "x": np.array([2**63], np.uint64)}, {}, "column 'x': "),
    ({"path": ["a"], "x": [1]}, {"units": {"y": "m"}}, "units: there is no extra column 'y'")])
def test_data_frames_that_cannot_be_kept(frame, how, said):
    with pytest.raises(InputError, match=said):
        build_catalog(pd.DataFrame(frame), **how)


def test_units_are_of_data_frames(tmp_path):
    (tmp_path / "t.csv").write_text("path\na\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a table has them in its header: depth \[m\]"):
        build_catalog(tmp_path / "t.csv", units={"depth": "m"})
    with pytest.raises(InputError, match="columns: expected 2 rows, one per path; got 1"):
        Catalog.from_paths(["a", "b"], columns=pd.DataFrame({"n": [1]}))


def test_a_subset_takes_its_rows():
    catalog = build_catalog(pd.DataFrame({"path": list("abc"), "n": [1, 2, 3]}),
                            units={"n": "m"}).subset([2, 0])
    assert catalog.columns["n"].tolist() == [3, 1]
    assert catalog.units == {"n": "m"}
    assert catalog.subset(np.array([False, True])).columns["n"].tolist() == [1]


def test_the_fingerprint_tells_any_change():
    def of(units=None, **columns):
        frame = pd.DataFrame({"path": ["a", "b"], **columns})
        return build_catalog(frame, units=units).fingerprint()["columns"]

    found = [of(), of(n=[1, 2]), of(n=[1, 3]), of(m=[1, 2]), of(n=[1.0, 2.0]), of(n=["1", "2"]),
             of(n=[1, None]), of({"n": "m"}, n=[1, 2]), of(n=["", "2"]), of(n=[None, "2"]),
             of(n=[1, 2], m=[3, 4]), of(m=[3, 4], n=[1, 2]), of(n=["12", ""])]
    assert found[0] == ""
    assert len(set(found)) == len(found)
    assert of(n=[1, 2]) == found[1]


def test_names_of_the_feature_file_are_the_reserved_ones():
    assert RESERVED == TAKEN
