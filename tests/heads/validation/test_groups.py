"""Groups from columns, patterns, folders and dates, and what is told of images without one."""

import re

import numpy as np
import pandas as pd
import pytest

from plankton_features.errors import InputError
from plankton_features.heads import Grouping, HeadOptions, find_groups, fit_head, make_folds
from plankton_features.heads.fitting import prepare
from plankton_features.heads.validation.groups import lost_groups
from plankton_features.heads.validation.out_of_fold import cross_predict
from plankton_features.results.describing import describe_fit
from plankton_features.results.scores import measure_optimism

IFCB = ["a/D20140117T003426_IFCB014_00002.png", "b/IFCB1_2009_216_075913_00007.png"]


def names(paths, missing="alone", folder=None, **how):
    images = {"path": paths, "id": how.pop("ids", None), "group": how.pop("groups", None)}
    return find_groups(images, Grouping(missing=missing, **how), folder=folder).names.tolist()


@pytest.mark.parametrize(("pattern", "expected"), [
    (r"(D\d+)T", ["D20130526", "D20130527"]), (r"D\d+", ["D20130526", "D20130527"]),
    (r"IFCB(?:\d)_(.*?)_", ["a", "b"])])
def test_pattern(pattern, expected):
    paths = ["x/IFCB5_a_D20130526T1.png", "y/IFCB5_b_D20130527T2.png"]
    assert names(paths, pattern=pattern) == expected


@pytest.mark.parametrize("pattern", [
    r"(IFCB1_2009)|(D\d{8})", r"(D\d{8})|(IFCB1_2009)", r"((?:D\d{8})|(?:IFCB1_2009))",
    r"(x)?(D\d{8})?(IFCB1_2009)?"])
def test_the_bracket_that_took_something_is_the_group(pattern):
    assert names(IFCB, pattern=pattern) == ["D20140117", "IFCB1_2009"]


def test_an_optional_part_that_is_absent_is_no_group():
    assert names(["a1", "a"], pattern=r"a(\d)?") == ["1", ""]


def test_a_bracket_that_took_nothing_does_not_end_the_search():
    assert names(["imgs/tow1.png", "imgs/tow2.png"], pattern=r"(tow\d)?") == ["tow1", "tow2"]


@pytest.mark.parametrize(("name", "path", "expected"), [
    ("ifcb", IFCB[0], "D20140117T003426_IFCB014"), ("ifcb", IFCB[1], "IFCB1_2009_216_075913"),
    ("zooscan", "copepod/wp2_20090115_d2_1_1234.jpg", "wp2_20090115_d2_1"),
    ("zooscan", r"copepod\wp2_20090115_d2_1_1234.jpg", "wp2_20090115_d2_1"),
    ("uvp6", "b_da_19_Images/sub1/20200101-101010_3.png", "b_da_19")])
def test_patterns_with_a_name(name, path, expected):
    assert names([path, "other.png"], pattern=name) == [expected, ""]


def test_a_pattern_of_another_column():
    assert names(IFCB, pattern="zooscan", column="id", ids=["s_d1_1_7", "s_d1_2_9"]) == [
        "s_d1_1", "s_d1_2"]


@pytest.mark.parametrize("path", ["Рейс 1/копепода/й.png", "Рейс 1\\копепода\\й.png",
                                  "./Рейс 1//копепода/./й.png", "x/../Рейс 1/копепода/й.png"])
def test_level(path):
    assert names([path, ""], level=1) == ["Рейс 1", ""]
    assert names([path, ""], level=-1) == ["копепода", ""]


@pytest.mark.parametrize(("root", "separator"), [("/data/imgs", "/"), (r"C:\imgs", "\\")])
def test_levels_of_absolute_paths_begin_in_the_images_folder(root, separator):
    paths = [separator.join((root, tow, "copepod", "a.png")) for tow in ("tow1", "tow2")]
    assert names(paths, level=1, folder=root) == ["tow1", "tow2"]
    assert names(paths, level=1, folder=f"{root}{separator}table.csv") == ["tow1", "tow2"]
    assert names(paths, level=-2) == ["tow1", "tow2"]
    for folder in (None, "/elsewhere"):
        with pytest.raises(InputError, match=r"does not lie in the images' folder.* Count from"):
            names(paths, level=1, folder=folder)


def test_a_path_above_the_images_folder_has_no_first_folder():
    with pytest.raises(InputError, match="does not lie in the images' folder"):
        names(["../other/a.png", "tow1/a.png"], level=1)


def test_a_column_is_taken_as_it_is_but_for_blanks_and_normal_forms():
    given = ["tow1", " tow1 ", None, np.nan, " ", "Cafe\u0301", "Caf\u00e9", 7]
    assert names(["p"] * 8, groups=given) == ["tow1", "tow1", "", "", "", "Café", "Café", "7"]


def test_an_empty_column_gives_no_groups():
    assert find_groups({"path": ["a"], "group": [""]}) is None


@pytest.mark.parametrize(("how", "message"), [
    ({}, "column group: no group for 2 of 5 images, such as 'p2', 'p4'. Every image needs one"),
    ({"pattern": r"p[135]"}, "group-pattern 'p[135]': no group for 2 of 5 images, such as 'p2'"),
    ({"date": "unix", "column": "group"}, "group-by-date 'unix' of group: no group for 5 of 5"),
    ({"level": 2}, "group-level 2: no group for 5 of 5 images, such as 'p1', 'p2', 'p3'. They")])
