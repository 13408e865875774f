"""Which images are trained on, and their groups."""

import pytest

from plankton_features.errors import InputError
from plankton_features.finetuning.plan import Split
from plankton_features.finetuning.tuning import _grouped
from plankton_features.heads import Grouping
from plankton_features.images import Catalog


def catalog(**columns):
    return Catalog.from_paths(["t1/a.png", "b.png", "t2/c.png"], **columns)


def test_images_without_a_group_are_refused_dropped_or_alone():
    with pytest.raises(InputError, match="no group for 1 of 3 images, such as 'b"):
        _grouped(catalog(), Split(grouping=Grouping(level=1)))
    kept, found = _grouped(catalog(), Split(grouping=Grouping(level=1, missing="drop")))
    assert (kept.path, kept.group) == (["t1/a.png", "t2/c.png"], ["t1", "t2"])
    assert "no group for them: 1 of 3 images, such as b.png" in found.dropped
    kept, found = _grouped(catalog(), Split(grouping=Grouping(level=1, missing="alone")))
    assert (kept.group, found.without) == (["t1", "", "t2"], 1)


def test_levels_of_absolute_paths_begin_in_the_catalogs_folder(tmp_path):
    paths = [tmp_path / tow / "a.png" for tow in ("t1", "t2")]
    kept, _ = _grouped(Catalog.from_paths(paths, root=tmp_path), Split(grouping=Grouping(level=1)))
    assert kept.group == ["t1", "t2"]


def test_groups_that_are_left_aside_stay_in_the_table():
    given = catalog(groups=["x", "", "y"])
    assert _grouped(given, Split(grouping=None)) == (given, None)
    assert _grouped(catalog(), Split())[1] is None
