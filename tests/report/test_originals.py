"""Which pictures a report may read again, and how."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from plankton_features.report.originals import Originals, recorded_depth, recorded_folder


def features(recipe=None, **attributes):
    return SimpleNamespace(recipe=recipe or {}, attributes=attributes)


@pytest.mark.parametrize("recorded", [None, "", 7, np.arange(3), b"bytes"])
def test_a_folder_that_is_no_text_is_no_folder(recorded):
    assert recorded_folder(features(images=recorded)) is None
    assert recorded_folder(features(images="imgs")) == "imgs"


@pytest.mark.parametrize("depth", [None, 12, "banana", ["12"], {}])
def test_a_depth_that_nobody_knows_is_found_for_each_picture(depth):
    assert recorded_depth(features({"depth": depth})) == "auto"
    assert recorded_depth(features({"depth": "12"})) == "12"


def test_pictures_are_read_at_the_scale_of_the_recipe(tmp_path):
    Image.fromarray(np.full((4, 4), 4095, np.uint16)).save(tmp_path / "a.png")
    assert Originals(tmp_path).read("a.png").max() == 255
    assert Originals(tmp_path, depth="16").read("a.png").max() == round(4095 * 255 / 65535)


def test_a_table_stands_for_its_folder_also_when_it_is_gone(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    assert Originals(tmp_path / "gone.csv").folder == tmp_path
    assert Originals(tmp_path / "gone").folder == tmp_path / "gone"
    assert Originals(tmp_path / "gone.csv").read("./x/../a.png").shape == (4, 4)
