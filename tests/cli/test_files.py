"""``info``, ``verify`` and ``merge``."""

import json
import re

import pytest

from plankton_features import read_features


@pytest.fixture
def feature_file(images, tmp_path, extract):
    extract(images, tmp_path / "out.h5")
    return tmp_path / "out.h5"


def test_info(feature_file, run):
    code, out, _ = run("info", feature_file)
    assert code == 0
    for text in ("rows", "12", "recipe canvas", "Кладоцера", "label_conflicts"):
        assert text in out


def test_info_json(feature_file, run):
    summary = json.loads(run("info", feature_file, "--json")[1])
    assert summary["rows"] == 12
    assert summary["failed"] == summary["duplicates"] == summary["label_conflicts"] == 1
    assert summary["classes"] == {"bubble": 5, "Calanus finmarchicus": 4, "Кладоцера": 3}
    assert summary["recipe"]["backbone"] == "pixels"


def test_info_lists_the_extra_columns(images, tmp_path, extract, run):
    rows = [f"bubble/{i}.png,{i or ''},{'x' if i % 2 else 'NaN'}" for i in range(3)]
    table = images / "t.csv"
    table.write_text("\n".join(["path,depth [m],[bold] note", *rows]), encoding="utf-8")
    extract(table, tmp_path / "t.h5")
    out = run("info", tmp_path / "t.h5")[1]
    assert re.search(r"column depth +int64 in m, missing in 1 *\n", out)
    assert re.search(r"column \[bold\] note +text, missing in 0 *\n", out)
    assert json.loads(run("info", tmp_path / "t.h5", "--json")[1])["columns"] == [
        {"name": "depth", "type": "int64", "unit": "m", "missing": 1},
        {"name": "[bold] note", "type": "text", "unit": "", "missing": 0}]


def test_info_problems(feature_file, run):
    lines = run("info", feature_file, "--problems")[1].splitlines()
    assert [line.split("\t")[0] for line in lines] == ["failed", "duplicate", "label conflict"]
    assert "bubble/broken.jpg" in lines[0]


def test_info_of_other_files(tmp_path, run):
    (tmp_path / "x.h5").write_text("text")
    assert "not a feature file" in run("info", tmp_path / "x.h5")[2]
    assert "no such feature file" in run("info", tmp_path / "y.h5")[2]


def test_verify(feature_file, images, run):
    code, out, _ = run("verify", feature_file, images)
    assert code == 0
    assert "13 files compared: 0 missing, 0 changed, 0 not in the file" in out
    assert "least cosine similarity 1.000000" in out


def test_verify_finds_what_changed(feature_file, images, run):
    (images / "bubble" / "0.png").unlink()
    (images / "bubble" / "1.png").write_bytes((images / "bubble" / "2.png").read_bytes())
    (images / "bubble" / "new.png").write_bytes(b"?")
    code, out, _ = run("verify", feature_file, images)
    assert code == 1
    assert "1 missing, 1 changed, 1 not in the file" in out
    assert "changed  bubble/1.png" in out


def test_verify_against_other_images(feature_file, tmp_path, images, run):
    code, _, err = run("verify", feature_file, images / "bubble")
    assert code == 1
    assert "Give the folder, archive or table it was made from" in err


def test_merge(feature_file, images, tmp_path, extract, run):
    extract(images / "bubble", tmp_path / "b.h5")
    code, _, err = run("merge", feature_file, tmp_path / "b.h5", "-o", tmp_path / "c.h5")
    assert code == 0, err
    merged = read_features(tmp_path / "c.h5")
    assert len(merged) == 12
    assert len(merged.duplicates) == 6


def test_merge_refuses_another_recipe(feature_file, images, tmp_path, extract, run):
    extract(images, tmp_path / "b.h5", "--views", "none")
    code, _, err = run("merge", feature_file, tmp_path / "b.h5", "-o", tmp_path / "c.h5")
    assert code == 1
    assert "views: found rot4, asked for none" in err
    assert not (tmp_path / "c.h5").exists()
