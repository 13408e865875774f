import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from PIL import Image
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from plankton_features import ImageEmbedder, extract, read_features
from plankton_features.embedding import open_engine, resolve_weights
from plankton_features.errors import InputError, MismatchError


def embedder(**options):
    chosen = {"backbone": "pixels", "canvas": 32, "views": "none", "pooling": ("avg",)}
    return ImageEmbedder(**{**chosen, **options})


#: Those of scikit-learn's checks that hand over no table of numbers, which are no images.
CHECKS = [
    "check_estimator_cloneable", "check_estimator_repr", "check_get_params_invariance",
    "check_set_params", "check_mixin_order", "check_no_attributes_set_in_init",
    "check_parameters_default_constructible", "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learn_agrees(check):
    getattr(estimator_checks, check)("ImageEmbedder", embedder())


@pytest.fixture(scope="module")
def readable(catalog):
    """40 paths of pictures that can be read, each another."""
    from plankton_features.images import decode_image, read_bytes

    paths, seen = [], set()
    for i in range(len(catalog)):
        data = read_bytes(catalog.file(i))
        if not data.startswith(b"not an image") and data not in seen:
            decode_image(data)
            seen.add(data)
            paths.append(catalog.file(i))
    return paths[:40]


def test_vectors_are_those_of_extraction(readable, catalog, tmp_path, pixels):
    recipe, engine = pixels(size_features=True)
    extract(catalog, recipe, engine, tmp_path / "out.h5")
    file = read_features(tmp_path / "out.h5")
    rows = {str(catalog.root / path): row for row, path in enumerate(file.paths)}
    vectors = embedder(size_features=True).fit_transform(readable)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, file.X[[rows[p] for p in readable]])


def test_rows_follow_the_input(readable):
    e = embedder().fit()
    order = [3, 0, 3, 9]
    assert np.array_equal(e.transform([readable[i] for i in order]), e.transform(readable)[order])


def test_pictures_are_embedded_like_their_files(readable):
    pictures = []
    for path in readable:
        with Image.open(path) as image:
            pictures.append(np.asarray(image))
    e = embedder(size_features=True).fit()
    assert np.array_equal(e.transform(pictures), e.transform(readable))
    stack = np.stack([p[:12, :12] for p in pictures])
    assert e.transform(stack).shape == (40, 67)
    assert e.transform(np.repeat(stack[..., None], 3, axis=3)).shape == (40, 67)


@pytest.mark.parametrize("kind", [
    np.array, pd.Series, lambda p: pd.DataFrame({"path": p}), lambda p: np.array(p)[:, None],
    lambda p: pd.Series(p, dtype="string"), lambda p: pd.DataFrame({"p": p}, dtype="string"), tuple,
], ids=["array", "series", "frame", "column", "string series", "string frame", "tuple"])
def test_containers_of_paths(readable, kind):
    e = embedder().fit()
    assert np.array_equal(e.transform(kind(readable[:5])), e.transform(readable[:5]))


@pytest.mark.parametrize("nothing", [[], (), np.zeros((0, 8, 8), np.uint8), pd.Series(dtype=str),
                                     pd.DataFrame({"path": []})], ids=lambda x: type(x).__name__)
def test_no_images_are_told(nothing, tmp_path):
    """Whoever looked for some found none; with a cache it ended in a file that is not there."""
    for cache in (None, tmp_path / "vectors.h5"):
        for call in (embedder(cache=cache).fit, embedder(cache=cache).fit().transform,
                     embedder(cache=cache).fit_transform):
            with pytest.raises(InputError, match=r"no images: .* build_catalog\(FOLDER\)"):
                call(nothing)
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize(("X", "message"), [
    ("one.png", "single path"),
    (pd.DataFrame({"path": ["a"], "label": ["b"]}), "expected one column of paths, got 2"),
    (["a.png", np.zeros((3, 3), np.uint8)], "not both.*ndarray, str"),
    ([1, 2], "items of type int"),
    ([np.zeros((3, 3))], "picture 0: expected uint8"),
    ([np.zeros((3, 3, 2), np.uint8)], r"picture 0: .*shape \(3, 3, 2\)"),
    ([np.zeros((0, 3), np.uint8)], r"picture 0: .*shape \(0, 3\)"),
])
def test_what_are_no_images(X, message):
    with pytest.raises(InputError, match=message):
        embedder().fit().transform(X)


