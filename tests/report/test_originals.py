"""Which pictures a report may read again, and how."""

import numpy as np
from PIL import Image

from plankton_features.report.originals import Originals


def test_pictures_are_read_at_the_scale_of_the_recipe(tmp_path):
    Image.fromarray(np.full((4, 4), 4095, np.uint16)).save(tmp_path / "a.png")
    assert Originals(tmp_path).read("a.png").max() == 255
    assert Originals(tmp_path, depth="16").read("a.png").max() == round(4095 * 255 / 65535)


def test_a_table_stands_for_its_folder_also_when_it_is_gone(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    assert Originals(tmp_path / "gone.csv").folder == tmp_path
    assert Originals(tmp_path / "gone").folder == tmp_path / "gone"
    assert Originals(tmp_path / "gone.csv").read("./x/../a.png").shape == (4, 4)
