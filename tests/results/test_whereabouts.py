"""What a feature file says of its images is taken for what it is."""

from types import SimpleNamespace

import numpy as np
import pytest

from plankton_features.results.whereabouts import recorded_depth, recorded_folder


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
