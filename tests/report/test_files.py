import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plankton_features.errors import StoreError
from plankton_features.report import write_json, write_predictions, write_report
from plankton_features.report.files import write_text


def test_what_json_lacks_becomes_null(tmp_path):
    results = {"a": np.nan, "b": [np.inf, 1.5], "c": np.array([[1, 2]]), "d": np.float32(0.5),
               "e": {"f": np.bool_(False)}, 3: (None, "text"), "g": Path("x/y")}
    write_json(results, tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": [[1, 2]], "d": 0.5,
                                "e": {"f": False}, "3": [None, "text"], "g": "x/y"}


def test_any_text_survives_json(tmp_path):
    names = ["Кладоцера", "</script>", "half \udc80 pair", "\u2028", 'quote"']
    write_json({"classes": names}, tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_bytes())["classes"] == names


def test_predictions_come_back(tmp_path):
    columns = {"path": ["a,b.png", 'c"d.png', "e\rf.png"], "probability": [0.25, np.nan, 1]}
    frame = pd.DataFrame(columns, index=[7, 9, 8])
    write_predictions(frame, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "p.csv"), frame.reset_index(drop=True))


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("before", encoding="utf-8")
    write_json({"a": 1}, path)
    assert json.loads(path.read_bytes()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.write_text("before", encoding="utf-8")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full"):
        write_json({"a": 1}, path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [write_report, write_json])
def test_a_missing_folder_is_named(tmp_path, write):
    with pytest.raises(StoreError, match="nowhere does not exist"):
        write({"classes": ["a", "b"]}, tmp_path / "nowhere" / "r.out")


def test_a_folder_is_not_overwritten(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        write_text("", tmp_path)


def test_the_file_can_be_read_by_whom_the_folder_lets(tmp_path):
    (tmp_path / "plain").write_text("", encoding="utf-8")
    write_text("", tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "plain").stat().st_mode
