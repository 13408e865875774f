"""One call does what ``fit-head`` does."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from plankton_features import HeadOptions, load_head, read_features
from plankton_features.cli.main import main
from plankton_features.errors import InputError, StoreError
from plankton_features.files.together import Together
from plankton_features.heads import Grouping, fit_head, make_folds
from plankton_features.images.synthetic import make_vignettes
from plankton_features.report import write_results
from plankton_features.results import compare, describe_fit, validate

OF_THE_RUN = ("created", "command", "seconds")


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Five classes with tows, one image without a label."""
    folder = tmp_path_factory.mktemp("validate")
    make_vignettes(folder / "imgs", n_classes=5, n_images=150, imbalance=20, seed=3, groups=12,
                   table=folder / "imgs.csv")
    table = pd.read_csv(folder / "imgs.csv", keep_default_na=False)
    table.loc[0, "label"] = ""
    table.to_csv(folder / "imgs.csv", index=False)
    assert main(["extract", str(folder / "imgs.csv"), str(folder / "out.h5"), "--backbone",
                 "pixels", "--canvas", "32", "--quiet"]) == 0
    return folder / "out.h5"


OPTIONS = HeadOptions(sampler="smote", floor=30, min_precision=0.7)


@pytest.fixture(scope="module")
def results(features):
    return validate(features, OPTIONS, folds=3, compare=("lda", HeadOptions(sampler="smote")),
                    non_living=["C*"], command="by hand")


def without_the_run(told):
    told = json.loads(json.dumps(told))
    for row in (told["comparison"] or {"rows": ()})["rows"]:
        del row["seconds"]
    return {name: part for name, part in told.items() if name not in OF_THE_RUN}


def test_the_command_and_the_call_tell_the_same(features, results, tmp_path):
    assert main(["fit", str(features), "-o", str(tmp_path / "cli"), "--folds", "3", "--sampler",
                 "smote", "--floor", "30", "--min-precision", "0.7", "--non-living", "C*",
                 "--compare", "lda,smote", "--probabilities", "all", "--quiet"]) == 0
    written = write_results(results, tmp_path / "own", probabilities="all")
    ours, theirs = (json.loads((tmp_path / f"{name}.results.json").read_text())
                    for name in ("own", "cli"))
    rows = theirs["comparison"]["rows"]
    assert rows.pop(2)["name"] == "smote / logistic"  # whose floor is 30 there
    assert ours["comparison"]["rows"].pop(2)["name"] == "smote / logistic"
    for told in (ours, theirs):
        told["comparison"].pop("recommendation")
    assert without_the_run(ours) == without_the_run(theirs)
    assert ours["command"] == "by hand"
    assert written.files["head"] == tmp_path / "own.head"
    assert (tmp_path / "own.predictions.csv").read_bytes() == (
        tmp_path / "cli.predictions.csv").read_bytes()
    X = read_features(features).X
    assert np.array_equal(load_head(tmp_path / "own.head").decision_scores(X),
                          load_head(tmp_path / "cli.head").decision_scores(X))
    assert written.pictures.found > 0
    assert "data:image/webp" in (tmp_path / "own.report.html").read_text("utf-8")


def test_an_open_file_and_its_path_are_the_same(features):
    first, second = (validate(source, HeadOptions(pca=8), folds=3)
                     for source in (str(features), read_features(features)))
    assert without_the_run(first.to_dict()) == without_the_run(second.to_dict())


def test_parts_are_typed_and_agree_with_what_is_written(results):
    told = results.to_dict()
    assert results.run.seconds > 0
    assert told["scores"]["macro_f1"]["estimate"] == float(results.scores["macro_f1"].estimate)
    assert told["living"]["rows"] == results.living.summary.support.sum()
    table = results.per_class()
    assert table["f1.low"].tolist() == [one["f1"]["low"] for one in told["per_class"]]
    assert [one["after"] for one in told["sampling"]] == table["training"].tolist()
    assert results.optimism.ungrouped["accuracy"] == told["optimism"]["ungrouped"]["accuracy"]
    assert results.optimism.sentence in results.warnings
    assert "1 image without a label left out." in results.warnings
    assert results.groups.tolist() == results.images["group"].tolist()
    assert told["folds"]["n_groups"] == 12
    compared = results.comparison.table().set_index("name")
    gap = compared.loc["smote / lda"]
    assert gap["low"] <= gap["difference"] <= gap["high"]
    assert gap["difference"] == pytest.approx(
        gap["macro_f1"] - compared.loc["none / logistic", "macro_f1"])


