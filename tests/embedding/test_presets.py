"""From a preset and single options to a recipe; no weights are looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plankton_features.embedding import (
    PRESETS,
    Weights,
    get_backbone,
    list_backbones,
    make_recipe,
    presets,
)
from plankton_features.embedding.backbones import BACKBONES
from plankton_features.embedding.presets import DEFAULT_PRESET, assemble
from plankton_features.errors import InputError, WeightsError

INCEPTION = Weights("sha256:" + "a" * 64, "ImageNet (a.h5)")
LITE = Weights("sha256:" + "b" * 64, "ImageNet (b.pth)")


@pytest.fixture
def found(monkeypatch):
    """What is asked of the finding of weights, and what `auto` becomes."""
    calls = []

    def resolve(backbone, spec, on_download):
        calls.append((backbone, spec))
        return Weights("random:4" if spec == "random:4" else INCEPTION.identity, spec)

    monkeypatch.setattr(presets, "resolve_weights", resolve)
    monkeypatch.setattr(presets, "resolve_auto",
                        lambda _: calls.append("auto") or ("inception_v3", INCEPTION, ""))
    return calls


@pytest.fixture
def bare(found, monkeypatch):
    """Only what the networks themselves say, nothing that was measured to be better."""
    for known in list_backbones():
        monkeypatch.setitem(BACKBONES._built_in, known.name, replace(known, defaults={}))
    monkeypatch.setitem(PRESETS, "bare", {"backbone": "efficientnet_v2_s"})


def test_the_notebook_is_the_original_way(found):
    recipe, weights, why = make_recipe("notebook")
    assert recipe.backbone == "inception_v3"
    assert recipe.layers == ("mixed10",)
    assert recipe.pooling == ("avg",)
    assert recipe.views == "none"
    assert (recipe.framing, recipe.canvas, recipe.background) == ("native", 299, "white")
    assert recipe.precision == "float32"
    assert not recipe.size_features
    assert (weights.identity, why) == (INCEPTION.identity, "")
    assert recipe.weights == INCEPTION.identity
    assert found == [("inception_v3", "imagenet")]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("auto", [("inception_v3", INCEPTION, ""),
                                  ("efficientnet_lite0", LITE, "no network")])
def test_every_preset_is_a_recipe_whatever_auto_becomes(monkeypatch, found, preset, auto):
    monkeypatch.setattr(presets, "resolve_auto", lambda _: auto)
    recipe, weights, why = make_recipe(preset)
    assert recipe.weights == weights.identity
    assert why == (auto[2] if PRESETS[preset]["backbone"] == "auto" else "")
    assert all(getattr(recipe, name) == value for name, value in PRESETS[preset].items()
               if name != "backbone")


def test_the_default_preset_is_one(found):
    assert make_recipe()[0] == make_recipe(DEFAULT_PRESET)[0]


def test_options_override_the_preset(found):
    recipe, _, _ = make_recipe("notebook", canvas=203, layers=["mixed5"], pooling="max",
                               background=None, precision="bfloat16", size_features=True)
    assert (recipe.canvas, recipe.layers, recipe.pooling) == (203, ("mixed5",), ("max",))
    assert (recipe.background, recipe.precision) == ("white", "bfloat16")
    assert recipe.size_features


def test_a_backbone_brings_its_own_layer_canvas_and_scaling(bare, found):
    recipe, _, _ = make_recipe("bare", backbone="resnet50")
    assert (recipe.layers, recipe.canvas) == (("conv5_block3_out",), 224)
    assert recipe.normalization == "caffe"
    assert make_recipe("bare")[0].canvas == 384
    assert found == [("resnet50", "imagenet"), ("efficientnet_v2_s", "imagenet")]


def test_what_measured_best_with_a_backbone_comes_before_its_own(bare, monkeypatch):
    known = replace(get_backbone("resnet50"), defaults={"canvas": 99, "views": "d4"})
    monkeypatch.setitem(BACKBONES._built_in, "resnet50", known)
    recipe, _, _ = make_recipe("bare", backbone="resnet50", views="rot4")
    assert (recipe.canvas, recipe.views) == (99, "rot4")


def test_weights_are_asked_for_as_given(found):
    recipe, weights, _ = make_recipe("notebook", weights="random:4")
    assert found == [("inception_v3", "random:4")]
    assert recipe.weights == weights.identity == "random:4"


def test_auto_says_why_it_is_another(monkeypatch, found):
    monkeypatch.setattr(presets, "resolve_auto",
                        lambda _: ("efficientnet_lite0", LITE, "no network"))
    recipe, weights, why = make_recipe("notebook", backbone="auto")
    assert (recipe.backbone, recipe.weights, why) == ("efficientnet_lite0", LITE.identity,
                                                      "no network")
    assert weights is LITE


def test_a_backbone_asked_for_by_name_is_never_replaced(monkeypatch, found):
    def fail(backbone, spec, on_download):
        raise WeightsError(f"{backbone}: not here")

    monkeypatch.setattr(presets, "resolve_weights", fail)
    with pytest.raises(WeightsError, match="inception_v3: not here"):
        make_recipe("notebook", backbone="inception_v3")
    assert not found


@pytest.mark.parametrize("weights", ["random", "my.h5"])
def test_weights_of_no_backbone_are_refused(found, weights):
    with pytest.raises(InputError, match=f"weights '{weights}' need a backbone: add --backbone"):
        make_recipe("notebook", backbone="auto", weights=weights)
    assert not found


@pytest.mark.parametrize(("preset", "options", "message"), [
    ("nightly", {}, "preset 'nightly' is not known. Choose one of: notebook"),
    ("notebook", {"backbone": "vgg"}, "backbone 'vgg' is not known"),
    ("notebook", {"colour": 1}, "there is no option colour"),
    ("notebook", {"views": "rot8"}, "views: expected one of"),
    ("notebook", {"canvas": 10}, "canvas: inception_v3 takes"),
    ("notebook", {"backbone": "auto", "canvas": 31}, "canvas: efficientnet_lite0 takes"),
    ("notebook", {"normalization": "caffe"}, "normalization"),
    ("notebook", {"layers": ()}, "layers"),
])
def test_wrong_options_are_refused(found, preset, options, message):
    with pytest.raises(InputError, match=message):
        make_recipe(preset, **options)


@pytest.mark.parametrize("options", [{"views": "rot8"}, {"canvas": 10}, {"colour": 1},
                                     {"backbone": "vgg"}, {"backbone": "auto", "views": "rot8"}])
def test_wrong_options_are_refused_before_weights_are_looked_for(found, options):
    with pytest.raises(InputError):
        make_recipe("notebook", **options)
    assert not found


def test_assemble_takes_the_backbones_own_values():
    recipe = assemble("pixels", "none", {})
    assert (recipe.layers, recipe.canvas, recipe.normalization) == (("thumbnail",), 64, "none")


@pytest.mark.tensorflow
def test_an_index_and_its_name_give_one_recipe(found):
    by_name, _, _ = make_recipe("notebook", backbone="mobilenet_v2", layers=["out_relu"])
    by_index, _, _ = make_recipe("notebook", backbone="mobilenet_v2", layers=["153"])
    assert by_index == by_name
    assert by_index.recipe_id == by_name.recipe_id
