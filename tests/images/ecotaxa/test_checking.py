"""The validator: each fault of an import is told with its place, and a good import has none."""

import io
import zipfile

import pytest
from forging.ecotaxa import importable, picture, plain_table, put
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from plankton_features.errors import InputError
from plankton_features.images.ecotaxa.checking import Problem, check_ecotaxa


def problems_of(root, lines, pictures, name="ecotaxa_a.tsv", **options):
    put({name: lines if isinstance(lines, bytes) else plain_table(lines), **pictures}, root)
    return check_ecotaxa(root, **options)


def places(problems):
    return [(problem.line, problem.column) for problem in problems]


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_good_import_has_no_problem(tmp_path, suffix):
    lines, pictures = importable(3)
    assert problems_of(tmp_path / f"in{suffix}", lines, pictures) == []


#: Column, cell, and what is said of it.
CELLS = [
    ("object_id", "", "Every object needs an id"),
    ("object_id", "x" * 256, "takes up to 255"),
    ("img_file_name", "none.png", "There is no file"),
    ("img_file_name", "", "is empty"),
    ("img_file_name", "../0.png", "leads out"),
    ("img_file_name", "/etc/passwd", "leads out"),
    ("img_file_name", "C:\\x.png", "leads out"),
    ("img_rank", "first", "a number"),
    ("object_lat", "90.5", "-90 to 90"),
    ("object_lat", "north", "-90 to 90"),
    ("object_lon", "181", "-180 to 180"),
    ("object_date", "20200230", "a day"),
    ("object_time", "2500", "a time"),
    ("object_annotation_status", "valid", "validated, predicted"),
    ("object_annotation_category_id", "Copepoda", "number of a taxon"),
    ("object_annotation_category_id", "25828.5", "number of a taxon"),
    ("object_area", "12,5", "a number"),
    ("object_area", "-inf", "a number"),
    ("object_note", "é" * 251, "takes up to 250"),
    ("sample_ship", "x" * 251, "takes up to 250"),
    ("acq_volume", "x" * 251, "takes up to 250"),
    ("sample_id", "x" * 256, "takes up to 255"),
]


@pytest.mark.parametrize(("column", "cell", "told"), CELLS, ids=lambda v: str(v)[:20])
def test_a_wrong_cell(tmp_path, column, cell, told):
    lines, pictures = importable(3)
    lines[3][lines[0].index(column)] = cell
    if column == "sample_id":  # else the acquisition has two
        lines[3][lines[0].index("acq_id")] = "a2"
    found = problems_of(tmp_path, lines, pictures)
    assert places(found) == [(4, column)]
    assert told in found[0].what
    assert found[0].table == "ecotaxa_a.tsv"


def test_a_value_that_is_wrong_in_many_rows_is_told_once(tmp_path):
    lines, pictures = importable(4)
    for line in lines[2:]:
        line[lines[0].index("object_lat")] = "north"
    assert places(problems_of(tmp_path, lines, pictures)) == [(3, "object_lat")]


@pytest.mark.parametrize(("column", "cell"), [
    ("object_area", "nan"), ("object_area", "NA"), ("object_area", ""), ("object_area", "inf"),
    ("object_area", "1e-3"), ("object_lat", "43°30 0"), ("object_date", "2020-02-05"),
    ("object_time", "11:18:23"), ("object_time", "420"), ("object_annotation_status", "VALIDATED"),
    ("object_annotation_status", "noid"), ("object_annotation_category_id", "25828.0"),
    ("object_note", "é" * 250), ("sample_ship", "12,5"), ("object_id", "x" * 255)])
def test_a_cell_that_is_taken(tmp_path, column, cell):
    lines, pictures = importable(3)
    lines[3][lines[0].index(column)] = cell
    assert problems_of(tmp_path, lines, pictures) == []


@pytest.mark.parametrize(("status", "category", "number", "column"), [
    ("predicted", "", "", "object_annotation_category"),
    ("", "Copepoda", "", "object_annotation_status"), ("", "", "7", "object_annotation_status"),
    ("", "", "", None), ("validated", "", "7", None)])
def test_status_and_taxon_go_together(tmp_path, status, category, number, column):
    lines, pictures = importable()
    lines[2][7:10] = [status, category, number]
    assert places(problems_of(tmp_path, lines, pictures)) == ([(3, column)] if column else [])


