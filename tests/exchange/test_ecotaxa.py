"""What is written for EcoTaxa: its import would take it, and it is read again as it was meant."""

import csv
import io

import numpy as np
import pytest
from forging.ecotaxa import files_of_export, importable, objects, picture, plain_table, put

from plankton_features import build_catalog
from plankton_features.errors import InputError
from plankton_features.exchange import write_ecotaxa
from plankton_features.heads.predictions import Predictions
from plankton_features.images import check_ecotaxa

CLASSES = ["Copepoda", "egg<other", "détritus", "Salpida"]
PF = ["object_pf_score", "object_pf_head", "object_pf_taxon2", "object_pf_score2",
      "object_pf_taxon3", "object_pf_score3"]


def predicted(n, seed=0, classes=4):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), n)
    return Predictions(probabilities.argmax(1), probabilities, np.arange(n) % 6 != 5)


def rows_of(data):
    """Rows of a table by column, read with the csv module alone, without header and types."""
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter="\t"))
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def of_object(rows):
    return {row["object_id"]: row for row in rows}


def written(folder):
    return [row for path in sorted(folder.rglob("ecotaxa*.tsv")) for row in rows_of(
        path.read_bytes())]


@pytest.mark.parametrize("kind", ["general", "sample", "taxon", "backup", "doi"])
@pytest.mark.parametrize("types", [False, True])
@pytest.mark.parametrize("update", [False, True])
def test_the_way_back(tmp_path, kind, types, update):
    project = objects(samples=3, each=7)
    files = files_of_export(kind, project, types=types)
    root = put(files, tmp_path / "e.zip")
    catalog, found = build_catalog(root), predicted(21)
    tables = write_ecotaxa(tmp_path / "out", root, catalog.path, CLASSES, found, update=update,
                           head_id="h1")
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in tables)
    assert check_ecotaxa(tmp_path / "out", update=update) == []

    given = {one["cells"]["object_id"]: one["cells"] for one in project}
    code = dict(zip(catalog.id, found.code.tolist(), strict=True))
    accepted = dict(zip(catalog.id, found.accepted.tolist(), strict=True))
    new = {name for name, cells in given.items() if accepted[name]
           and cells["object_annotation_status"] in ("", "predicted")}
    rows = written(tmp_path / "out")
    assert {row["object_id"] for row in rows} == (new if update else set(given))
    assert len(rows) == (len(new) if update else sum(len(one["pictures"]) for one in project))
    for row in rows:
        cells = given[row["object_id"]]
        if row["object_id"] in new:
            assert row["object_annotation_status"] == "predicted"
            assert row["object_annotation_category"] == CLASSES[code[row["object_id"]]]
        else:
            assert row["object_annotation_category"] == cells["object_annotation_category"]
            assert row["object_annotation_status"] == {"X": "discarded"}.get(
                cells["object_annotation_status"], cells["object_annotation_status"])
        assert row["object_pf_head"] == "h1"
        probabilities = found.probabilities[catalog.id.index(row["object_id"])]
        order = np.argsort(-probabilities)
        assert [row["object_pf_taxon2"], row["object_pf_taxon3"]] == [
            CLASSES[i] for i in order[1:3]]
        assert [float(row[name]) for name in ("object_pf_score", "object_pf_score2",
                                              "object_pf_score3")] == pytest.approx(
            probabilities[order[:3]], rel=1e-5)
    originals = [row for path, data in files.items() if path.endswith(".tsv")
                 for row in (rows_of(data) if types or kind == "backup" else rows_of(
                     data.replace(b"\n", b"\n\n", 1)))]
    untouched = {name for name in originals[0] if "annotation" not in name
                 and not (update and name.startswith("img_"))}
    by_object = of_object(originals) if originals else {}
    for row in rows:
        original = by_object.get(row["object_id"])
        if original is not None:
            assert {n: row[n] for n in untouched - {"img_file_name", "img_rank"}} == {
                n: original[n] for n in untouched - {"img_file_name", "img_rank"}}


