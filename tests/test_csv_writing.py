"""A row stays one row, whatever is in the names."""

import csv
import io
import itertools

import pandas as pd
import pytest

from plankton_features.csv_writing import write_csv

PARTS = ["", "a", "\r", "\n", "\r\n", '"', ",", "=1+1", " "]
NAMES = ["".join(parts) for parts in itertools.product(PARTS, repeat=3)]


def written(frame, **options):
    text = io.StringIO(newline="")
    write_csv(frame, text, **options)
    return text.getvalue()


def test_names_come_back_by_any_reader():
    frame = pd.DataFrame({"path": NAMES, "p": 0.5, "taxon": NAMES[::-1]})
    text = written(frame)
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found == [["path", "p", "taxon"], *([a, "0.5", b] for a, b in
                                               zip(NAMES, NAMES[::-1], strict=True))]
    again = pd.read_csv(io.StringIO(text, newline=""), keep_default_na=False)
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)


def test_lines_end_with_a_line_feed_alone():
    assert written(pd.DataFrame({"a": ["x\r\n", "y"], "b": [1.23456789, 2]}),
                   float_format="%.3g", header=False) == '"x\r\n",1.23\ny,2\n'


@pytest.mark.parametrize("name", ["plain", "a,b", 'a"b', "a\nb", "=a", "é"])
def test_other_names_are_written_as_pandas_writes_them(name):
    frame = pd.DataFrame({"path": [name], "p": [0.1]})
    assert written(frame) == frame.to_csv(index=False, lineterminator="\n")