def of_kind(kind, size=(5, 4)):
    data = io.BytesIO()
    Image.new("L", size, 9).save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize(("data", "told"), [
    (picture(1)[:60], "decoded"), (b"no picture", "no picture"), (b"", "empty file"),
    (of_kind("TIFF"), "TIFF"), (of_kind("BMP"), "BMP"),
    (of_kind("PNG", (20_001, 1)), "20,001 x 1"),
])
def test_a_picture_that_is_refused(tmp_path, data, told):
    lines, pictures = importable()
    found = problems_of(tmp_path, lines, pictures | {"1.png": data})
    assert places(found) == [(4, "img_file_name")]
    assert told in found[0].what


@pytest.mark.parametrize("kind", ["GIF", "JPEG", "PNG"])
def test_a_picture_that_is_taken(tmp_path, kind):
    lines, pictures = importable()
    assert problems_of(tmp_path, lines, pictures | {"1.png": of_kind(kind)}) == []


def changed_header(lines, name, new):
    lines[0][lines[0].index(name)] = new
    return lines


@pytest.mark.parametrize(("name", "new", "expected"), [
    ("object_note", "note", [(1, "note", "begin with object_")]),
    ("object_note", "objectnote", [(1, "objectnote", "begin with object_")]),
    ("object_note", "", [(1, "", "no name"), (3, "", "cannot be read"), (4, "", "cannot be read")]),
    ("object_note", "img_note", [(1, "img_note", "img_file_name and img_rank only")]),
    ("object_note", "Object_Area ", [(1, "object_area.2", "capitals")]),
    ("sample_id", "sample_x", [(1, "sample_id", "missing")]),
    ("acq_id", "acq_x", [(1, "acq_id", "missing")]),
    ("process_id", "process_x", [(1, "process_id", "missing")]),
    ("img_file_name", "object_x", [(1, "img_file_name", "missing")]),
    ("object_id", "object_x", [(1, "object_id", "missing")]),
])
def test_a_wrong_header(tmp_path, name, new, expected):
    lines, pictures = importable()
    found = problems_of(tmp_path, changed_header(lines, name, new), pictures)
    assert [(p.line, p.column) for p in found if "[" not in p.what] == [
        (line, column) for line, column, _ in expected]
    assert all(told in p.what for p, (_, _, told) in zip(found, expected, strict=False))


@pytest.mark.parametrize("kind", ["[H]", "", "[F]", "[t] ", "f"])
def test_a_wrong_type_counts_for_free_columns_of_objects_only(tmp_path, kind):
    lines, pictures = importable()
    for name in ("object_area", "sample_ship", "object_lat"):
        lines[1][lines[0].index(name)] = kind
    assert places(problems_of(tmp_path, lines, pictures)) == [(2, "object_area")]


def test_a_missing_row_of_types(tmp_path):
    lines, pictures = importable()
    found = problems_of(tmp_path, [lines[0], *lines[2:]], pictures)
    assert places(found) == [(2, "")]
    assert "first object" in found[0].what


@pytest.mark.parametrize(("encoding", "n"), [("utf-8", 1), ("utf-8-sig", 0), ("latin-1", 0)])
def test_encodings(tmp_path, encoding, n):
    lines, pictures = importable()
    data = plain_table(lines).decode("utf-8-sig").encode(encoding)
    found = problems_of(tmp_path, data, pictures)
    assert places(found) == [(1, "")] * n
    assert all("BOM" in p.what for p in found)
    ascii_only = plain_table(lines)[3:].decode().replace("é", "e").encode()
    assert problems_of(tmp_path, ascii_only, pictures) == []


@pytest.mark.parametrize(("prefix", "kind", "most", "there"), [
    ("object", "[f]", 500, 1), ("object", "[t]", 20, 1), ("sample", "[t]", 60, 1),
    ("acq", "[f]", 30, 1), ("process", "[t]", 30, 0)])
def test_free_columns_have_a_limit_over_all_tables(tmp_path, prefix, kind, most, there):
    lines, pictures = importable()
    for i in range(most - there):
        lines[0].append(f"{prefix}_n{i}")
        lines[1].append(kind)
    lines[2:] = [row + [""] * (most - there) for row in lines[2:]]
    assert problems_of(tmp_path, lines, pictures) == []
    second = [[*lines[0][:17], f"{prefix}_one_more"], [*lines[1][:17], kind],
              ["o9", *lines[2][1:17], ""]]
    found = problems_of(tmp_path, second, {}, name="sub/ecotaxa_b.tsv")
    assert [p for p in found if p.column != "img_file_name"] == [
        Problem("sub/ecotaxa_b.tsv", 1, f"{prefix}_one_more", found[0].what)]
    assert str(most) in found[0].what


