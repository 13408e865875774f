"""Extra columns of a feature file come out with the predictions, as they went in."""

import csv

import numpy as np
import pandas as pd
import pytest

from plankton_features import build_catalog, read_features
from plankton_features.cli.main import main
from plankton_features.errors import InputError
from plankton_features.images.synthetic import make_vignettes
from plankton_features.results import classify

CELLS = [("1e3", "007", "9007199254740993", ""), ("NaN", "é, \"x\"", "-5", "1"),
         ("", "", "", "2"), ("43.12345678901234", "NA", "0", "3")]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Features of 60 images and a copy, from a table with more columns, and a head."""
    root = tmp_path_factory.mktemp("world")
    make_vignettes(root / "imgs", n_classes=3, n_images=60, imbalance=2)
    catalog = build_catalog(root / "imgs")
    (root / "imgs" / "copy.png").write_bytes((root / "imgs" / catalog.path[0]).read_bytes())
    with (root / "imgs" / "t.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["lat [°]", "path", "label", "note", "CTD/n", "taxon"])
        for i, (path, label) in enumerate(zip([*catalog.path, "copy.png"],
                                              [*catalog.label, catalog.label[0]], strict=True)):
            lat, note, n, taxon = CELLS[i % 4 if path != "copy.png" else 3]
            writer.writerow([lat, path, label, note, n, taxon])
    assert main(["extract", str(root / "imgs" / "t.csv"), str(root / "out.h5"), "--backbone",
                 "pixels", "--quiet"]) == 0
    assert main(["fit", str(root / "out.h5"), "--folds", "3", "--quiet"]) == 0
    return root


def test_what_went_in_comes_out(world, tmp_path):
    names = ["lat", "note", "CTD/n"]
    assert main(["classify", str(world / "out.head"), str(world / "out.h5"), "-o",
                 str(tmp_path / "p.csv"), "--columns", "lat,note,CTD/n", "--quiet"]) == 0
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (world / "imgs" / "t.csv").open(encoding="utf-8", newline="") as file:
        given = {row["path"]: row for row in csv.DictReader(file)}
    assert list(rows[0])[:7] == ["path", "id", "label", "lat [°]", "note", "CTD/n", "taxon"]
    assert len(rows) == 61
    for row in rows:
        wanted = given[row["path"]]
        assert row["lat [°]"] == wanted["lat [°]"].replace("1e3", "1000")
        assert (row["note"], row["CTD/n"]) == (wanted["note"], wanted["CTD/n"])
    assert rows[1]["path"] == "copy.png"  # below its picture, with its own cells
    assert rows[1]["lat [°]"] == CELLS[3][0]
    table = classify(world / "out.head", world / "out.h5", columns=names).table
    assert [str(kind) for kind in table.dtypes.iloc[3:6]] == ["Float64", "string", "Int64"]


def test_by_default_there_are_none(world):
    table = classify(world / "out.head", world / "out.h5").table
    assert not {"lat", "lat [°]", "note", "CTD/n"} & set(table)


def test_all_of_them(world, tmp_path):
    """Of which none may be called like a column of the predictions."""
    with pytest.raises(InputError, match="column 'taxon': predictions have one of this name"):
        classify(world / "out.head", world / "out.h5", tmp_path / "p.csv", columns="all")
    assert not (tmp_path / "p.csv").exists()
    frame = pd.DataFrame({"path": [str(p) for p in sorted((world / "imgs").glob("*/*.png"))[:3]],
                          "n": [1, 2, 3]})
    found = classify(world / "out.head", build_catalog(frame), columns="all")
    assert found.table["n"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("columns", "said"), [
    (["depth"], r"no extra column 'depth'\. There are: lat, note, CTD/n, taxon\."),
    ("lat [°]", "no extra column"), (["path"], "no extra column 'path'")])
def test_columns_that_are_not_there(world, tmp_path, columns, said):
    with pytest.raises(InputError, match=said):
        classify(world / "out.head", world / "out.h5", tmp_path / "p.csv", columns=columns)
    assert not (tmp_path / "p.csv").exists()


def test_an_array_has_none(world):
    X = np.asarray(read_features(world / "out.h5").X)
    with pytest.raises(InputError, match="columns: an array has none"):
        classify(world / "out.head", X, columns="all")
