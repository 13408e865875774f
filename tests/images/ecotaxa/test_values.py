"""Numbers, places and times of EcoTaxa's tables."""

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.images.ecotaxa.values import date, degrees, number, time


@given(st.floats(allow_nan=False).filter(lambda x: x != -math.inf))
def test_numbers_come_back(value):
    assert number(f" {value!r} ") == value


@pytest.mark.parametrize("text", ["", " ", "nan", "NaN", "NA", "na"])
def test_no_number(text):
    assert number(text) is None


@pytest.mark.parametrize("text", ["-inf", "x", "1,2,3", "1.000,5", "0x10", "--1"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match=r".+"):
        number(text)


@given(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59), st.booleans())
def test_degrees_minutes_and_sixtieths(whole, minutes, rest, south):
    text = f"{'-' * south}{whole}°{minutes} {rest}"
    expected = (whole + (minutes + rest / 60) / 60) * (-1 if south else 1)
    assert degrees(text, 90) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("text", "most"), [("90.001", 90), ("-180.5", 180), ("inf", 90),
                                            ("43°", 90), ("43°0 0 N", 90), ("91°0 0", 90)])
def test_what_is_no_place(text, most):
    with pytest.raises(ValueError, match=r".+"):
        degrees(text, most)


def test_no_place():
    assert degrees("", 90) is None


@given(st.dates())
def test_dates(day):
    assert date(f"{day:%Y}".zfill(4) + f"{day:%m%d}") == day.isoformat()
    assert date(day.isoformat()) == day.isoformat()


@pytest.mark.parametrize("text", ["20140433", "2015-11-31", "2014", "201404200",
                                  "20-04-2014", "2014/04/20", "２0140420", "2014-4-2"])
def test_what_is_no_date(text):
    with pytest.raises(ValueError, match=r".+"):
        date(text)


@given(st.times())
def test_times(at):
    told = at.replace(microsecond=0).isoformat()
    assert time(told) == told
    assert time(f"{at:%H%M%S}") == told
    assert time(f"{at:%H%M}".lstrip("0") or "0") == datetime.time(at.hour, at.minute).isoformat()


@pytest.mark.parametrize("text", ["9920", "5:31", "2460", "12:60:00", "1200000", "noon"])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match=r".+"):
        time(text)
