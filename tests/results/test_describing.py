import json

import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.extraction import open_session
from plankton_features.heads import HeadOptions, fit_head, make_folds
from plankton_features.heads.origin import origin_of
from plankton_features.report import collect_pictures, write_json, write_report
from plankton_features.results import RunFacts, calibration_reports, describe_fit, out_of_fold_table
from plankton_features.store import read_features


@pytest.fixture(scope="module")
def features(catalog, tmp_path_factory):
    output = tmp_path_factory.mktemp("features") / "out.h5"
    open_session(backbone="pixels", canvas=32).extract(catalog, output)
    return read_features(output)


@pytest.fixture(scope="module")
def fitted(features):
    folds = make_folds(features.y, digests=features.digests(), n_folds=3)
    return fit_head(features, features.y, folds, HeadOptions(pca=5, sampler="smote", floor=60))


def test_a_head_of_a_feature_file_knows_its_recipe(features, fitted):
    assert fitted.head.recipe_id == features.recipe_id
    assert fitted.head.recipe == features.recipe
    assert list(fitted.head.feature_names) == features.feature_names
    assert fitted.head.info["features"] == str(features.path)
    assert fitted.head.info["engine"] == "numpy"


def test_of_an_array_nothing_is_known(features):
    assert origin_of(features.X).recipe == {}
    assert origin_of(features.X).info == {}


def test_what_is_told_is_complete_and_goes_to_page_and_json(features, fitted, tmp_path):
    told = describe_fit(fitted, non_living=["bub*"], run=RunFacts("by hand"))
    results = told.to_dict()
    assert (results["features"]["path"], results["features"]["rows"]) == (
        str(features.path), len(features))
    assert results["options"] | {"repeats": 1, "non_living": ["bub*"]} == results["options"]
    assert results["options"]["sampler"] == "smote"
    assert results["living"]["classes"] == ["bubble"]
    assert results["warnings"][0].startswith("No groups: ")
    write_json(told, tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text()) == results
    assert results["command"] == "by hand"
    frame = out_of_fold_table(fitted, features.images)
    pictures = collect_pictures(frame, features.attributes["images"])
    assert pictures.found == len(pictures.rows) > 0
    write_report(told, tmp_path / "r.html", pictures)
    write_report(results, tmp_path / "of_json.html", pictures)
    assert (tmp_path / "of_json.html").read_bytes() == (tmp_path / "r.html").read_bytes()
    assert "smote resampling (floor 60)" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("patterns", "message"), [
    (["dust*"], "no class is named 'dust\\*'. There are a, b"), (["?"], "that is every class")])
def test_patterns_that_leave_nothing_are_refused(patterns, message):
    from plankton_features.results.describing import non_living_classes

    with pytest.raises(InputError, match=message):
        non_living_classes(patterns, np.array(["b", "a"]))


ODD = ["Acartia*", "Acartia tonsa", "Ceratium [furca]", "Oithona, juv.", "d\u00e9tritus", "a?c",
       "e\u0301ponge", "abc"]


@pytest.mark.parametrize(("pattern", "named"), [
    *(([name], [name]) for name in ODD),
    (["Acartia**"], ["Acartia tonsa", "Acartia*"]),
    (["Acartia[*]"], ["Acartia*"]),
    (["de\u0301tritus"], ["d\u00e9tritus"]),
    (["de\u0301*"], ["d\u00e9tritus"]),
    (["\u00e9p*", "\u00e9ponge"], ["e\u0301ponge"]),
    (["a[?]c"], ["a?c"]),
    (["O*, *"], ["Oithona, juv."]),
])
def test_a_name_is_a_name_before_it_is_a_pattern(pattern, named):
    from plankton_features.results.describing import non_living_classes

    assert non_living_classes(pattern, ODD) == named


def test_where_a_name_holds_a_comma_quotes_are_asked_for():
    from plankton_features.results.describing import non_living_classes

    with pytest.raises(InputError, match="holds a comma in double quotes"):
        non_living_classes(["Oithona"], ODD)


def test_doubtful_names_are_among_the_warnings(fitted):
    labels = np.repeat(["Copepoda", "copepoda", "NA"], 20)
    X = np.random.default_rng(0).normal(size=(60, 3))
    told = describe_fit(fit_head(X, labels, make_folds(labels))).warnings
    assert any("'Copepoda' (20 images) and 'copepoda' (20 images) differ only" in t for t in told)
    assert any(t.startswith("'NA' (20 images) is a class") for t in told)
    assert not any("differ only" in t for t in describe_fit(fitted).warnings)


def test_calibration_is_of_the_rows_that_were_scored_in_their_order(fitted):
    found = fitted.out_of_fold
    assert not np.array_equal(found.row, np.sort(found.row))
    right = np.mean(found.predicted == fitted.y[found.row])
    told = {stage: one.to_dict() for stage, one in calibration_reports(fitted).items()}
    for one in told.values():
        bins = one["reliability"]["mass"]
        assert np.average([b["accuracy"] for b in bins],
                          weights=[b["count"] for b in bins]) == pytest.approx(right)
    assert told["before"]["reliability"] != told["after"]["reliability"]
    assert {**told, "method": "temperature"} == describe_fit(fitted).to_dict()["calibration"]


def test_groups_are_those_of_the_folds(features, fitted):
    groups = np.arange(len(features)) % 12
    with pytest.raises(InputError, match=r"folds were made without groups.* make_folds\(labels, g"):
        describe_fit(fitted, groups=groups)
    grouped = fit_head(features, features.y, make_folds(features.y, groups=groups, n_folds=3),
                       HeadOptions(pca=5))
    with pytest.raises(InputError, match=f"one for each of {len(groups)} rows .*, got 4"):
        describe_fit(grouped, groups=groups[:4])
    assert describe_fit(grouped, groups=groups).to_dict()["folds"]["n_groups"] == 12
