"""Recipes: equal ones have one digest, different ones never, wrong ones are refused in words."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.embedding import (
    Recipe,
    check_same_recipe,
    find_weights,
    make_recipe,
    open_engine,
    resolve_weights,
)
from plankton_features.embedding.layers import layer_table
from plankton_features.embedding.network import load_backbone
from plankton_features.embedding.recipe import POOLINGS, PRECISIONS, VIEWS
from plankton_features.errors import InputError, MismatchError
from plankton_features.images.depth import DEPTHS
from plankton_features.images.framing import FRAMINGS, INTERPOLATIONS, Framing

PIXELS = Recipe("pixels", "none", ("thumbnail",), canvas=64, normalization="none")
SHA = "sha256:" + "0123456789abcdef" * 4
INCEPTION = Recipe("inception_v3", SHA, ("mixed5", "mixed10"))

OTHER_VALUES = {
    "backbone": "xception",
    "weights": "random:1",
    "layers": ("mixed10", "mixed5"),
    "pooling": ("max",),
    "spp_levels": (2, 1),
    "gem_power": 3.5,
    "views": "rot4",
    "framing": "native",
    "canvas": 298,
    "background": 255,
    "crop_bottom": 1,
    "interpolation": "box",
    "precision": "bfloat16",
    "size_features": True,
    "depth": "12",
}


def test_digest_is_the_one_that_files_carry():
    assert PIXELS.recipe_id == "2af36e6e9f35"


def test_a_later_field_is_told_only_where_it_is_needed():
    assert "depth" not in PIXELS.to_json()
    assert json.loads(replace(PIXELS, depth="12").to_json())["depth"] == "12"


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_each_field_changes_the_digest(name):
    other = replace(INCEPTION, **{name: OTHER_VALUES[name]})
    assert other.recipe_id != INCEPTION.recipe_id


def test_all_fields_but_the_dependent_one_are_tried():
    assert {f.name for f in fields(Recipe)} - set(OTHER_VALUES) == {"normalization"}


@pytest.mark.parametrize("values", [
    {"layers": "thumbnail"},
    {"layers": ["thumbnail"]},
    {"canvas": np.int64(64)},
    {"gem_power": 3},
    {"gem_power": np.float32(3)},
    {"pooling": "avg"},
    {"spp_levels": np.array([1, 2])},
], ids=str)
def test_equal_values_have_one_digest_however_written(values):
    same = replace(PIXELS, **values)
    assert same == PIXELS
    assert same.recipe_id == PIXELS.recipe_id


@given(
    pooling=st.lists(st.sampled_from(POOLINGS), min_size=1, unique=True),
    spp_levels=st.lists(st.integers(1, 16), min_size=1, unique=True),
    gem_power=st.floats(0, exclude_min=True, allow_infinity=False),
    views=st.sampled_from(list(VIEWS)),
    framing=st.sampled_from(FRAMINGS),
    canvas=st.integers(75, 4096),
    background=st.one_of(st.sampled_from(["border", "white", "black"]), st.integers(0, 255)),
    crop_bottom=st.integers(0, 1000),
    interpolation=st.sampled_from(list(INTERPOLATIONS)),
    precision=st.sampled_from(PRECISIONS),
    size_features=st.booleans(),
    depth=st.sampled_from(DEPTHS),
)
def test_json_brings_the_recipe_back(**values):
    recipe = replace(INCEPTION, **values)
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.recipe_id == recipe.recipe_id


@pytest.mark.parametrize(("values", "message"), [
    ({"backbone": "../inception_v3"}, "backbone: expected the name of a network, got '../inc"),
    ({"backbone": "a\nb"}, "backbone: expected the name of a network"),
    ({"backbone": ""}, "backbone: expected the name of a network"),
    ({"backbone": None}, "backbone: expected the name of a network"),
    ({"backbone": "auto"}, "backbone 'auto' is not known"),
    ({"weights": "imagenet"}, "weights: expected sha256.*random:<seed>.*got 'imagenet'"),
    ({"weights": "random:x"}, "weights"),
    ({"weights": "sha256:abc"}, "weights"),
    ({"weights": "none"}, "weights"),
    ({"weights": None}, "weights"),
    ({"layers": ()}, "layers: .*none"),
    ({"layers": ("mixed5", "mixed5")}, "layers: .*all different; got mixed5, mixed5"),
    ({"layers": ("249",)}, "layers: a recipe holds names.*'249'"),
    ({"layers": 249}, "layers"),
    ({"layers": ("",)}, "layers"),
    ({"pooling": ()}, "pooling"),
    ({"pooling": ("avg", "avg")}, "pooling: .*all different"),
    ({"pooling": "mean"}, "pooling: expected one of avg, max, gem, spp; got 'mean'"),
    ({"spp_levels": ()}, "spp levels"),
    ({"spp_levels": (0,)}, "spp levels: .*1 or more; got 0"),
    ({"spp_levels": (17,)}, "spp levels: expected 1 to 16"),
    ({"spp_levels": (1.5,)}, "spp levels"),
    ({"spp_levels": (2, 2)}, "spp levels: .*all different"),
    ({"gem_power": 0}, "gem power: expected a number above 0, got 0.0"),
    ({"gem_power": float("nan")}, "gem power"),
    ({"gem_power": float("inf")}, "gem power"),
    ({"gem_power": "3"}, "gem power"),
    ({"views": "rot8"}, "views: expected one of none, rot4, d4; got 'rot8'"),
    ({"framing": "stretch"}, "framing: expected one of"),
    ({"canvas": 74}, "canvas: inception_v3 takes 75 to 4096 px, got 74"),
    ({"canvas": 4097}, "canvas"),
    ({"canvas": 299.0}, "canvas: expected a whole number"),
    ({"canvas": "299"}, "canvas"),
    ({"canvas": True}, "canvas"),
    ({"background": "grey"}, "background: expected border, white, black or 0..255; got 'grey'"),
    ({"background": 256}, "background"),
    ({"background": -1}, "background"),
    ({"background": 1.5}, "background"),
    ({"background": True}, "background"),
    ({"crop_bottom": -1}, "crop-bottom: .*0 or more; got -1"),
    ({"crop_bottom": 2.0}, "crop-bottom"),
    ({"interpolation": "nearest"}, "interpolation: expected one of"),
    ({"precision": "float64"}, "precision: expected one of float32, bfloat16, float16"),
    ({"size_features": "yes"}, "size-features"),
    ({"depth": 12}, "depth: expected one of auto, 8, 10, 12, 14, 16, float; got 12"),
    ({"normalization": "none"}, "normalization: expected one of tf; got 'none'"),
], ids=lambda v: str(v)[:40])
def test_wrong_values_are_refused_in_words(values, message):
    with pytest.raises(InputError, match=message):
        replace(INCEPTION, **values)


@pytest.mark.parametrize("text", ["", "null", "[1, 2]", "{}", "12", '{"backbone": "pixels"}'])
def test_other_json_is_refused(text):
    with pytest.raises(InputError, match="expected the JSON of a recipe, got"):
        Recipe.from_json(text)


def test_fields_of_a_later_version_are_refused():
    text = json.dumps({**asdict(PIXELS), "denoise": 1})
    with pytest.raises(InputError, match=r"fields \['denoise'\] are not known.*Update"):
        Recipe.from_json(text)


def test_a_wrong_value_in_json_is_named():
    text = json.dumps({**asdict(PIXELS), "views": "rot8"})
    with pytest.raises(InputError, match="views: expected one of"):
        Recipe.from_json(text)


ELSEWHERE = Recipe("of_another_machine", SHA, ("stage4",), canvas=20, normalization="clip")


def test_a_recipe_of_a_network_that_is_not_known_here_is_read_and_compared():
    again = Recipe.from_json(ELSEWHERE.to_json())
    assert again == ELSEWHERE
    assert again.recipe_id == ELSEWHERE.recipe_id
    assert again.framing_options.canvas == 20
    with pytest.raises(MismatchError, match="canvas: found 20, asked for 21"):
        check_same_recipe(again, replace(ELSEWHERE, canvas=21), "out.h5")


@pytest.mark.parametrize(("values", "message"), [
    ({"weights": "imagenet"}, "weights: expected sha256.*got 'imagenet'"),
    ({"canvas": 4097}, "canvas: expected a whole number, at most 4096; got 4097"),
    ({"normalization": 1}, "normalization: expected a name, got 1"),
])
def test_what_no_network_takes_is_refused_of_those_too(values, message):
    assert replace(ELSEWHERE, weights="none").weights == "none"
    with pytest.raises(InputError, match=message):
        replace(ELSEWHERE, **values)


@pytest.mark.parametrize("need", [
    lambda: open_engine(ELSEWHERE, None),
    lambda: make_recipe("fast", backbone="of_another_machine"),
    lambda: resolve_weights("of_another_machine"),
    lambda: find_weights("of_another_machine", SHA),
    lambda: layer_table("of_another_machine", 20),
    lambda: load_backbone(ELSEWHERE, None),
], ids=["engine", "recipe", "weights", "found weights", "layers", "network"])
def test_what_needs_the_network_refuses_one_that_is_not_known(need):
    with pytest.raises(InputError, match=r"'of_another_machine' is not known\. Choose one of: "
                                         r"inception_v3.*package that brings it: install that"):
        need()


def test_network_key_holds_what_decides_the_network_and_no_more():
    changed = {name for name, value in OTHER_VALUES.items()
               if replace(INCEPTION, **{name: value}).network_key != INCEPTION.network_key}
    assert changed == {"backbone", "weights", "layers", "pooling", "spp_levels", "gem_power",
                       "views", "canvas"}


def test_framing_options_hand_on_what_images_need():
    recipe = replace(INCEPTION, canvas=99, framing="native", background=7, crop_bottom=5,
                     interpolation="lanczos")
    assert recipe.framing_options == Framing(99, "native", 7, 5, "lanczos")


@pytest.mark.parametrize(("weights", "seed"), [("random:42", 42), (SHA, None)])
def test_random_seed(weights, seed):
    assert replace(INCEPTION, weights=weights).random_seed == seed


def test_different_recipes_are_not_mixed():
    with pytest.raises(MismatchError, match=r"out\.h5: made with another recipe") as caught:
        check_same_recipe(INCEPTION, replace(INCEPTION, canvas=100, views="d4"), "out.h5")
    assert caught.value.fields == {"canvas": (299, 100), "views": ("none", "d4")}
    check_same_recipe(INCEPTION, replace(INCEPTION), "out.h5")