def test_objects_and_acquisitions_are_compared_over_all_tables(tmp_path):
    lines, pictures = importable()
    problems_of(tmp_path, lines, pictures)
    lines[2][lines[0].index("sample_id")] = "s2"
    found = problems_of(tmp_path, [*lines[:3]], {}, name="ecotaxa_b.tsv")
    assert [(p.table, *place) for p, place in zip(found, places(found), strict=True)] == [
        ("ecotaxa_b.tsv", 3, "object_id"), ("ecotaxa_b.tsv", 3, "acq_id")]
    assert "ecotaxa_a.tsv, line 3" in found[0].what


def test_several_pictures_of_an_object_are_no_problem(tmp_path):
    lines, pictures = importable()
    lines[3][0] = "o0"
    assert problems_of(tmp_path, lines, pictures) == []


def test_names_that_are_not_found(tmp_path):
    lines, pictures = importable()
    found = problems_of(tmp_path, lines, pictures, name="Ecotaxa_a.tsv")
    assert [(p.table, p.line) for p in found] == [("Ecotaxa_a.tsv", 0)]
    (tmp_path / "empty").mkdir()
    assert "ecotaxa*.tsv" in str(check_ecotaxa(tmp_path / "empty")[0])


def test_too_many_tables(tmp_path):
    archive = tmp_path / "a.zip"
    lines, pictures = importable(1)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("0.png", pictures["0.png"])
        for i in range(2001):
            lines[2][0] = f"o{i}"
            file.writestr(f"ecotaxa{i}.tsv", plain_table(lines))
    assert [p.what[:23] for p in check_ecotaxa(archive)] == ["There are 2,001 tables,"]


def test_a_table_without_rows_or_with_broken_ones(tmp_path):
    lines, pictures = importable()
    assert places(problems_of(tmp_path, lines[:2], pictures)) == [(0, "")]
    assert places(problems_of(tmp_path, [*lines[:3], [*lines[3], "more"]], pictures)) == [(4, "")]
    found = problems_of(tmp_path, [*lines[:3], ["o1", '"1.png']], pictures)
    assert "line 4: a quote has no end" in str(found[0])


def test_an_update_needs_no_pictures(tmp_path):
    lines, _ = importable()
    assert problems_of(tmp_path, lines, {}, update=True) == []
    without = [line[:1] + line[2:] for line in lines]
    assert problems_of(tmp_path, without, {}, update=True) == []
    assert places(check_ecotaxa(tmp_path)) == [(1, "img_file_name")]


def test_pictures_of_a_uvp6_archive_are_looked_at(tmp_path):
    lines, pictures = importable()
    lines[2][1], lines[3][1] = "sub1/0.png", "sub1/none.png"
    put({"b_Images/ecotaxa_b.tsv": plain_table(lines),
         "b_Images/sub1/0.png": pictures["0.png"]}, tmp_path / "b_Images.zip")
    assert [str(p)[:58] for p in check_ecotaxa(tmp_path)] == [
        "b_Images.zip/b_Images/ecotaxa_b.tsv, line 4, img_file_name"]


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="nothing there"):
        check_ecotaxa(tmp_path / "none")
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(InputError, match="damaged"):
        check_ecotaxa(tmp_path / "a.zip")


def test_a_problem_in_words():
    assert str(Problem("t.tsv", 3, "object_lat", "Wrong.")) == "t.tsv, line 3, object_lat: Wrong."
    assert str(Problem("", 0, "", "Wrong.")) == "Wrong."


@settings(max_examples=60)
@given(st.data())
def test_faults_anywhere_are_all_told(tmp_path_factory, data):
    """Faults in cells of different objects are told one by one, each at its place."""
    lines, pictures = importable(6)
    faults = [fault for fault in CELLS if fault[0] not in ("sample_id", "img_file_name")]
    chosen = data.draw(st.lists(st.sampled_from(range(6)), unique=True))
    expected = []
    for i in sorted(chosen):
        column, cell, _ = data.draw(st.sampled_from(faults))
        if (column, cell) not in [(c, v) for _, c, v in expected]:
            lines[2 + i][lines[0].index(column)] = cell
            expected.append((3 + i, column, cell))
    found = problems_of(tmp_path_factory.mktemp("a"), lines, pictures)
    assert places(found) == [(line, column) for line, column, _ in expected]
