"""What training goes on from."""

import numpy as np
import pytest

from plankton_features.errors import MismatchError, OtherPicturesError
from plankton_features.finetuning import checkpoint
from plankton_features.finetuning.checkpoint import Standing


@pytest.fixture
def begun(tmp_path):
    key = {"epochs": 3, "pictures": "of station a"}
    checkpoint.save(Standing(key, state=[np.arange(3)]), tmp_path)
    return key


def test_it_goes_on_with_the_same(tmp_path, begun):
    assert checkpoint.load(tmp_path, begun).state[0].tolist() == [0, 1, 2]


def test_other_options_are_named_before_other_pictures(tmp_path, begun):
    with pytest.raises(MismatchError, match="epochs: found 3, asked for 4"):
        checkpoint.load(tmp_path, {"epochs": 4, "pictures": "of station b"})


def test_other_pictures_of_the_same_names_are_refused(tmp_path, begun):
    with pytest.raises(OtherPicturesError, match="was of other pictures of the same names"):
        checkpoint.load(tmp_path, {**begun, "pictures": "of station b"})


def test_a_checkpoint_of_the_version_before_gets_the_pictures_it_is_of(tmp_path):
    checkpoint.name_pictures(tmp_path, "there is none")
    checkpoint.save(Standing({"epochs": 3}, state=[np.arange(3)]), tmp_path)
    for pictures in ("of station a", "of station b"):  # those framed now, and later
        checkpoint.name_pictures(tmp_path, pictures)
    asked = {"epochs": 3, "pictures": "of station a"}
    assert checkpoint.load(tmp_path, asked).state[0].tolist() == [0, 1, 2]
