"""The head file: what is saved is loaded, and nothing else is."""

import hashlib
import io
import json
import os
import pickle
import zipfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
import skops.io
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from plankton_features.errors import HeadError, StoreError
from plankton_features.heads.calibrators import Uncalibrated, fit_calibrator
from plankton_features.heads.file import persistence, pipeline_archive
from plankton_features.heads.file.persistence import is_head_file, load_head, save_head
from plankton_features.heads.head import Head
from plankton_features.heads.pipeline import head_pipeline

K, D = 4, 20
RNG = np.random.default_rng(0)
Y = np.arange(200) % K
X = (RNG.normal(size=(K, D))[Y] + RNG.normal(size=(200, D))).astype(np.float32)
NEW = RNG.normal(size=(300, D)).astype(np.float32)

CLASSIFIERS = {
    "logistic": LogisticRegression(),
    "weighted": LogisticRegression(class_weight={0: 1.0, 1: 2.0, 2: 1.0, 3: 1.0}),
    "lda": LinearDiscriminantAnalysis(),
    "lda-lsqr": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "mlp": MLPClassifier((8,), early_stopping=True, tol=1.0, random_state=0),
    "forest": RandomForestClassifier(10, class_weight="balanced", n_jobs=2, random_state=0),
    "forest-float64": RandomForestClassifier(5, max_leaf_nodes=2, random_state=1),
    "knn": KNeighborsClassifier(3, weights="distance", algorithm="brute"),
    "knn-uniform": KNeighborsClassifier(5, algorithm="brute"),
    "knn-kd": KNeighborsClassifier(3, algorithm="kd_tree"),
    "knn-ball": KNeighborsClassifier(3, algorithm="ball_tree", weights="distance"),
}


def fitted(classifier, *before, dtype=np.float32):
    steps = before or (("scale", StandardScaler()), ("pca", PCA(5)))
    return Pipeline([*steps, ("classifier", classifier)]).fit(X.astype(dtype), Y)


def make(pipeline=None, **changed):
    parts = {
        "pipeline": pipeline or fitted(LogisticRegression()),
        "classes": ["Calanus finmarchicus", "Кладоцера", "<b>", "a,\"b\"\n"],
        "source": [50.0, 50, 50, 50], "target": [100.0, 40, 1 / 3, 5],
        "calibrator": Uncalibrated(), "thresholds": [0.1, np.inf, 1 / 3, 0.0],
        "recipe": {"backbone": "pixels", "layers": ["pixels"], "canvas": 32},
        "recipe_id": "0123456789ab", "feature_names": [f"значение_{i}" for i in range(D)],
        "info": {"created": "2026-11-24", "scores": {"macro_f1": 0.1 + 0.2, "brier": None}},
    }
    return Head(**{**parts, **changed})


@pytest.fixture
def path(tmp_path):
    """A head file of a logistic regression."""
    save_head(make(), tmp_path / "out.head")
    return tmp_path / "out.head"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_predictions_are_the_same_bit_for_bit(tmp_path, name, dtype):
    pipeline = fitted(CLASSIFIERS[name], dtype=dtype)
    calibrator = fit_calibrator("isotonic", Y, pipeline.predict_proba(X))
    head = make(pipeline, calibrator=calibrator)
    save_head(head, tmp_path / "out.head")
    again = load_head(tmp_path / "out.head")
    np.testing.assert_array_equal(again.decision_scores(NEW), head.decision_scores(NEW))
    before, after = head.classify(NEW), again.classify(NEW)
    np.testing.assert_array_equal(after.probabilities, before.probabilities)
    np.testing.assert_array_equal(after.code, before.code)
    np.testing.assert_array_equal(after.accepted, before.accepted)
    for part in ("classes", "source", "target", "thresholds"):
        np.testing.assert_array_equal(getattr(again, part), getattr(head, part))
        assert getattr(again, part).dtype == getattr(head, part).dtype
    for part in ("calibrator", "recipe", "recipe_id", "feature_names", "info", "head_id"):
        assert getattr(again, part) == getattr(head, part)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_same_head_gives_the_same_bytes(tmp_path, name):
    """Of another fit, another object, and the loaded head packed anew."""
    files = [tmp_path / f"{i}.head" for i in range(3)]
    for file in files[:2]:
        save_head(make(fitted(CLASSIFIERS[name])), file)
    save_head(replace(load_head(files[0])), files[2])
    assert len({file.read_bytes() for file in files}) == 1