def test_images_without_a_group_are_counted_named_and_refused(how, message):
    images = {"path": [f"p{i}" for i in range(1, 6)], "group": ["a", "", "b", None, "c"]}
    with pytest.raises(InputError) as told:
        find_groups(images, Grouping(**how))
    assert message in str(told.value)
    assert ("--missing-group drop" in str(told.value)) == ("5 of 5" not in message)


def test_a_way_that_finds_nothing_is_refused_whatever_is_done_with_such_images():
    for missing in ("alone", "drop"):
        with pytest.raises(InputError, match="no group for 2 of 2 images"):
            find_groups({"path": ["a", "b"]}, Grouping(pattern="tow", missing=missing))


def test_dropped_images_leave_rows_and_are_told():
    found = find_groups({"path": ["t1", "x", "t2"]}, Grouping(pattern=r"t\d", missing="drop"))
    assert (found.rows.tolist(), found.names.tolist(), found.without) == ([0, 2], ["t1", "t2"], 1)
    assert found.dropped == (r"Left out, since group-pattern 't\d' gives no group for them: 1 of 3 "
                             "images, such as x.")
    assert found.summary == "2 groups, 1 without"


def test_days_are_told_with_the_first_and_the_last():
    found = find_groups({"path": IFCB}, Grouping(date="ifcb"))
    assert found.summary == "2 days from 2009-08-04 to 2014-01-17"


def test_all_in_one_group_is_refused():
    with pytest.raises(InputError, match=r"all 2 images are in one group, 'png'.* --ungrouped"):
        names(["a.png", "b.png"], pattern="png")


@pytest.mark.parametrize(("how", "said"), [
    ({"pattern": "("}, "not a regular expression"), ({"level": 0}, "count from 1"),
    ({"pattern": "a", "level": 1}, "exclude each other"),
    ({"date": "unix", "level": 1}, "exclude each other"),
    ({"column": "id"}, "--group-from goes with"), ({"unit": "hour"}, "--date-unit goes with"),
    ({"missing": "keep"}, "expected one of refuse, alone, drop"),
    ({"pattern": "a", "column": "label"}, "expected one of path, id, group")])
def test_what_does_not_fit_says_so(how, said):
    with pytest.raises(InputError, match=said):
        find_groups({"path": ["a", "b1"], "id": ["", ""], "group": ["", ""]}, Grouping(**how))


@pytest.fixture(scope="module")
def leak():
    """Vectors that tell the group and nothing of the class; paths of two kinds of bin."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(24), 12)
    y = group // 2 % 2
    X = rng.normal(size=(24, 24))[group] * 3 + 0.3 * rng.normal(size=(288, 24))
    paths = [f"{'D20140117T' if g % 2 else 'IFCB1_2009_'}{g:06d}_{i:05d}.png"
             for i, g in enumerate(group)]
    return X.astype(np.float32), y.astype(str), paths


def validated(leak, found):
    X, y, _ = leak
    options = HeadOptions(pca=None)
    rows = found.rows
    result = fit_head(X[rows], y[rows], make_folds(y[rows], groups=found.names), options)
    parted = cross_predict(prepare(X[rows], y[rows], make_folds(y[rows]), options)[1])
    told = describe_fit(result, groups=found.names).to_dict()
    return told, measure_optimism(result, parted).sentence


def test_groups_that_are_lost_raise_scores_and_the_report_says_so(leak):
    images = {"path": leak[2]}
    whole, said = validated(leak, find_groups(images, Grouping(pattern=r"(D\w+)_|(IFCB\w+)_")))
    half, unsaid = validated(leak, find_groups(images, Grouping(pattern=r"(D\w+)_",
                                                                missing="alone")))
    fewer, _ = validated(leak, find_groups(images, Grouping(pattern=r"(D\w+)_", missing="drop")))
    single, other = validated(leak, find_groups(images, Grouping(pattern=r".+")))
    honest, *lost = (told["scores"]["macro_f1"]["estimate"] for told in (whole, half, single))
    assert honest < 0.6
    assert min(lost) > honest + 0.05  # .63 with half of the bins and 1.0 with none, not .55
    assert (whole["folds"]["n_groups"], whole["folds"]["without_group"]) == (24, 0)
    assert (half["folds"]["n_groups"], half["folds"]["without_group"]) == (12, 144)
    assert (fewer["folds"]["n_groups"], fewer["folds"]["without_group"]) == (12, 0)
    assert half["folds"]["kind"].endswith("stratified, 144 without a group")
    assert [one["groups"] for one in half["per_class"]] == [6, 6]
    assert "Expect the lower number" in said
    assert "Even the lower number may be too good" in unsaid
    assert "says nothing of optimism" in other
    assert half["warnings"][0].startswith("There is no group for 144 of 288 images. Each")
    assert single["warnings"][0].startswith("Nearly every image is a group of its own (288 ")
    for told in (whole, fewer):
        assert not any(re.search("no group|Nearly", text) for text in told["warnings"])


def test_few_single_images_among_groups_are_no_cause_for_a_warning():
    y = np.tile([0, 1], 30)
    groups = [f"tow{i // 6}" if i < 48 else f"single{i}" for i in range(60)]
    assert lost_groups(make_folds(y, groups=groups)) == []
    assert len(lost_groups(make_folds(y, groups=[*groups[:-1], np.nan]))) == 1


def test_none_and_nan_are_no_group_that_keeps_rows_together():
    y = np.tile([0, 1], 30)
    for empty in (None, np.nan, pd.NA, " "):
        folds = make_folds(y, groups=pd.Series(["a", "b", "c", "d", "e"] * 4 + [empty] * 40,
                                               dtype=object))
        assert folds.without_group == 40
        assert len(np.unique(folds.units)) == 45
