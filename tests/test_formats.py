"""docs/formats.md says what is in the files: nothing that is not there, and all that is."""

import json
import re
from pathlib import Path
from zipfile import ZipFile

import h5py
import pandas as pd
import pytest

from plankton_features.cli.main import main
from plankton_features.images.synthetic import make_vignettes

TEXT = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")


def table(title, number=0):
    """Names in the first column of a table below a heading, and the text of its lines."""
    part = re.split(rf"^##+ {re.escape(title)}.*$", TEXT, flags=re.MULTILINE)[1]
    part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
    found = re.findall(r"(?:^\|.*\n)+", part, re.MULTILINE)[number].splitlines()[2:]
    return [name for line in found for name in re.findall(r"`([^`]+)`", line.split("|")[1])], found


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with what the commands write, with most options."""
    root = tmp_path_factory.mktemp("files")
    make_vignettes(root / "imgs", n_classes=3, n_images=60, imbalance=2, table=root / "labels.csv")
    (root / "imgs" / "Discoida" / "broken.png").write_bytes(b"not an image")
    for command in (
            ("extract", root / "labels.csv", root / "out.h5", "--backbone", "pixels"),
            ("extract", root / "imgs", root / "plain.h5", "--backbone", "pixels"),
            ("merge", root / "out.h5", root / "plain.h5", "-o", root / "all.h5"),
            ("fit", root / "out.h5", "--folds", "3", "--compare", "smote", "--non-living",
             "Discoida", "--min-precision", "0.5"),
            ("fit", root / "plain.h5", "--folds", "3"),
            ("fit", root / "out.h5", "-o", root / "whole", "--folds", "3", "--probabilities",
             "all"),
            ("classify", root / "out.head", root / "out.h5", "-o", root / "new.csv"),
            ("classify", root / "out.head", root / "out.h5", "-o", root / "all.csv",
             "--probabilities", "all")):
        quiet = () if command[0] in ("merge", "info") else ("--quiet",)
        assert main([str(a) for a in (*command, *quiet)]) == 0
    return root


def test_datasets(files):
    found = set()
    with h5py.File(files / "out.h5") as file:
        file.visititems(lambda name, item: found.add(name) if hasattr(item, "dtype") else None)
    assert sorted(table("Feature file")[0]) == sorted(found)


def test_extra_columns(files, tmp_path):
    table = (files / "labels.csv").read_text(encoding="utf-8").splitlines()
    lines = ["CTD/temp [K],"+table[0], *("," + line for line in table[1:])]
    (files / "more.csv").write_text("\n".join(lines), encoding="utf-8")
    assert main(["extract", str(files / "more.csv"), str(tmp_path / "more.h5"), "--backbone",
                 "pixels", "--quiet"]) == 0
    with h5py.File(tmp_path / "more.h5") as file:
        for name in ("images", "failures", "duplicates"):
            assert f"`columns/{name}`" in TEXT
            assert len(file[f"columns/{name}/CTD%2Ftemp"]) == len(file[f"{name}/path"])
        assert dict(file["columns/images/CTD%2Ftemp"].attrs) == {"unit": "K"}
        assert "`columns/images/CTD%2Ftemp`" in TEXT
        assert "catalog_columns" in file.attrs
        assert file.attrs["format_version"] == 2


def test_root_attributes(files):
    named = set(table("Feature file", 2)[0]) - {"precision_drift", "catalog_columns", "morphometry"}
    with h5py.File(files / "out.h5") as one, h5py.File(files / "all.h5") as merged:
        assert set(one.attrs) | set(merged.attrs) == named
        absent = {"device", "batch", "images", "versions"}
        assert named - set(merged.attrs) - absent == {n for n in named if n.startswith("catalog_")}


def test_stages_of_failures():
    source = Path(main.__globals__["__file__"]).parents[1]
    raised = {stage for path in source.rglob("*.py") for stage in re.findall(
        r'ImageFailure\("(\w+)"', path.read_text(encoding="utf-8"))}
    assert set(table("Failures and duplicates")[0]) == raised


def test_head(files):
    with ZipFile(files / "out.head") as archive:
        assert sorted(table("Head file")[0]) == sorted(archive.namelist())
        assert sorted(table("Head file", 1)[0]) == sorted(json.loads(archive.read("head.json")))


def test_predictions(files):
    """Both tables have the columns that the page marks as theirs, in its order."""
    classes = sorted(pd.read_csv(files / "out.predictions.csv")["label"].unique())
    _, lines = table("Predictions")
    for kind, names in (("classify", ("new.csv", "all.csv")),
                        ("fit-head", ("out.predictions.csv", "whole.predictions.csv"))):
        own = [line for line in lines if line.split("|")[2].strip() in ("both", kind)]
        named = [name for line in own for name in re.findall(r"`([^`]+)`", line.split("|")[1])]
        named = [name for name in named if name not in ("lineage", "p_")]
        for file, more in zip(names, ([], [f"p_{name}" for name in classes]), strict=True):
            assert list(pd.read_csv(files / file)) == named + more


def test_results(files):
    results, plain = (json.loads((files / f"{name}.results.json").read_text(encoding="utf-8"))
                      for name in ("out", "plain"))
    named, lines = table("results.json")
    assert sorted(named) == sorted(results) == sorted(plain)
    for path in re.findall(r"`(\w+(?:\[\])?\.[\w.\[\]]+)`", "".join(lines)):
        value = results
        for key in path.replace("[]", ".0").split("."):
            value = value[int(key) if key.isdecimal() else key]
    for line in lines:
        key = line.split("`")[1]
        assert (plain[key] is None) == ("else null" in line), key
    assert set(re.findall(r"`options\.(\w+)`", "".join(lines))) == set(results["options"])
    after = re.search(r"`calibration\.after` with (.*?)\|", "".join(lines))[1]
    assert set(re.findall(r"`(\w+)`", after)) - {"width", "mass"} == set(
        results["calibration"]["after"])


def test_every_key_of_a_class_and_of_a_way_is_named(files):
    results = json.loads((files / "out.results.json").read_text(encoding="utf-8"))
    for name in ("per_class", "choices", "sampling"):
        keys = set(re.findall(rf"`{name}\[\]\.(\w+)`", TEXT))
        assert keys == set(results[name][0])
    assert set(re.findall(r"`comparison\.rows\[\]\.(\w+)`", TEXT)) == set(
        results["comparison"]["rows"][0])