def test_failing_images_are_named(catalog):
    broken = [catalog.file(i) for i in range(len(catalog)) if "00005" in catalog.path[i]]
    with pytest.raises(InputError, match=r"2 of 2 images .*\n.*00005.png: decode: not an image"):
        embedder().fit().transform([*broken, "/nowhere.png"])
    cut = embedder(crop_bottom=9).fit()
    with pytest.raises(InputError, match="picture 1: frame: nothing left"):
        cut.transform([np.zeros((10, 3), np.uint8), np.zeros((9, 3), np.uint8)])


def test_parameters_and_clones():
    e = embedder(layers=["thumbnail"], cache="somewhere.h5")
    assert e.get_params()["layers"] == ["thumbnail"]
    copy = clone(e).set_params(canvas=64)
    assert (copy.canvas, copy.cache, e.canvas) == (64, "somewhere.h5", 32)
    with pytest.raises(NotFittedError):
        e.transform([])


def test_wrong_parameters_are_told_when_fitting():
    e = embedder(views="all")
    with pytest.raises(InputError, match="views"):
        e.fit()


def test_attributes_and_names():
    e = embedder(pooling=("avg", "max"), size_features=True).fit()
    assert e.n_values_ == 131
    assert e.recipe_id_ == e.recipe_.recipe_id
    names = e.get_feature_names_out()
    assert (names[0], names[64], names[-1]) == ("thumbnail_avg_0", "thumbnail_max_0", "log_area")
    assert len(names) == 131


def test_pandas_output(readable):
    frame = embedder().set_output(transform="pandas").fit_transform(pd.Series(readable))
    assert frame.columns[0] == "thumbnail_avg_0"
    assert frame.shape == (40, 64)


def test_pickling(readable):
    e = embedder().fit()
    again = pickle.loads(pickle.dumps(e))
    assert again.__dict__["_engine"] is None  # opened when needed, on the machine that needs it
    assert np.array_equal(again.transform(readable), e.transform(readable))
    assert "_engine" not in pickle.loads(pickle.dumps(embedder())).__dict__


def test_in_a_pipeline(readable):
    y = [i % 2 for i in range(40)]
    model = make_pipeline(embedder(), LogisticRegression())
    scores = cross_val_score(model, np.array(readable), y, cv=2, error_score="raise", n_jobs=2)
    assert scores.shape == (2,)


def test_on_one_column_of_a_table(readable):
    table = pd.DataFrame({"path": readable, "depth": range(40)})
    both = ColumnTransformer([("image", embedder(), "path")], remainder="passthrough")
    assert both.fit_transform(table).shape == (40, 65)


@pytest.fixture
def cached(tmp_path):
    return lambda **options: embedder(cache=tmp_path / "cache.h5", **options).fit()


@pytest.fixture
def computed(monkeypatch):
    """Digests of the batches that are embedded."""
    from plankton_features.embedding.pixels import PixelsEngine

    real, seen = PixelsEngine.submit, []

    def submit(engine, canvases):
        seen.append(len(canvases))
        return real(engine, canvases)

    monkeypatch.setattr(PixelsEngine, "submit", submit)
    return seen


def test_the_cache_gives_the_same_vectors_and_computes_once(cached, readable, computed):
    plain = embedder().fit().transform(readable)
    computed.clear()
    e = cached(batch=1)
    assert np.array_equal(e.transform(readable), plain)
    assert len(computed) == 40
    assert np.array_equal(cached(batch=1).transform(readable[::-1]), plain[::-1])
    assert len(computed) == 40


def test_the_cache_is_a_union(cached, readable, computed, tmp_path):
    e = cached(batch=1)
    for chosen in (readable[:10], readable[5:15], readable[30:], readable[:10]):
        assert len(e.transform(chosen)) == len(chosen)
    assert len(computed) == 25
    file = read_features(tmp_path / "cache.h5")
    assert set(file.paths) == {*readable[:15], *readable[30:]}


def test_changed_content_is_computed_again(cached, tmp_path):
    path = tmp_path / "a.png"
    e = cached()
    for grey in (10, 200):
        Image.fromarray(np.full((20, 20), grey, np.uint8)).save(path)
        assert e.transform([path])[0, 0] == pytest.approx(grey / 255)


def test_a_copy_of_what_a_changed_file_was(cached, tmp_path, computed):
    first, copy = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(np.full((20, 20), 51, np.uint8)).save(first)
    e = cached(batch=1)
    e.transform([first])
    first.rename(copy)
    Image.fromarray(np.full((20, 20), 102, np.uint8)).save(first)
    assert e.transform([first, copy])[:, 0] == pytest.approx([0.4, 0.2])
    assert len(computed) == 2


