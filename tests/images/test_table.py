"""Catalogs from CSV tables."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    ("path,label\na.png,x\n".encode("utf-16"), "expected a CSV table in UTF-8"),
    ("path\n" + "x" * 200_000, "line 2: .*field larger than field limit"),
])
def test_tables_that_cannot_be_used(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        build_catalog(table(tmp_path, text))
    assert str(tmp_path / "t.csv") in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "images.zip", "features.h5", "table"])
def test_other_files_are_no_tables(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a folder of images or a table"):
        build_catalog(table(tmp_path, "path\na.png\n", name))
