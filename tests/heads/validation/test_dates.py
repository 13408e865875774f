"""Dates in names: which numbers are one, and which are not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.heads.validation.dates import UNITS, dates_in


@pytest.mark.parametrize(("text", "date_format", "expected"), [
    ("tow_20140117_3.png", "%Y%m%d", "2014-01-17"),
    ("20140117003426", "%Y%m%d", ""),  # a further digit touches
    ("20140117003426", "%Y%m%d%H%M%S", "2014-01-17"),
    ("20200101-101010_3", "%Y%m%d-%H%M%S", "2020-01-01"),
    ("a/20141331.png", "%Y%m%d", ""), ("a/20140229.png", "%Y%m%d", ""),
    ("a/20141331/20140117.png", "%Y%m%d", "2014-01-17"),  # the one that can be
    ("a/20140116/20140117.png", "%Y%m%d", ""), ("a/20140117/20140117.png", "%Y%m%d", "2014-01-17"),
    ("a/20140116/D20140117T.png", "D%Y%m%dT", "2014-01-17"),
    ("00011212.png", "%Y%m%d", ""), ("18991231 21000101", "%Y%m%d", ""),
    ("17.01.14", "%d.%m.%y", "2014-01-17"), ("17x01x14", "%d.%m.%y", ""),
    ("100%_2014-01-17", "%%_%Y-%m-%d", "2014-01-17"), ("２０１４-01-17", "%Y-%m-%d", ""),
    ("D20140117T003426_IFCB014_00002", "ifcb", "2014-01-17"),
    ("IFCB1_2009_216_075913_00007", "ifcb", "2009-08-04"), ("IFCB1_2009_366_075913", "ifcb", ""),
    ("2008_366", "%Y_%j", "2008-12-31"),
    ("1401170034", "unix", "2014-05-27"), ("x1401170034123.png", "unix", "2014-05-27"),
    ("1401170034.0", "unix", "2014-05-27"), ("14011700341", "unix", ""),
    ("2014011703", "unix", ""), ("999999999", "unix", ""), ("20141331", "unix", ""),
    ("", "unix", ""), ("copepod/a.png", "%Y%m%d", "")])
def test_what_is_a_date(text, date_format, expected):
    assert dates_in([text], date_format) == [expected]


def test_any_moment_comes_back_in_every_unit():
    rng = np.random.default_rng(0)
    for seconds in rng.integers(1_000_000_000, 2_000_000_000, 200).tolist():
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        for unit, form in (("hour", "%Y-%m-%dT%H"), ("day", "%Y-%m-%d"), ("month", "%Y-%m"),
                           ("year", "%Y")):
            expected = [moment.strftime(form)]
            assert dates_in([f"a/{seconds}.png"], "unix", unit) == expected
            for written in ("%Y%m%dT%H%M%S", "%H.%d.%m.%y", "x%Y_%j_%H"):
                assert dates_in([moment.strftime(f"a{written}.png")], written, unit) == expected


@pytest.mark.parametrize(("date_format", "unit", "said"), [
    ("%Y%m", "day", "the day needs %d"), ("%H", "hour", "the hour needs %Y and %m and %d"),
    ("%Y%q", "day", "'%q' is not known"), ("%Y%m%d%", "day", "'%' is not known"),
    ("%Y%m%d%Y", "day", "twice"), ("20140117", "day", "the day needs"), ("", "day", "needs"),
    ("%Y%m%d", "week", "expected one of hour, day, month, year")])
def test_a_format_that_tells_too_little_is_refused(date_format, unit, said):
    with pytest.raises(InputError, match=said):
        dates_in(["x"], date_format, unit)


def test_a_coarser_unit_needs_less():
    assert dates_in(["2014-01"], "%Y-%m", "month") == ["2014-01"]
    assert dates_in(["2014"], "%Y", "year") == ["2014"]
    assert set(UNITS) == {"hour", "day", "month", "year"}