def test_an_unusual_pipeline(tmp_path):
    """As fit-head makes it; without PCA; with a class that resampling never saw."""
    smote = head_pipeline("random-forest", "smote", pca=300, floor=60)
    smote.set_params(classifier__n_estimators=3).fit(X, Y)
    few = Pipeline([("scale", StandardScaler()), ("pca", "passthrough"),
                    ("classifier", LogisticRegression())]).fit(X[Y != 1], Y[Y != 1])
    for pipeline in (smote, few, Pipeline([("classifier", LogisticRegression())]).fit(X, Y)):
        head = make(pipeline)
        save_head(head, tmp_path / "out.head")
        again = load_head(tmp_path / "out.head")
        np.testing.assert_array_equal(again.predict_proba(NEW), head.predict_proba(NEW))
        assert list(again.pipeline.named_steps) == [
            name for name in pipeline.named_steps if name != "smote"]


def test_a_forest_keeps_what_people_look_at(tmp_path):
    forest = fitted(CLASSIFIERS["forest"])
    save_head(make(forest), tmp_path / "out.head")
    again = load_head(tmp_path / "out.head").pipeline[-1]
    np.testing.assert_array_equal(again.feature_importances_, forest[-1].feature_importances_)
    assert [t.get_depth() for t in again.estimators_] == [
        t.get_depth() for t in forest[-1].estimators_]
    leaves = [t.tree_.children_left == -1 for t in again.estimators_]
    for ours, theirs, leaf in zip(again.estimators_, forest[-1].estimators_, leaves, strict=True):
        np.testing.assert_array_equal(ours.tree_.value[leaf], theirs.tree_.value[leaf])
    assert hasattr(forest[-1].estimators_[0], "tree_")


def test_a_forest_of_many_classes_stays_small(tmp_path):
    y = np.arange(2000) % 100
    rows = RNG.normal(size=(2000, D)).astype(np.float32)
    forest = RandomForestClassifier(10, random_state=0).fit(rows, y)
    dense = sum(tree.tree_.value.nbytes for tree in forest.estimators_)
    save_head(make(Pipeline([("classifier", forest)]), classes=[f"c{i}" for i in range(100)],
                   source=np.ones(100), target=np.ones(100), thresholds=None),
              tmp_path / "out.head")
    assert (tmp_path / "out.head").stat().st_size < dense / 25


def test_saving_replaces_at_once_or_not_at_all(path, monkeypatch):
    old = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"out\.head: the disk is full"):
            save_head(make(info={"other": 1}), path)
    assert path.read_bytes() == old
    save_head(make(info={"other": 1}), path)
    assert load_head(path).info["other"] == 1
    assert [p.name for p in path.parent.iterdir()] == ["out.head"]


