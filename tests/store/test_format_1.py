"""A file of format 1, written by the first version, is read as ever."""

from pathlib import Path

import pytest

from plankton_features import Recipe, read_features

GOLDEN = Path(__file__).parents[1] / "data" / "format-1.h5"


@pytest.fixture(scope="module")
def file():
    return read_features(GOLDEN)


def test_vectors(file):
    assert file.X.tolist() == [[0.5, -1.25, 3], [7, 8, 9], [1, 2, 3]]
    assert file.feature_names == ["thumbnail_avg_0", "thumbnail_avg_1", "log_area"]


def test_images(file):
    assert file.images.to_dict("list") == {
        "path": ["Кладоцера/1.png", "bubble/2.png", "bubble/3.png"],
        "label": ["Кладоцера", "bubble", "bubble"], "group": ["tow 1", "", ""],
        "id": ["é🦐", "", ""], "sha256": ["0a" * 32, "0b" * 32, "0c" * 32],
        "width": [20, 300, 1], "height": [10, 200, 1], "position": [0, 2, 4]}


def test_failures_and_duplicates(file):
    assert file.failures.to_dict("list") == {
        "path": ["bubble/broken.jpg"], "label": ["bubble"], "stage": ["decode"],
        "reason": ["cannot be decoded: broken"], "position": [1]}
    assert file.duplicates.to_dict("list") == {
        "path": ["bubble/copy.png"], "label": ["bubble"], "group": ["tow 2"], "id": ["7"],
        "row": [0], "position": [3]}
    assert file.label_conflicts()["first_label"].tolist() == ["Кладоцера"]


def test_attributes(file):
    assert file.recipe_id == "ad7c6d9f48d9"
    assert {k: file.attributes[k] for k in ("format_version", "n_found", "n_valid", "batch")} == {
        "format_version": 1, "n_found": 5, "n_valid": 3, "batch": 2}
    assert file.attributes["complete"] is True


def test_its_recipe_is_still_a_recipe(file):
    recipe = Recipe.from_json(str(file.attributes["recipe"]))
    assert (recipe.backbone, recipe.canvas, recipe.size_features) == ("pixels", 64, True)