def test_moved_and_removed_files(cached, tmp_path, computed):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for grey, path in enumerate(paths):
        Image.fromarray(np.full((20, 20), grey, np.uint8)).save(path)
    e = cached(batch=1)
    e.transform(paths)
    moved = paths[0].rename(tmp_path / "c.png")
    assert e.transform([moved, moved])[:, 0].tolist() == [0, 0]
    assert len(computed) == 2
    Image.fromarray(np.full((20, 20), 9, np.uint8)).save(tmp_path / "d.png")
    e.transform([tmp_path / "d.png"])
    with pytest.raises(InputError, match=r"a.png: read: no such file"):
        e.transform(paths)


def test_what_cannot_be_reached_stays_in_the_cache(cached, tmp_path, computed):
    """A drive that is not mounted now: other images are embedded, and its vectors stay."""
    away, here = tmp_path / "drive", tmp_path / "here"
    paths = [folder / f"{i}.png" for folder in (away, here) for i in range(3)]
    for grey, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 20), 10 * grey, np.uint8)).save(path)
    e = cached(batch=1)
    before = e.transform(paths[:3])
    away.rename(tmp_path / "not mounted")
    e.transform(paths[3:])
    (tmp_path / "not mounted").rename(away)
    assert np.array_equal(e.transform(paths)[:3], before)
    assert len(computed) == 6
    file = read_features(tmp_path / "cache.h5")
    assert file.paths.tolist() == [str(p) for p in paths]
    assert file.X[:, 0] == pytest.approx(np.arange(6) * 10 / 255)


def test_the_cache_names_what_cannot_be_used(cached, catalog, readable):
    broken = next(catalog.file(i) for i in range(150) if "00005" in catalog.path[i])
    e = cached()
    with pytest.raises(InputError, match=r"1 image cannot be used, .*00005.png"):
        e.transform([*readable[:3], broken])
    assert e.transform(readable[:3]).shape == (3, 64)


def test_the_cache_of_another_recipe(cached, readable):
    cached().transform(readable[:3])
    with pytest.raises(MismatchError, match="canvas: found 32, asked for 64"):
        cached(canvas=64)


def test_an_unfinished_cache_is_begun_anew(cached, readable, tmp_path, monkeypatch):
    from plankton_features.store import FeatureStore

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureStore, "finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            cached().transform(readable[:3])
    assert (tmp_path / "cache.h5.partial").exists()
    assert cached().transform(readable[2:6]).shape == (4, 64)


def test_processes_share_a_cache(readable, tmp_path):
    e = embedder(cache=tmp_path / "cache.h5", batch=1)
    parts = [readable[:15], readable[10:25], readable[20:], readable]
    done = Parallel(n_jobs=2)(delayed(clone(e).fit_transform)(part) for part in parts)
    expected = embedder().fit()
    for part, vectors in zip(parts, done, strict=True):
        assert np.array_equal(vectors, expected.transform(part))
    assert set(read_features(tmp_path / "cache.h5").paths) == set(readable)


def test_a_cross_validated_pipeline_with_a_cache(readable, tmp_path):
    model = make_pipeline(embedder(cache=tmp_path / "cache.h5"), LogisticRegression())
    scores = cross_val_score(model, readable, [i % 2 for i in range(40)], cv=2, n_jobs=2,
                             error_score="raise")
    assert np.isfinite(scores).all()


def test_extraction_itself_needs_no_scikit_learn():
    code = ("import plankton_features.extraction, plankton_features.cli.extract_text, sys; "
            "sys.exit('sklearn' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_that_is_no_cache_keeps_its_labels(catalog, readable, tmp_path):
    e = embedder().fit()
    extract(catalog, e.recipe_, open_engine(e.recipe_, resolve_weights("pixels")),
            tmp_path / "cache.h5")
    before = (tmp_path / "cache.h5").read_bytes()
    with pytest.raises(InputError, match="not a cache; its labels"):
        embedder(cache=tmp_path / "cache.h5").fit().transform([readable[0], __file__])
    assert (tmp_path / "cache.h5").read_bytes() == before


def test_values_that_are_not_finite_are_refused(tmp_path):
    pixels = [np.full((20, 20), value, np.uint8) for value in (10, 20)]
    model = embedder().fit(pixels)
    engine = model._engine
    real = engine.submit
    engine.submit = lambda canvases: lambda: np.where(
        canvases.reshape(len(canvases), -1).max(axis=1, keepdims=True) > 15, np.nan,
        real(canvases)())
    with pytest.raises(InputError, match="1 of 2 images cannot be used:\n  picture 1: embed: the"):
        model.transform(pixels)