def test_folders_that_are_not_there(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        save_head(make(), tmp_path / "nowhere" / "out.head")


@pytest.mark.parametrize("pipeline", [
    fitted(GradientBoostingClassifier(n_estimators=2)),
    fitted(LogisticRegression(), ("function", FunctionTransformer(np.abs))),
    fitted(KNeighborsClassifier(metric=lambda a, b: abs(a - b).sum(), algorithm="brute")),
], ids=["gradient-boosting", "function", "lambda"])
def test_other_estimators_are_not_saved(tmp_path, pipeline):
    with pytest.raises(HeadError, match=r"a head is made of scaler|cannot be stored"):
        save_head(make(pipeline), tmp_path / "out.head")
    assert not list(tmp_path.iterdir())


# what is no head

def refuse(path, *words):
    with pytest.raises(HeadError) as caught:
        load_head(path)
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message, message
    return message


def hdf5(path):
    with h5py.File(path, "w") as file:
        file["features"] = [1]


def saved_by_skops(path):
    skops.io.dump(fitted(LogisticRegression()), path)


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.txt", "x")


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


FOREIGN = {
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "text": (lambda path: path.write_text("my thesis"), "something else"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps(Evil())), "something else"),
    "hdf5": (hdf5, "The order is: plankton-features classify HEAD FEATURES.h5"),
    "image": (lambda path: Image.new("L", (9, 9)).save(path, "png"), "something else"),
    "zip": (other_zip, "expected manifest.json"),
    "skops": (saved_by_skops, "expected manifest.json"),
    "folder": (lambda path: path.mkdir(), "a folder"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write, word = FOREIGN[kind]
    write(tmp_path / "some.head")
    assert not is_head_file(tmp_path / "some.head")
    refuse(tmp_path / "some.head", word)
    assert [p.name for p in tmp_path.iterdir()] == ["some.head"]


def test_no_file(tmp_path):
    refuse(tmp_path / "some.head", "no such head file", "fit-head")


def test_files_cut_short(path):
    assert is_head_file(path)
    content = path.read_bytes()
    for length in np.linspace(1, len(content) - 1, 60).astype(int):
        path.write_bytes(content[:length])
        refuse(path)


def test_every_changed_byte_is_noticed_or_harmless(path):
    content = path.read_bytes()
    before = load_head(path).head_id
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 300):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            assert load_head(path).head_id == before
        except HeadError:
            refused += 1
    assert refused > 250


# what a forger could write

def rewrite(path, *, digests=True, pipeline=None, head=None, manifest=None):
    """Change parts of a head file, and its digests so that they fit."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(parts["manifest.json"])
    if pipeline is not None:
        parts["pipeline.skops"] = pipeline(parts["pipeline.skops"])
    if head is not None:
        description = json.loads(parts["head.json"])
        head(description)
        parts["head.json"] = json.dumps(description).encode()
    if digests:
        with zipfile.ZipFile(io.BytesIO(parts["pipeline.skops"])) as inner:
            names = ["schema.json", *(f"{i}.npy" for i in range(len(inner.namelist()) - 1))]
            hashes = [hashlib.sha256(inner.read(name)).hexdigest() for name in names
                      if name in inner.namelist()]
        told["sha256"] = {"head.json": hashlib.sha256(parts["head.json"]).hexdigest(),
                          "pipeline.skops": hashlib.sha256("\n".join(hashes).encode()).hexdigest()}
    told.update(manifest or {})
    parts["manifest.json"] = json.dumps(told).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def inner(change):
    """A function that changes the files inside pipeline.skops."""
    def apply(data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        change(files)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()
    return apply


def in_schema(old, new):
    def change(files):
        assert old in files["schema.json"]
        files["schema.json"] = files["schema.json"].replace(old, new)
    return inner(change)


def array(name, value):
    """A function that replaces an array of the classifier."""
    def change(files):
        schema = json.loads(files["schema.json"])
        found = [s for s in walk(schema) if name in s]
        buffer = io.BytesIO()
        np.save(buffer, value(np.load(io.BytesIO(files[found[0][name]["file"]]))))
        files[found[0][name]["file"]] = buffer.getvalue()
    return inner(change)


def walk(value):
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def test_the_helper_forges_what_would_load(path):
    """Or the tests below would see nothing but wrong digests."""
    before = load_head(path)
    rewrite(path, pipeline=inner(lambda files: None), head=lambda parts: None)
    assert load_head(path).predict_proba(NEW).tolist() == before.predict_proba(NEW).tolist()
    rewrite(path, pipeline=array("coef_", lambda a: a * 2))
    assert load_head(path).predict_proba(NEW).tolist() != before.predict_proba(NEW).tolist()


@pytest.mark.parametrize(("old", "new", "named"), [
    (b'"__class__":"LogisticRegression","__module__":"sklearn.linear_model._logistic"',
     b'"__class__":"system","__module__":"os"', "os.system (ObjectNode)"),
    (b'"__class__":"LogisticRegression","__module__":"sklearn.linear_model._logistic"',
     b'"__class__":"SVC","__module__":"sklearn.svm._classes"', "sklearn.svm._classes.SVC"),
    (b'"__loader__":"JsonNode"', b'"__loader__":"FunctionNode"', "builtins.str (FunctionNode)"),
    (b'"__class__":"ndarray","__module__":"numpy"', b'"__class__":"fromfile","__module__":"numpy"',
     "numpy.fromfile (NdArrayNode)"),
])
def test_other_types_are_refused_before_anything_is_made(path, old, new, named, monkeypatch):
    rewrite(path, pipeline=in_schema(old, new))
    monkeypatch.setattr(skops.io, "loads", lambda *a, **k: pytest.fail("was loaded"))
    refuse(path, named)


def test_a_part_changed_without_its_digest(path):
    rewrite(path, digests=False, head=lambda parts: parts.update(recipe_id="other"))
    refuse(path, "head.json is not what was written: its SHA-256 differs")
    save_head(make(), path)
    rewrite(path, digests=False, pipeline=array("coef_", lambda a: a * 2))
    refuse(path, "the classifier is not what was written")


def test_a_newer_format(path):
    rewrite(path, manifest={"version": 2})
    refuse(path, "head of format 2, this version of the package reads up to 1. Update")


@pytest.mark.parametrize("change", [
    lambda parts: parts.pop("classes"),
    lambda parts: parts.update(classes=["a", "b"]),
    lambda parts: parts.update(source=["a"] * 4),
    lambda parts: parts.update(thresholds=5),
    lambda parts: parts.update(calibrator={"name": "pickle"}),
    lambda parts: parts.update(feature_names=["a"]),
    lambda parts: parts.update(info=None),
    lambda parts: parts.update(more=1),
    lambda parts: parts.update(pipeline="a"),
], ids=range(9))
def test_descriptions_that_do_not_fit(path, change):
    rewrite(path, head=change)
    if "pipeline" in json.loads(zipfile.ZipFile(path).read("head.json")):
        assert load_head(path)  # is not read
    else:
        refuse(path)


@pytest.mark.parametrize(("manifest", "word"), [
    ({"format": "other"}, "no head"), ({"version": "x"}, "ValueError"),
    ({"sha256": {}}, "KeyError"),
])
def test_manifests_that_do_not_fit(path, manifest, word):
    rewrite(path, manifest=manifest)
    refuse(path, word)


def test_what_would_fill_the_memory(path, monkeypatch):
    monkeypatch.setitem(persistence._MOST, "head.json", 100)
    refuse(path, "expected at most 100")
    monkeypatch.setitem(persistence._MOST, "head.json", 2**26)
    monkeypatch.setattr(pipeline_archive, "MOST_BYTES", 100)
    refuse(path, "can be stored")


def test_a_bomb_is_refused_by_what_it_says_of_itself(path):
    def swell(files):
        files["0.npy"] = bytes(2**20)

    def bomb(data):
        data = inner(swell)(data)
        size = (2**20).to_bytes(4, "little")
        assert data.count(size) >= 2
        return data.replace(size, (2**32 - 2).to_bytes(4, "little"))

    rewrite(path, digests=False, pipeline=bomb)
    refuse(path)


def test_names_in_the_zip_file_twice_or_more_than_there_should_be(path):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("head.json", "{}")
    refuse(path, "expected manifest.json")
    save_head(make(), path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil", "x")
    refuse(path, "expected manifest.json")


def put(place, value):
    def change(column):
        column = column.copy()
        column[place] = value
        return column
    return change


@pytest.mark.parametrize(("name", "change"), [
    ("node_left_child", put(0, 0)), ("node_left_child", put(0, 10**6)),
    ("node_right_child", put(0, -5)), ("node_feature", put(0, 5)), ("node_feature", put(0, -2)),
    ("n_nodes", put(0, 10**6)), ("n_nodes", put(0, 0)), ("n_nodes", lambda a: a[:0]),
    ("value_class", put(0, K)), ("value_class", put(0, -1)), ("value_node", put(-1, 10**6)),
    ("value_node", put(0, -1)), ("value", lambda a: a[1:]), ("depth", lambda a: a[1:]),
    ("node_threshold", lambda a: a[1:]), ("n_nodes", lambda a: a.astype(float)),
])
def test_trees_that_lead_nowhere(tmp_path, name, change):
    path = tmp_path / "out.head"
    save_head(make(fitted(CLASSIFIERS["forest"])), path)
    rewrite(path, pipeline=array(name, change))
    refuse(path)


@pytest.mark.parametrize(("name", "change"), [
    ("_y", put(0, K)), ("_y", put(0, -1)), ("_y", lambda a: a[1:]), ("_fit_X", lambda a: a[1:]),
    ("_y", lambda a: a.astype(float)),
])
@pytest.mark.parametrize("kind", ["knn", "knn-uniform", "knn-kd"])
def test_neighbours_that_lead_nowhere(tmp_path, kind, name, change):
    path = tmp_path / "out.head"
    save_head(make(fitted(CLASSIFIERS[kind])), path)
    rewrite(path, pipeline=array(name, change))
    refuse(path)


@pytest.mark.parametrize("change", [
    in_schema(b'"n_estimators"', b'"n_estimates"'), in_schema(b'"estimators_"', b'"estimate_"'),
    in_schema(b'"_tree_arrays"', b'"_tree_array"'),
    in_schema(b'"n_features_in_":{"__class__":"str","__module__":"builtins","__loader__":"JsonNode",'
              b'"content":"5"', b'"n_features_in_":{"__class__":"str","__module__":"builtins",'
              b'"__loader__":"JsonNode","content":"5000"'),
], ids=range(4))
def test_forests_without_their_parts(tmp_path, change):
    path = tmp_path / "out.head"
    save_head(make(fitted(CLASSIFIERS["forest"])), path)
    rewrite(path, pipeline=change)
    refuse(path)


def test_other_steps_of_known_types(path):
    nested = Pipeline([("classifier", fitted(LogisticRegression()))])
    first = Pipeline([("scale", fitted(LogisticRegression())[-1]), ("classifier", PCA(2).fit(X))])
    for forged in (nested, first):
        data = pipeline_archive.pack_pipeline(forged).data
        rewrite(path, pipeline=lambda _, data=data: data)
        refuse(path, "cannot be right")


def test_another_scikit_learn_is_told_and_no_warning(path, monkeypatch):
    monkeypatch.setattr("sklearn.base.__version__", "1.2.3")
    save_head(make(info={"versions": {"scikit-learn": "1.2.3"}}), path)
    monkeypatch.undo()
    head = load_head(path)
    assert "fitted with scikit-learn 1.2.3" in head.version_note
    assert np.isfinite(head.predict_proba(NEW)).all()


def test_another_scikit_learn_that_does_not_work(path):
    save_head(make(info={"versions": {"scikit-learn": "1.2.3"}}), path)
    rewrite(path, pipeline=in_schema(b'"coef_"', b'"coefficients_"'))
    refuse(path, "fitted with scikit-learn 1.2.3, here is")
