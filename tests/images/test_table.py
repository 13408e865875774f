"""Catalogs from CSV tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from forging import tables

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images import Catalog, build_catalog, read_bytes


def table(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def rows(catalog: Catalog) -> list[tuple[str, ...]]:
    return list(zip(catalog.path, catalog.label, catalog.group, catalog.id, strict=True))


FULL = [("a/1.png", "Copepoda", "t1", "7"), ("a/2.png", "Salpida", "t2", "8")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path: Path, separator: str, bom: str, end: str) -> None:
    lines = [("path", "label", "group", "id"), *FULL]
    text = bom + end.join(separator.join(line) for line in lines) + end
    for name in ("t.csv", "t.TSV", "t.txt"):
        assert rows(build_catalog(table(tmp_path, text, name))) == FULL


def test_columns_in_any_order_case_and_company(tmp_path: Path) -> None:
    text = "ID, Area ,LABEL, Path ,group\n7,3.5,Copepoda,a/1.png,t1\n8,1,Salpida,a/2.png,t2"
    assert rows(build_catalog(table(tmp_path, text))) == FULL


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be",
                                      "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_of_excel_and_powershell(tmp_path: Path, separator: str, encoding: str) -> None:
    text = f"path{separator}label\r\na.png{separator}M\u00e9duse \u0416\r\n"
    assert rows(build_catalog(table(tmp_path, text.encode(encoding)))) == [
        ("a.png", "M\u00e9duse \u0416", "", "")]


@pytest.mark.parametrize("text", [
    "sep=;\r\npath;label;depth\r\na.png;x;3,5\r\n",
    '"sep=;"\npath;label\na.png;x\n',
    "SEP=|\npath|label\na.png|x\n",
    '#TYPE System.IO.FileInfo\r\n"path","label"\r\n"a.png","x"\r\n',
    "\n\r\n;;\n path ;label;\na.png;x;\n\n;;\n",
    '"depth, m, corr.";"path";"label"\n"3,5";"a.png";"x"\n',
    '"a;b;c;d"\tlabel\tpath\n3\tx\ta.png\n',
    '"","path","label"\n"1","a.png","x"\n',
    "path,label,depth\n,,m\na.png,x,3\n",
    "path,label,depth\n-,-,m\na.png,x,3\n",
    "path\tlabel\tdepth\n[t]\t[t]\t[f]\na.png\tx\t3\n",
    "path,depth,label\na.png,\"3,5\",x,,\n",
    "depth;number;path;label\n3;5;a.png;x;;\n",
])
def test_tables_as_programs_write_them(tmp_path: Path, text: str) -> None:
    assert rows(build_catalog(table(tmp_path, text))) == [("a.png", "x", "", "")]


def test_only_the_row_below_the_header_is_of_units(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3 has no path"):
        build_catalog(table(tmp_path, "path,label,depth\na.png,x,3\n,,m\n"))
    with pytest.raises(InputError, match="line 2 has no path"):
        build_catalog(table(tmp_path, "path,label,depth\n,x,3\na.png,x,3\n"))


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 6 has no path"):
        build_catalog(table(tmp_path, "sep=;\n\npath;label\n\na.png;x\n;y\n"))


def test_tables_of_every_style_are_what_they_say(tmp_path: Path) -> None:
    for seed in range(300):
        styled = tables.styled(np.random.default_rng(seed))
        assert rows(build_catalog(table(tmp_path, styled.content))) == styled.rows, seed


def test_only_paths(tmp_path: Path) -> None:
    catalog = build_catalog(table(tmp_path, "path\na.png\nb.png\n"))
    assert rows(catalog) == [("a.png", "", "", ""), ("b.png", "", "", "")]


def test_quotes_spaces_and_cells_that_look_like_numbers(tmp_path: Path) -> None:
    text = ('path,label,id\n"a, b;c.png", "Cop ""sp."" ", 007 \n x.png ,NA,1e5\n'
            '"two\nlines.png",nan,\n')
    assert rows(build_catalog(table(tmp_path, text))) == [
        ("a, b;c.png", 'Cop "sp."', "", "007"), ("x.png", "NA", "", "1e5"),
        ("two\nlines.png", "nan", "", "")]


def test_blank_lines_short_rows_and_empty_extra_fields(tmp_path: Path) -> None:
    text = "path,label\n\na.png,x\n,\n  \nb.png\nc.png,y,,\n"
    assert [r[:2] for r in rows(build_catalog(table(tmp_path, text)))] == [
        ("a.png", "x"), ("b.png", ""), ("c.png", "y")]


def test_duplicate_rows_are_kept_in_order(tmp_path: Path) -> None:
    catalog = build_catalog(table(tmp_path, "path,label\nb.png,x\na.png,y\nb.png,x\n"))
    assert catalog.path == ["b.png", "a.png", "b.png"]


def test_relative_to_the_table_absolute_and_backslashes(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.png").write_bytes(b"one")
    (tmp_path / "odd\\name.png").write_bytes(b"three")
    text = f"path\nsub/1.png\nsub\\1.png\n{tmp_path}/sub/1.png\nodd\\name.png\n"
    catalog = build_catalog(table(tmp_path, text))
    assert catalog.root == tmp_path
    assert [read_bytes(catalog.file(i)) for i in range(4)] == [b"one"] * 3 + [b"three"]
    assert catalog.size.tolist() == [3, 3, 3, 5]


def test_missing_files_become_failures(tmp_path: Path) -> None:
    long = "d\\" + "x" * 400 + ".png"
    catalog = build_catalog(table(tmp_path, f"path\nno.png\nC:\\data\\1.png\n{long}\n"))
    assert catalog.path[1:] == ["C:/data/1.png", long.replace("\\", "/")]
    assert (catalog.size == -1).all()
    for i in range(3):
        with pytest.raises(ImageFailure, match=r"read: (no such file|File name too long)"):
            read_bytes(catalog.file(i))


def test_labels_are_composed(tmp_path: Path) -> None:
    catalog = build_catalog(table(tmp_path, "path,label\na.png,e\u0301\nb.png,\u00e9\n"))
    assert catalog.label == ["\u00e9"] * 2


@pytest.mark.parametrize(("text", "reason"), [
    ("", "got an empty file"),
    ("file,label\na.png,x\n", "column named 'path'.*got file, label"),
    ("path,label\n", "expected one row per image, got none"),
    ("path,label\n\n,\n", "expected one row per image, got none"),
    ("path,label\na.png,x\n,y\n", "line 3 has no path"),
    ('path,label\n"a\nb.png",x\n,y\n', "line 4 has no path"),
    ("path,Path\na.png,b.png\n", "one column named 'path', got several"),
    ("path,label,label\na.png,b,c\n", "one column named 'label', got several"),
    ("path\na, b.png\n", "line 2 has 2 fields, the header has 1.*in quotes"),
    ("path,label\na.png,x,y\n", "line 2 has 3 fields, the header has 2"),
    ('path,label\n"a.png,x\nb.png,y\n', "line 3: expected a CSV table.*unexpected end of data"),
    ('path,label\n"a.png"b,x\n', "line 2: expected a CSV table.*Check the quotes"),
    ("path,label\na.png,Crustac\u00e9\n".encode("latin-1"), "Save it again as 'CSV UTF-8'"),
    ("path,label\na.png,x\n,".encode("utf-16")[:-1], "expected a CSV table in UTF-8.*UTF-16"),
    ("path,label\na.png,x\nb.png,Crustac\u00e9\n".encode("cp1252"),
     "line 3 the byte E9 after 'b.png,Crustac' is of another encoding"),
    ("path|label\na.png|x\n", r"a single column, 'path\|label'.*by comma, semicolon or tab"),
    ('"path,label"\n"a.png,x"\n', "a single column, 'path,label'"),
    ('"path" "label"\n"1" "a.png" "x"\n', "line 1: .*separated by comma, semicolon or tab"),
    ("path,depth,label\na.png,3,5,x\n", "line 2 has 4 fields, the header has 3.*with a comma"),
    ("path,depth,label,note\na.png,3,5,x,\n", "line 2 has 5 fields, the header has 4"),
    (b"PK\x03\x04\x14\0\x06\0", "got an Excel workbook.*save the sheet as 'CSV UTF-8'"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1", "got an Excel workbook of the old kind"),
    ("sep=;\npath,label\na.png,x\n", "a single column, 'path,label'"),
    ("path\n" + "x" * 200_000, "line 2: .*field larger than field limit"),
])
def test_tables_that_cannot_be_used(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        build_catalog(table(tmp_path, text))
    assert str(tmp_path / "t.csv") in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "images.tar", "features.h5", "table", "a.xlsx"])
def test_other_files_are_no_tables(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a folder of images or a table"):
        build_catalog(table(tmp_path, "path\na.png\n", name))
