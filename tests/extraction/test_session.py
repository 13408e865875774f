import pytest

from plankton_features import extract
from plankton_features.embedding import EngineOptions
from plankton_features.embedding.weights import Weights
from plankton_features.errors import InputError, MismatchError, StoreError, WeightsError
from plankton_features.extraction import open_session
from plankton_features.extraction.session import continue_session, existing_attributes
from plankton_features.store import FeatureStore, Plan, read_features

PIXELS = {"backbone": "pixels", "canvas": 32}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.h5"


@pytest.fixture
def written(output, catalog):
    """A finished file of the backbone pixels."""
    session = open_session(options=EngineOptions(batch=4), **PIXELS)
    extract(catalog.subset(range(6)), session.recipe, session.open_engine(), output,
            weights_source=session.weights_source)
    return output


def file_of(output, recipe, source, finish=True, **attributes):
    """A file without rows, made with `recipe`."""
    header = {"recipe": recipe.to_json(), "engine": "openvino", "batch": 16, **attributes}
    notes = {"weights_source": source, "feature_blocks": '[["thumbnail_avg", 1]]'}
    with FeatureStore(output, Plan(1, 1), header, notes=notes) as store:
        if finish:
            store.finish()


def test_a_new_file(output):
    session = open_session(output, **PIXELS)
    assert (session.recipe.backbone, session.recipe.canvas) == ("pixels", 32)
    assert session.fallback == ""
    assert session.open_engine().name == "numpy"


def test_an_existing_file_keeps_its_batch(written):
    assert open_session(written, **PIXELS).options.batch == 4
    asked = open_session(written, options=EngineOptions(batch=9), **PIXELS)
    assert asked.options.batch == 9


@pytest.mark.parametrize("finish", [True, False])
def test_the_automatic_backbone_stays_that_of_the_file(output, finish):
    """Even where InceptionV3 could be had by now: nothing is looked for."""
    lite = open_session(backbone="efficientnet_lite0").recipe
    file_of(output, lite, "ImageNet weights from the package", finish)
    session = open_session(output)
    assert session.recipe == lite
    assert session.options == EngineOptions("openvino", 16)


def test_another_recipe_is_refused_by_field(written):
    with pytest.raises(MismatchError, match="made with another recipe") as error:
        open_session(written, backbone="pixels", canvas=64, pooling=("max",))
    assert error.value.fields["canvas"] == (32, 64)
    assert error.value.fields["pooling"] == (("avg",), ("max",))


def test_another_backbone_is_refused(written):
    with pytest.raises(MismatchError) as error:
        open_session(written, backbone="efficientnet_lite0", canvas=32)
    assert error.value.fields["backbone"] == ("pixels", "efficientnet_lite0")


def test_weights_are_compared_by_their_digest(output, monkeypatch, tmp_path):
    recipe = open_session(backbone="efficientnet_lite0").recipe
    file_of(output, recipe, "ImageNet weights from the package")
    options = {"backbone": "efficientnet_lite0", "weights": str(tmp_path / "w.pth")}

    def resolve(identity):
        weights = Weights(identity, tmp_path / "w.pth", "w.pth")
        monkeypatch.setattr("plankton_features.extraction.session.resolve_weights",
                            lambda *_: weights)

    resolve("sha256:" + "0" * 64)
    with pytest.raises(MismatchError) as error:
        open_session(output, **options)
    assert set(error.value.fields) == {"weights"}
    with pytest.raises(WeightsError, match="holds other weights"):
        continue_session(existing_attributes(output), weights="w.pth")
    resolve(recipe.weights)  # the same content under another name
    assert open_session(output, **options).recipe == recipe


def test_imagenet_is_not_what_a_file_of_own_weights_has(output):
    recipe = open_session(backbone="efficientnet_lite0").recipe
    other = type(recipe).from_json(recipe.to_json().replace(recipe.weights, "sha256:" + "0" * 64))
    file_of(output, other, "my_weights.pth")
    with pytest.raises(MismatchError) as error:
        open_session(output, backbone="efficientnet_lite0", weights="imagenet")
    assert set(error.value.fields) == {"weights"}
    # Weights that are not given are the file's.
    assert open_session(output, backbone="efficientnet_lite0").recipe == other


def test_unknown_preset(written):
    with pytest.raises(InputError, match="preset 'fats' is not known"):
        open_session(written, preset="fats")


def test_the_unfinished_file_comes_first(written):
    recipe = open_session(backbone="pixels", canvas=64).recipe
    file_of(written, recipe, "none", finish=False)
    assert open_session(written, backbone="pixels", canvas=64).recipe == recipe
    with pytest.raises(MismatchError):
        open_session(written, **PIXELS)


def test_something_else_is_there(output):
    assert existing_attributes(output) is None
    output.write_text("my thesis")
    with pytest.raises(StoreError, match="not a feature file"):
        open_session(output)


def test_an_undo_is_put_back_before_attributes_are_read(output):
    recipe = open_session(**PIXELS).recipe
    with FeatureStore(output, Plan(1, 1), {"recipe": recipe.to_json()}) as store:
        store._undo.save(store._file)
        content = store.partial.read_bytes()
    store.partial.write_bytes(b"\0" * 3000 + content[3000:] + b"more")
    assert existing_attributes(output)["recipe"] == recipe.to_json()
    assert store.partial.read_bytes() == content


def test_a_session_extracts_with_what_a_report_needs(output, catalog):
    session = open_session(**PIXELS)
    report = session.extract(catalog, str(output), notes={"cruise": "7"})
    assert open_session(str(output), **PIXELS).recipe == session.recipe
    attributes = read_features(output).attributes
    assert report.written == len(read_features(output))
    assert attributes["images"] == str(catalog.root.resolve())
    assert attributes["weights_source"] == session.weights_source
    assert attributes["cruise"] == "7"


@pytest.mark.parametrize("given", ["imgs", None, ["a.png"]])
def test_what_is_no_catalog_is_refused_with_what_makes_one(output, given):
    session = open_session(**PIXELS)
    for call in (session.extract, lambda *a: extract(a[0], session.recipe, None, a[1])):
        with pytest.raises(InputError, match=r"expected a Catalog, got .* Make one with build_cat"):
            call(given, output)
    assert not output.exists()


@pytest.mark.parametrize("finish", [True, False])
def test_options_not_given_are_the_files_own(output, finish):
    recipe = open_session(backbone="efficientnet_lite0", preset="fast", layers=("top_conv",),
                          size_features=True, crop_bottom=4).recipe
    file_of(output, recipe, "ImageNet weights from the package", finish)
    for options in ({}, {"canvas": 128}, {"backbone": "efficientnet_lite0"}, {"crop_bottom": 4},
                    {"backbone": "auto"}, {"layers": ("top_conv",), "views": "none"}):
        assert open_session(output, **options).recipe == recipe
    with pytest.raises(MismatchError) as error:
        open_session(output, canvas=160, crop_bottom=4)
    assert error.value.fields == {"canvas": (128, 160)}


def test_a_preset_that_is_given_is_compared_whole(output):
    recipe = open_session(preset="fast").recipe
    file_of(output, recipe, "ImageNet weights from the package")
    assert open_session(output, preset="fast").recipe == recipe
    with pytest.raises(MismatchError) as error:
        open_session(output, preset="balanced")
    assert set(error.value.fields) == {"views", "canvas"}
