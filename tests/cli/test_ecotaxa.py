"""From an EcoTaxa export to features, a head, and back to EcoTaxa."""

import csv

import pytest
from forging.ecotaxa import files_of_export, objects, put

from plankton_features import build_catalog, read_features


@pytest.fixture
def project(tmp_path):
    """70 objects with two broken lines."""
    files = files_of_export("backup", objects(samples=5, each=14))
    name = "samp 1/ecotaxa_samp 1.tsv"
    files[name] += b'"none.png"\t0\t"lost"\nx\t1\n'
    return put(files, tmp_path / "export.zip")


def test_what_is_found_is_said_and_kept(project, tmp_path, extract, run):
    code, out, err = extract(project, tmp_path / "a.h5")
    assert (code, err) == (0, "")
    assert "EcoTaxa export" not in out
    assert ("EcoTaxa import (zooscan), 5 tables, 71 objects, 3 taxa, 5 samples, 30 validated, "
            "10 predicted, 10 dubious and 10 discarded without label, 1 line with faults") in out
    assert "72 found = 70 written + 0 duplicates + 2 failed" in out
    file = read_features(tmp_path / "a.h5")
    assert set(file.groups) == {f"samp {i}" for i in range(1, 6)}
    known = file.columns("pixel_size", "status", "line")
    assert known["pixel_size"].tolist() == pytest.approx([10.6] * 70)
    failed = file.failures.set_index("path")["reason"].to_dict()
    assert failed["samp 1/none.png"].startswith("no such file; samp 1/ecotaxa_samp 1.tsv, line ")
    out = run("info", tmp_path / "a.h5", "--problems")[1]
    assert "object_id is empty" in out
    assert run("verify", tmp_path / "a.h5", project)[0] == 0


def test_labels_and_groups_are_chosen(project, tmp_path, extract):
    assert extract(project, tmp_path / "a.h5", "--status", "predicted,dubious", "--group-by",
                   "day")[0] == 0
    file = read_features(tmp_path / "a.h5")
    assert sum(label != "" for label in file.y) == 20
    assert set(file.groups) == {"2020-02-05"}
    code, _, err = extract(project, tmp_path / "b.h5", "--group-by", "tow")
    assert code == 1
    assert "there is no column tow" in err


@pytest.fixture
def head(project, tmp_path, extract, run):
    extract(project, tmp_path / "a.h5")
    assert run("fit", tmp_path / "a.h5", "--folds", "3", "--ungrouped")[0] == 0
    return tmp_path / "a.head"


@pytest.mark.parametrize("update", [[], ["--update-ecotaxa"]])
@pytest.mark.parametrize("ready", [True, False])
def test_back_to_ecotaxa(project, head, tmp_path, run, update, ready):
    source = tmp_path / "a.h5" if ready else project
    code, out, err = run("classify", head, source, "-o", tmp_path / "c.csv", "--to", "ecotaxa",
                         tmp_path / "back", *update)
    assert (code, err) == (0, "")
    assert "5 tables in" in out
    assert run("check-ecotaxa", tmp_path / "back", *update)[0] == 0
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        said = {row["id"]: row["taxon"] for row in csv.DictReader(file)}
    if not update:
        again = build_catalog(tmp_path / "back", status=["predicted"])
        first = build_catalog(project)
        assert set(again.id) == set(first.id) - {"", "lost"}
        labelled = {one: label for one, label in zip(again.id, again.label, strict=True) if label}
        assert len(labelled) == 20  # predicted before, or not at all
        assert labelled == {one: said[one] for one in labelled}


def test_what_cannot_go_there(head, tmp_path, run, images, extract):
    code, _, err = run("classify", head, images, "-o", tmp_path / "c.csv", "--to", "ecotaxa",
                       tmp_path / "back")
    assert code == 1
    assert "no tables of EcoTaxa are at" in err
    assert not list(tmp_path.glob("c.*"))
    extracted = tmp_path / "b.h5"
    assert extract(images, extracted)[0] == 0
    code, _, err = run("classify", head, extracted, "-o", tmp_path / "c.csv", "--to", "ecotaxa",
                       tmp_path / "back")
    assert code == 1
    assert "no tables of EcoTaxa are at" in err
    assert run("classify", head, images, "-o", "d.csv", "--to", "other", "x")[0] == 2
    assert run("classify", head, images, "-o", "d.csv", "--update-ecotaxa")[0] == 2