def test_groups_can_be_found_otherwise_or_left_aside(features):
    file = read_features(features)
    with pytest.raises(InputError, match="each class lies in one group only"):
        validate(file, grouping=Grouping(level=2), folds=3)
    found = validate(file, HeadOptions(pca=8), grouping=Grouping(pattern=r"syn_000(\d\d)"), folds=3)
    table = found.predictions()
    assert table["group"].tolist() == [path.split("syn_000")[1][:2] for path in table["path"]]
    assert table.groupby("group")["fold"].nunique().tolist() == [1] * 15
    alone = validate(file, HeadOptions(pca=8), grouping=None, folds=3)
    assert alone.groups is None
    assert alone.optimism is None
    assert alone.warnings[1].startswith("No groups: ")


def test_comparing_needs_no_head(features, results):
    told = compare(features, ("lda",), HeadOptions(sampler="smote", floor=30, min_precision=0.7),
                   folds=3).to_dict()
    assert [row["name"] for row in told["rows"]] == ["none / logistic", "smote / lda"]
    assert told["rows"][0]["scores"] == results.comparison.ways[0].to_dict()["scores"]


@pytest.mark.parametrize(("how", "message"), [
    ({"folds": 2}, "3 or more"), ({"non_living": ["dust*"]}, "no class is named"),
    ({"validation_size": 0.2}, "test-size only"), ({"compare": ["smite"]}, "neither a sampler"),
    ({"test_size": 0.2, "repeats": 2}, "folds only")])
def test_what_is_wrong_is_told_before_anything_is_fitted(features, monkeypatch, how, message):
    from plankton_features.results import validating

    monkeypatch.setattr(validating, "fit_head", lambda *_, **__: pytest.fail("fitted"))
    with pytest.raises(InputError, match=message):
        validate(features, **how)


def test_without_labels_the_file_is_named(features, tmp_path):
    bare = tmp_path / "bare.h5"
    bare.write_bytes(features.read_bytes())
    with h5py.File(bare, "r+") as file:
        file["images/label"][:] = b""
    with pytest.raises(InputError, match=r"bare\.h5: labels: no image has a label"):
        validate(bare)


def test_files_are_written_all_or_none_and_never_over_others(results, features, tmp_path):
    (tmp_path / "a.results.json").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_results(results, tmp_path / "a")
    with pytest.raises(InputError, match="expected one of top, all"):
        write_results(results, tmp_path / "b", probabilities="some")
    with Together([tmp_path / "c.head"]), pytest.raises(StoreError, match="another process"):
        write_results(results, tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["a.results.json"]
    written = write_results(results, tmp_path, overwrite=True)
    assert written.files["head"] == tmp_path / "out.head"
    assert len(list(tmp_path.iterdir())) == 5


def test_results_of_an_array_have_files_if_they_get_a_name(tmp_path):
    labels = np.repeat(["copepod", "diatom"], 30)
    X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    results = describe_fit(fit_head(X, labels, make_folds(labels)))
    with pytest.raises(InputError, match="expected the begin of the names"):
        write_results(results)
    write_results(results, tmp_path / "array")
    table = pd.read_csv(tmp_path / "array.predictions.csv", keep_default_na=False)
    assert sorted(table["path"].astype(int)) == list(range(60))
    assert table["label"].tolist() == labels[table["path"].astype(int)].tolist()
    with pytest.raises(InputError, match=r"one for each of 60 rows .* got 3"):
        describe_fit(results.fit, images=table[:3])