def test_new_objects_are_read_again(tmp_path):
    project = objects(samples=2, each=6)
    root = put(files_of_export("backup", project), tmp_path / "e")
    catalog, found = build_catalog(root), predicted(12)
    write_ecotaxa(tmp_path / "out", root, catalog.path, CLASSES, found)
    again = build_catalog(tmp_path / "out", status=["validated", "predicted"])
    assert (again.path, again.id, again.group) == (catalog.path, catalog.id, catalog.group)
    assert [again.content(i) for i in range(12)] == [catalog.content(i) for i in range(12)]
    assert again.columns["img_ranks"].tolist() == catalog.columns["img_ranks"].tolist()
    predicted_rows = again.columns["status"] == "predicted"
    assert [label for label, is_new, ok in zip(again.label, predicted_rows, found.accepted,
                                               strict=True) if is_new and ok] == [
        CLASSES[code] for code, is_new, ok in zip(found.code, predicted_rows, found.accepted,
                                                  strict=True) if is_new and ok]


def test_cells_are_unchanged_to_the_letter(tmp_path):
    lines, pictures = importable(3)
    for line, odd in zip(lines[2:], ("1.500", " 007", "1e3"), strict=True):
        line[lines[0].index("object_area")] = odd
        line[lines[0].index("object_note")] = f' é "{odd}"'
    root = put({"ecotaxa_a.tsv": plain_table(lines), **pictures}, tmp_path / "in")
    write_ecotaxa(tmp_path / "out", root, ["0.png", "1.png", "2.png"], CLASSES, predicted(3))
    rows = written(tmp_path / "out")
    assert [row["object_area"] for row in rows] == ["1.500", " 007", "1e3"]
    assert [row["object_note"] for row in rows] == [' é "1.500"', ' é " 007"', ' é "1e3"']
    assert (tmp_path / "out" / "1.png").read_bytes() == pictures["1.png"]


@pytest.mark.parametrize(("status", "kept"), [("predicted", ""), ("validated", "Ann")])
def test_who_annotated_is_emptied_of_what_is_predicted_anew(tmp_path, status, kept):
    lines, pictures = importable(1)
    for line, cell in zip(lines, ("object_annotation_person_name", "[t]", "Ann"), strict=True):
        line.append(cell)
    lines[2][lines[0].index("object_annotation_status")] = status
    lines.append(["o9", *lines[2][1:]])
    lines[3][lines[0].index("object_annotation_status")] = "predicted"
    lines[3][1] = "9.png"
    root = put({"ecotaxa_a.tsv": plain_table(lines), **pictures, "9.png": picture(9)},
               tmp_path / "in")
    write_ecotaxa(tmp_path / "out", root, ["0.png", "9.png"], CLASSES, predicted(2))
    assert [row["object_annotation_person_name"] for row in written(tmp_path / "out")] == [kept, ""]


def test_numbers_of_taxa(tmp_path):
    root = put(files_of_export("backup", objects(samples=3, each=7)), tmp_path / "e")
    catalog = build_catalog(root)
    write_ecotaxa(tmp_path / "out", root, catalog.path, CLASSES, predicted(21),
                  taxon_ids={"Salpida": 7})
    known = {"Copepoda": "25828", "egg<other": "85078", "détritus": "84963", "Salpida": "7"}
    rows = [row for row in written(tmp_path / "out")
            if row["object_annotation_status"] == "predicted"]
    assert {row["object_annotation_category"] for row in rows} >= {"Salpida", "détritus"}
    assert all(row["object_annotation_category_id"] == known[row["object_annotation_category"]]
               for row in rows)


def test_writing_twice_adds_no_columns(tmp_path):
    root = put(files_of_export("backup", objects()), tmp_path / "e")
    catalog = build_catalog(root)
    write_ecotaxa(tmp_path / "a", root, catalog.path, CLASSES, predicted(8))
    again = build_catalog(tmp_path / "a")
    write_ecotaxa(tmp_path / "b", tmp_path / "a", again.path, CLASSES, predicted(8, seed=1))
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    assert list(first[0]) == list(second[0])
    assert first[0]["object_pf_score"] != second[0]["object_pf_score"]


