"""Groups from paths."""

import pytest

from plankton_features.errors import InputError
from plankton_features.heads.groups import groups_from_level, groups_from_pattern


@pytest.mark.parametrize(("pattern", "expected"), [
    (r"(D\d+)T", ["D20130526", "D20130527"]), (r"D\d+", ["D20130526", "D20130527"]),
    (r"IFCB(?:\d)_(.*?)_", ["a", "b"])])
def test_pattern(pattern, expected):
    paths = ["x/IFCB5_a_D20130526T1.png", "y/IFCB5_b_D20130527T2.png"]
    assert groups_from_pattern(paths, pattern).tolist() == expected


def test_an_optional_part_that_is_absent_is_no_group():
    assert groups_from_pattern(["a1", "a"], r"a(\d)?").tolist() == ["1", ""]


@pytest.mark.parametrize("path", ["Рейс 1/копепода/й.png", "Рейс 1\\копепода\\й.png"])
def test_level(path):
    assert groups_from_level([path], 1).tolist() == ["Рейс 1"]
    assert groups_from_level([path], -1).tolist() == ["копепода"]


@pytest.mark.parametrize(("make", "said"), [
    (lambda: groups_from_pattern(["a", "b1"], r"\d"), "1 of 2 paths do not match, such as 'a'"),
    (lambda: groups_from_pattern(["a"], "("), "not a regular expression"),
    (lambda: groups_from_level(["a/b.png"], 2), "has 1 folders"),
    (lambda: groups_from_level(["a/b.png"], 0), "Count from 1"),
])
def test_what_does_not_fit_says_so(make, said):
    with pytest.raises(InputError, match=said):
        make()
