"""EcoTaxa's exports and imports as catalogs; the exports are written by the tests alone."""

import json
import pickle
import unicodedata
import zipfile

import pandas as pd
import pytest
from forging.ecotaxa import (
    files_of_export,
    importable,
    objects,
    picture,
    plain_table,
    put,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from plankton_features import build_catalog
from plankton_features.errors import ImageFailure, InputError
from plankton_features.images.sources import kind_of, open_source

WITH_PICTURES = ["general", "sample", "acquisition", "taxon", "backup", "doi"]


def shown(one):
    """The bytes of the picture of the lowest rank."""
    return min(one["pictures"], key=lambda p: p[1])[2]


def expected(project, status=("validated",)):
    return {one["cells"]["object_id"]: (
        one["cells"]["object_annotation_category"]
        if {"X": "discarded"}.get(one["cells"]["object_annotation_status"],
                                  one["cells"]["object_annotation_status"]) in status else "",
        one["cells"]["sample_id"], shown(one),
        " ".join(str(rank) for rank in sorted(p[1] for p in one["pictures"])),
        one["cells"]["object_area"], one["cells"]["object_comment"] or None)
        for one in project}


def got(catalog):
    columns = catalog.columns.astype(object).where(catalog.columns.notna(), None)
    return {catalog.id[i]: (catalog.label[i], catalog.group[i], catalog.content(i),
                            columns["img_ranks"][i], columns["object_area"][i],
                            columns["object_comment"][i])
            for i in range(len(catalog))}


@pytest.mark.parametrize("kind", WITH_PICTURES)
@pytest.mark.parametrize("types", [False, True])
@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_exports_of_all_kinds_are_read_alike(tmp_path, kind, types, suffix):
    project = objects(samples=3, each=7)
    root = put(files_of_export(kind, project, types=types), tmp_path / f"export{suffix}")
    assert kind_of(root).name == "ecotaxa"
    catalog = build_catalog(root)
    assert len(catalog) == 21
    assert got(catalog) == expected(project)
    assert "21 objects, 3 taxa, 3 samples, 9 validated, 3 predicted" in catalog.recognised
    again = open_source(root)  # as a report does, which knows paths only
    assert [again.read(path) for path in catalog.path] == [shown(one) for one in sorted(
        project, key=lambda one: catalog.id.index(one["cells"]["object_id"]))]


@pytest.mark.parametrize("kind", WITH_PICTURES)
def test_what_is_known_has_types_and_units(tmp_path, kind):
    catalog = build_catalog(put(files_of_export(kind, objects()), tmp_path / "e.zip"))
    row = catalog.columns.iloc[0]
    assert (row["latitude"], row["longitude"]) == (43.5, -7.25)
    assert row["pixel_size"] == pytest.approx(10.6)
    assert (row["net_volume"], row["subsample_coefficient"]) == (9.75, 4.0)
    assert row["datetime"] == "2020-02-05T11:18:23Z"
    assert (row["depth_min"], row["depth_max"]) == (10.0, 11.0)
    assert row["sample_tot_vol"] == "9.75"
    assert row["table"].endswith(".tsv")
    assert catalog.units == {"latitude": "degrees", "longitude": "degrees", "depth_min": "m",
                             "depth_max": "m", "pixel_size": "µm", "net_volume": "m³"}
    assert catalog.columns["object_depth_min"].dtype == "Float64"
    taxa = catalog.columns["taxon_id" if kind in ("backup", "doi") else "lineage"]
    assert taxa.nunique() == 3


@pytest.mark.parametrize("status", [("predicted",), ("validated", "dubious"), ("discarded",),
                                    ("validated", "predicted", "dubious", "discarded")])
def test_which_annotations_are_labels(tmp_path, status):
    project = objects(samples=3, each=7)
    catalog = build_catalog(put(files_of_export("general", project), tmp_path / "e"),
                            status=status)
    assert got(catalog) == expected(project, status)


@pytest.mark.parametrize(("by", "column"), [
    ("acquisition", "acq_id"), ("process", "process_id"), ("sample_ship", "sample_ship"),
    ("Object_ID", "object_id")])
def test_groups(tmp_path, by, column):
    project = objects()
    catalog = build_catalog(put(files_of_export("backup", project), tmp_path / "e"), group_by=by)
    assert dict(zip(catalog.id, catalog.group, strict=True)) == {
        one["cells"]["object_id"]: one["cells"][column] for one in project}


@pytest.mark.parametrize("kind", ["general", "backup"])
def test_days_are_the_same_however_they_are_written(tmp_path, kind):
    root = put(files_of_export(kind, objects()), tmp_path / "e")
    assert set(build_catalog(root, group_by="day").group) == {"2020-02-05"}


def test_options_that_cannot_be(tmp_path):
    root = put(files_of_export("general", objects()), tmp_path / "e")
    with pytest.raises(InputError, match="there is no column tow"):
        build_catalog(root, group_by="tow")
    with pytest.raises(InputError, match="status 'valid': expected"):
        build_catalog(root, status=["valid"])
    with pytest.raises(InputError, match="label-level goes with"):
        build_catalog(root, label_level=1)
    assert len(build_catalog(root, source="folder")) > 8
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.png").write_bytes(picture(1))
    assert kind_of(tmp_path / "plain").name == "folder"
    with pytest.raises(InputError, match="status goes with ecotaxa"):
        build_catalog(tmp_path / "plain", status=["validated"])


def test_an_export_without_pictures(tmp_path):
    with pytest.raises(InputError, match="has no column img_file_name"):
        build_catalog(put(files_of_export("annotations", objects()), tmp_path / "e.zip"))


def import_of(root, change=lambda lines: None, pictures=None, table="ecotaxa_a.tsv", rows=4):
    lines, own = importable(rows)
    change(lines)
    return put({table: plain_table(lines), **own, **(pictures or {})}, root)


def failures(catalog):
    found = {}
    for i in range(len(catalog)):
        try:
            catalog.read(i)
        except ImageFailure as failure:
            found[catalog.path[i]] = failure.reason
    return found


def set_cell(row, column, value):
    def change(lines):
        lines[row][lines[0].index(column)] = value
    return change


@pytest.mark.parametrize(("change", "told"), [
    (set_cell(3, "object_id", ""), "object_id is empty"),
    (set_cell(3, "img_file_name", ""), "img_file_name is empty"),
    (set_cell(3, "img_file_name", "../x.png"), "leads out"),
    (set_cell(3, "img_file_name", "/etc/hostname"), "leads out"),
    (set_cell(3, "img_file_name", "C:/x.png"), "leads out"),
    (set_cell(3, "img_file_name", "a/../../x.png"), "leads out"),
    (lambda lines: lines[3].append("more"), "cells"),
    (lambda lines: lines.__setitem__(3, lines[2]), "ecotaxa_a.tsv, line 3"),
    (set_cell(3, "object_note", "a\0b"), "zero byte"),
    (set_cell(3, "object_note", "x" * 20_000), "16,000"),
])
@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_lines_that_cannot_be_used_fail_with_table_and_line(tmp_path, change, told, suffix):
    (tmp_path / "x.png").write_bytes(picture(9))
    catalog = build_catalog(import_of(tmp_path / f"in{suffix}", change))
    assert sorted(catalog.id) == ["", "o0", "o2", "o3"]
    (path, reason), = failures(catalog).items()
    assert path == "ecotaxa_a.tsv, line 4"
    assert told in reason
    assert "1 line with faults" in catalog.recognised
    assert catalog.columns["object_id"].isna().tolist() == [False] * 3 + [True]


def test_pictures_that_are_missing_or_broken(tmp_path):
    root = import_of(tmp_path, set_cell(2, "img_file_name", "none.png"),
                     pictures={"1.png": picture(1)[:50]})
    catalog = build_catalog(root)
    found = failures(catalog)
    assert found["none.png"] == "no such file; ecotaxa_a.tsv, line 3 names it"
    assert set(found) == {"none.png", "1.png"}
    assert catalog.columns["line"][catalog.path.index("1.png")] == 4
    assert pickle.loads(pickle.dumps(catalog.source)).failures == catalog.source.failures


def test_a_picture_of_two_objects_is_read_for_both(tmp_path):
    root = import_of(tmp_path, set_cell(3, "img_file_name", "0.png"))
    catalog = build_catalog(root)
    assert catalog.path[:2] == ["0.png", "0.png (object o1)"]
    assert catalog.content(1) == catalog.content(0) == open_source(root).read(catalog.path[1])
    assert len(list(catalog.source.stamps(catalog.path))) == 5


def test_a_broken_table_loses_no_other(tmp_path):
    import_of(tmp_path)
    lines, _ = importable(2)
    lines[2][0], lines[2][1], lines[3][1] = "p0", "3.png", '"3.png'
    put({"ecotaxa_b.tsv": plain_table(lines)}, tmp_path)
    catalog = build_catalog(tmp_path)
    assert catalog.id == ["o0", "o1", "o2", "o3", "p0", ""]
    assert "line 4: a quote has no end" in failures(catalog)["ecotaxa_b.tsv"]


@pytest.mark.parametrize(("ranks", "shown_rank", "all_ranks"), [
    (["2", "0", "1"], 1, "0 1 2"), (["", "", ""], 0, "0 1 2"), (["1", "1", "1"], 0, "1 2 3"),
    (["100", "", "5"], 1, "0 5 100"), (["x", "nan", "0.0"], 0, "0 1 2"),
    (["5", "100", "0"], 2, "0 5 100"), (["inf", "7", "7"], 0, "0 7 8")])
def test_the_lowest_rank_is_shown(tmp_path, ranks, shown_rank, all_ranks):
    def change(lines):
        for i, rank in enumerate(ranks):
            lines[2 + i][0], lines[2 + i][2] = "same", rank
    catalog = build_catalog(import_of(tmp_path, change, rows=3))
    assert catalog.path == [f"{shown_rank}.png"]
    assert catalog.columns["img_ranks"].tolist() == [all_ranks]


def test_the_same_id_in_another_sample_is_another_object(tmp_path):
    def change(lines):
        lines[3][0] = "o0"
        lines[3][lines[0].index("sample_id")] = "s2"
    catalog = build_catalog(import_of(tmp_path, change, rows=2))
    assert (catalog.id, catalog.group) == (["o0", "o0"], ["s1", "s2"])


def uvp6_table():
    """The columns of UVPapp's, in latin-1, with places as it writes them."""
    columns = ["img_file_name", "img_rank", "object_id", "object_lat", "object_lon", "object_date",
               "object_time", "object_depth_min", "object_area", "process_id", "process_invert",
               "acq_id", "acq_volimage", "acq_pixel", "acq_instrument", "sample_id"]
    types = ["[f]" if name in ("img_rank", "object_area") else "[t]" for name in columns]
    rows = [[f"sub1/{i}.png", "1", f"20200205-11182{i}_1", "43°30 0", "-17°0 0", "20200205",
             f"11182{i}", "194.6", "207", "b", "y", "b", "0.570", "73", "uvp6", "b"]
            for i in range(3)]
    return "".join("\t".join(line) + "\n" for line in (columns, types, *rows)).encode("latin-1")


@pytest.mark.parametrize("inner", ["", "b_da_19_Images/"])
def test_a_uvp6_archive_is_read_in_place(tmp_path, inner):
    files = {f"{inner}ecotaxa_b_da_19.tsv": uvp6_table(), f"{inner}compute_vignette.txt": b"",
             **{f"{inner}sub1/{i}.png": picture(i) for i in range(3)}}
    put(files, tmp_path / "b_da_19_Images.zip")
    catalog = build_catalog(tmp_path)
    assert [catalog.content(i) for i in range(3)] == [picture(i) for i in range(3)]
    row = catalog.columns.iloc[0]
    assert (row["pixel_size"], row["image_volume"], row["latitude"], row["longitude"]) == (
        73.0, 0.57, 43.5, -17.0)
    assert catalog.group == ["b"] * 3
    assert catalog.path[0] == f"b_da_19_Images.zip/{inner}sub1/0.png"
    stamps = list(catalog.source.stamps(catalog.path))
    assert len(stamps) == 2
    again = build_catalog(tmp_path / "b_da_19_Images.zip")  # the archive alone
    assert again.id == catalog.id


@pytest.mark.parametrize(("instrument", "column", "value", "size"), [
    ("uvp5", "process_pixel", "0.174", 174.0), ("UVP5hd", "process_pixel", "0.088", 88.0),
    ("PlanktoScope v2.6", "process_pixel", "0.75", 0.75),
    ("PlanktoScope v2.1", "process_pixel", "1", None), ("zooscan", "process_pixel", "2", None),
    ("zooscan", "process_particle_pixel_size_µm", "0.0106", 10.6),
    ("uvp6", "acq_pixel", "73", 73.0), ("flowcam", "acq_pixel", "73", None)])
def test_the_size_of_a_pixel_by_instrument(tmp_path, instrument, column, value, size):
    def change(lines):
        for line, cells in zip(lines, [("acq_instrument", column), ("[t]", "[t]"),
                                       *[(instrument, value)] * 4], strict=True):
            line.extend(cells)
    columns = build_catalog(import_of(tmp_path, change)).columns
    assert columns["pixel_size"][0] == pytest.approx(size) if size else (
        "pixel_size" not in columns)


def test_a_table_of_zooprocess_without_its_beginning(tmp_path):
    catalog = build_catalog(import_of(tmp_path, table="Zooscan_scan/_work/net_1.tsv", pictures={
        f"Zooscan_scan/_work/{i}.png": picture(i) for i in range(4)}))
    assert catalog.path == [f"Zooscan_scan/_work/{i}.png" for i in range(4)]


def test_a_planktoscope_archive_without_mark_and_annotations(tmp_path):
    lines, pictures = importable(2)
    drop = [i for i, name in enumerate(lines[0]) if "annotation" in name]
    lines = [[cell for i, cell in enumerate(line) if i not in drop] for line in lines]
    put({"Ecotaxa_a 1.tsv": plain_table(lines)[3:], **pictures}, tmp_path / "a.zip")
    catalog = build_catalog(tmp_path / "a.zip")
    assert catalog.label == ["", ""]
    assert catalog.columns["object_note"].tolist() == ["é", "é"]


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_in_another_normal_form(tmp_path, suffix, forms):
    told, there = (unicodedata.normalize(form, "d\u00e9tritus.png") for form in forms)
    lines, _ = importable(1)
    lines[2][1] = told
    root = put({"ecotaxa_a.tsv": plain_table(lines), there: picture(4)}, tmp_path / f"a{suffix}")
    assert build_catalog(root).content(0) == picture(4)


def test_windows_separators(tmp_path):
    root = import_of(tmp_path, set_cell(2, "img_file_name", "sub\\0.png"),
                     pictures={"sub/0.png": picture(7)})
    assert build_catalog(root).content(0) == picture(7)


def test_what_is_left_aside_and_what_is_no_table(tmp_path):
    import_of(tmp_path / "__MACOSX")
    import_of(tmp_path / ".hidden")
    put({"notes.tsv": b"a\tb\n1\t2\n", "a/x.png": picture(1)}, tmp_path)
    assert kind_of(tmp_path).name == "folder"
    (tmp_path / "damaged.zip").write_bytes(b"PK\3\4")
    assert kind_of(tmp_path / "damaged.zip").name == "zip"
    assert kind_of(tmp_path / "gone").name == "folder"


def test_an_encrypted_table_is_told(tmp_path):
    root = import_of(tmp_path / "a.zip")
    data = bytearray(root.read_bytes())
    with zipfile.ZipFile(root) as archive:
        start = archive.start_dir
    data[start + 8] |= 1  # the first file of the list
    root.write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        build_catalog(root)


@settings(max_examples=40)
@given(st.data())
def test_cells_come_back_as_text_or_the_same_number(tmp_path_factory, data):
    """Whatever stands in free columns is kept, in tables with and without types."""
    text = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=6)
    cells = data.draw(st.lists(st.tuples(text, st.floats(-1e6, 1e6) | st.none()), min_size=1,
                               max_size=5))
    types = data.draw(st.booleans())
    lines, pictures = importable(len(cells))
    area, note = lines[0].index("object_area"), lines[0].index("object_note")
    for line, (told, number) in zip(lines[2:], cells, strict=True):
        line[note] = json.dumps(told) if '"' not in told and "\\" not in json.dumps(told) else "x"
        line[area] = "" if number is None else repr(number)
    notes = [json.loads(line[note]).strip() if line[note] != "x" else "x" for line in lines[2:]]
    lines = lines if types else [lines[0], *lines[2:]]
    root = put({"ecotaxa_a.tsv": plain_table(lines), **pictures},
               tmp_path_factory.mktemp("a") / "a.zip")
    columns = build_catalog(root).columns
    numbers = columns["object_area"]
    if any(number is not None for _, number in cells):
        assert [None if pd.isna(v) else v for v in numbers] == [number for _, number in cells]
    if types:
        assert [None if pd.isna(v) else v for v in columns["object_note"]] == [
            told or None for told in notes]