@pytest.mark.parametrize(("there", "expected"), [(17, PF), (18, PF[:4] + PF[5:]), (20, [
    PF[0], PF[3], PF[5]])])
def test_a_project_that_is_nearly_full(tmp_path, there, expected):
    lines, pictures = importable(2)
    for i in range(there - 1):
        for line, cell in zip(lines, (f"object_x{i}", "[t]", "a", "b"), strict=True):
            line.append(cell)
    root = put({"ecotaxa_a.tsv": plain_table(lines), **pictures}, tmp_path / "in")
    write_ecotaxa(tmp_path / "out", root, ["0.png", "1.png"], CLASSES, predicted(2))
    assert [name for name in written(tmp_path / "out")[0] if "pf_" in name] == expected
    assert check_ecotaxa(tmp_path / "out") == []


def test_columns_that_no_import_takes_are_left_out(tmp_path):
    lines, pictures = importable(2)
    for name in ("objid", "classif_id", "object_area", "", "img_note"):
        for line, cell in zip(lines, (name, "[t]", "" if not name else "5", ""), strict=True):
            line.append(cell)
    root = put({"Ecotaxa_a.txt": plain_table(lines), **pictures}, tmp_path / "in")
    tables = write_ecotaxa(tmp_path / "out", root, ["0.png"], CLASSES, predicted(1))
    assert [path.name for path in tables] == ["ecotaxa_a.tsv"]
    assert check_ecotaxa(tmp_path / "out") == []
    assert not (tmp_path / "out" / "1.png").exists()


def test_lines_that_could_not_be_used_are_not_written(tmp_path):
    lines, pictures = importable(2)
    root = put({"ecotaxa_a.tsv": plain_table([*lines, lines[2], ["o1", "1.png"] + ["x"] * 20]),
                **pictures}, tmp_path / "in")
    for update in (False, True):
        out = tmp_path / f"out{update}"
        write_ecotaxa(out, root, ["0.png", "1.png"], CLASSES, predicted(2), update=update)
        assert [row["object_id"] for row in written(out)] == ["o0", "o1"]
        assert check_ecotaxa(out, update=update) == []


def test_a_uvp6_archive_becomes_a_folder(tmp_path):
    lines, _ = importable(2)
    lines[2][1], lines[3][1] = "sub1/0.png", "sub1/1.png"
    put({"ecotaxa_b.tsv": plain_table(lines), "sub1/0.png": picture(0), "sub1/1.png": picture(1)},
        tmp_path / "b_Images.zip")
    paths = build_catalog(tmp_path).path
    write_ecotaxa(tmp_path / "out", tmp_path, paths, CLASSES, predicted(2))
    assert check_ecotaxa(tmp_path / "out") == []
    assert (tmp_path / "out/b_Images/sub1/1.png").read_bytes() == picture(1)


def test_what_cannot_be_written(tmp_path):
    root = put(files_of_export("backup", objects()), tmp_path / "e")
    paths = build_catalog(root).path
    with pytest.raises(InputError, match=r"'x\.png' is none"):
        write_ecotaxa(tmp_path / "out", root, ["x.png"], CLASSES, predicted(1))
    with pytest.raises(InputError, match="expected 2 and 4"):
        write_ecotaxa(tmp_path / "out", root, paths, CLASSES, predicted(2))
    none = Predictions(np.zeros(8, int), np.eye(4)[[0] * 8], np.zeros(8, bool))
    with pytest.raises(InputError, match="no object gets a new taxon"):
        write_ecotaxa(tmp_path / "out", root, paths, CLASSES, none)
    assert not (tmp_path / "out").exists()
    write_ecotaxa(tmp_path / "out", root, paths, CLASSES, predicted(8))
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*.*")}
    with pytest.raises(Exception, match="overwrite"):
        write_ecotaxa(tmp_path / "out", root, paths, CLASSES, predicted(8, seed=1))
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*.*")} == before
    write_ecotaxa(tmp_path / "out", root, paths, CLASSES, predicted(8, seed=1), overwrite=True)
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*.*")} != before
