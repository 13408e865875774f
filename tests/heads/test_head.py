"""The head: its decision, its probabilities, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features.errors import InputError, StoreError
from plankton_features.heads.calibrators import Temperature, Uncalibrated
from plankton_features.heads.head import Head, Predictions
from plankton_features.heads.pipeline import head_pipeline
from plankton_features.results.classifying import (
    Tally,
    VectorBlock,
    prediction_table,
    write_predictions,
)

TAXA = ("Calanus finmarchicus", "Кладоцера", "bubble", "=1+1")
D = 6


def rows(n=160, seed=0, classes=(0, 1, 2, 3)):
    """Overlapping clouds: vectors and class numbers."""
    rng = np.random.default_rng(seed)
    y = np.resize(classes, n)
    centres = np.random.default_rng(9).normal(size=(4, D))
    return (centres[y] + rng.normal(size=(n, D))).astype(np.float32), y


def fitted(last=None, classes=(0, 1, 2, 3)):
    X, y = rows(classes=classes)
    steps = [("scale", StandardScaler()), ("pca", PCA(4)),
             ("classifier", LogisticRegression(C=0.1) if last is None else last)]
    return Pipeline(steps).fit(X, y)


def make(pipeline=None, **changed):
    parts = {
        "pipeline": pipeline or fitted(), "classes": TAXA, "source": [40, 40, 40, 40],
        "target": [100, 40, 15, 5], "calibrator": Temperature(1.4), "thresholds": None,
        "recipe": {"backbone": "pixels", "layers": ["pixels"]}, "recipe_id": "a" * 12,
        "feature_names": [f"v{i}" for i in range(D)], "info": {"created": "2026-11-24"},
    }
    return Head(**{**parts, **changed})


def test_decision_and_probability_are_kept_apart():
    head = make()
    X, _ = rows(seed=1)
    scores = head.decision_scores(X)
    np.testing.assert_array_equal(scores, fitted().predict_proba(X))
    odds = scores * np.array([100, 40, 15, 5]) / 40
    odds /= odds.sum(axis=1, keepdims=True)
    sharpened = odds ** (1 / 1.4)
    expected = sharpened / sharpened.sum(axis=1, keepdims=True)
    found = head.classify(X)
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-6)
    np.testing.assert_array_equal(found.probabilities, head.predict_proba(X))
    np.testing.assert_array_equal(found.code, scores.argmax(axis=1))
    assert (found.code != found.probabilities.argmax(axis=1)).any()
    np.testing.assert_array_equal(found.probability,
                                  found.probabilities[np.arange(len(X)), found.code])
    assert found.accepted.all()


def test_thresholds_are_those_of_the_predicted_class():
    limits = np.array([0.9, 0.2, np.inf, 0.0])
    head = make(thresholds=limits)
    found = head.classify(rows(seed=1)[0])
    np.testing.assert_array_equal(found.accepted, found.probability >= limits[found.code])
    assert not found.accepted[found.code == 2].any()
    assert found.accepted[found.code == 3].all()
    assert 0 < found.accepted[found.code == 0].mean() < 1


def test_a_class_never_seen_has_probability_0():
    head = make(fitted(classes=(0, 2, 3)), source=[50, 0, 50, 60], calibrator=Uncalibrated())
    probabilities = head.predict_proba(rows()[0])
    assert probabilities.shape == (160, 4)
    assert not probabilities[:, 1].any()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_no_rows_give_no_predictions():
    found = make().classify(np.empty((0, D), np.float32))
    assert found.probabilities.shape == (0, 4)
    assert len(found) == 0


@pytest.mark.parametrize(("vectors", "message"), [
    (np.zeros((2, D + 1)), r"expected shape \(rows, 6\) as of recipe aaaaaaaaaaaa, got \(2, 7\)"),
    (np.zeros(D), r"got \(6,\)"),
    ([[0.0] * D, [np.nan] * D], "row 1"),
    ([[np.inf] * D], "row 0"),
    ([["a"] * D], "expected numbers"),
])
def test_vectors_that_do_not_fit(vectors, message):
    with pytest.raises(InputError, match=message):
        make().classify(vectors)


def test_a_head_of_an_array_says_so_where_others_name_their_recipe():
    head = make(recipe={}, recipe_id="")
    assert (make().vectors_of, head.vectors_of) == ("recipe aaaaaaaaaaaa", "an array of 6 values")
    with pytest.raises(InputError, match=r"as of an array of 6 values, got \(2, 7\)"):
        head.classify(np.zeros((2, D + 1)))


@pytest.mark.parametrize(("part", "value", "message"), [
    ("classes", ["a", "b", "a", "c"], "different names"),
    ("classes", ["a", "b", "c"], "source must be 3 numbers"),
    ("source", [1, 0, 1, 1], "above 0"),
    ("target", [1, -1, 1, 1], "above 0"),
    ("target", [1, 1, 1], "target must be 4"),
    ("thresholds", [0.1, 0.2, np.nan, 0.3], "thresholds must be 4"),
])
def test_parts_that_do_not_fit(part, value, message):
    with pytest.raises(InputError, match=message):
        make(**{part: value})


def test_class_names_are_not_class_numbers():
    X, y = rows()
    with pytest.raises(InputError, match="must be numbers"):
        make(Pipeline([("classifier", LogisticRegression())]).fit(X, np.array(TAXA)[y]))


def test_vectors_are_left_as_they_are():
    """A pipeline fitted to save memory scales in place; its head must not."""
    pipeline = fitted()
    pipeline.set_params(scale__copy=False)
    X, _ = rows(seed=2)
    before = X.copy()
    make(pipeline).classify(X)
    np.testing.assert_array_equal(X, before)
    assert pipeline.named_steps["scale"].copy is False


def test_what_only_training_needs_is_left_out():
    X, y = rows()
    pipeline = head_pipeline("mlp", "random-over", pca=3, floor=50)
    pipeline.set_params(classifier__early_stopping=True).fit(X, y)
    head = make(pipeline)
    assert [name for name, _ in head.pipeline.steps] == ["scale", "pca", "classifier"]
    np.testing.assert_array_equal(head.decision_scores(X), pipeline.predict_proba(X))
    assert not hasattr(head.pipeline[-1], "_optimizer")
    assert hasattr(pipeline[-1], "_optimizer")
    assert isinstance(pipeline[-1], MLPClassifier)


def test_a_forest_predicts_the_same_again():
    head = make(fitted(RandomForestClassifier(30, n_jobs=2, random_state=0)))
    X, _ = rows(2000, seed=3)
    first = head.predict_proba(X)
    assert all(np.array_equal(first, head.predict_proba(X)) for _ in range(5))


def test_the_id_follows_from_the_content():
    head = make()
    assert make().head_id == head.head_id
    assert len(head.head_id) == 12
    others = [replace(head, calibrator=Temperature(1.5)), replace(head, thresholds=[0.1] * 4),
              make(fitted(LogisticRegression(C=0.2))), make(info={"created": "2026-11-25"})]
    assert len({head.head_id, *(other.head_id for other in others)}) == 5


def test_info_must_be_json():
    with pytest.raises(InputError, match="plain JSON"):
        make(info={"score": np.float32(1)}).head_id  # noqa: B018
    with pytest.raises(InputError, match="Write NaN as None"):
        make(info={"score": float("nan")}).head_id  # noqa: B018


def test_a_note_on_another_scikit_learn():
    assert make().version_note == ""
    note = make(info={"versions": {"scikit-learn": "1.2.3"}}).version_note
    assert "fitted with scikit-learn 1.2.3" in note


def test_ranks():
    found = Predictions(np.array([2, 0]), np.array([[0.5, 0.1, 0.4], [0.2, 0.4, 0.4]]),
                        np.ones(2, bool))
    assert found.ranked(3).tolist() == [[2, 0, 1], [0, 1, 2]]
    assert found.ranked(9).tolist() == found.ranked(3).tolist()


def images(n):
    return pd.DataFrame({"path": [f"tow 1/{i}.png" for i in range(n)], "id": [""] * n,
                         "label": [TAXA[i % 4] for i in range(n)]})


def blocks_of(X, size, duplicates=()):
    """Blocks of `size` rows; duplicates are pairs of (row, path)."""
    frame = images(len(X))
    for start in range(0, len(X), size):
        part = frame.iloc[start:start + size]
        again = [(r - start, p) for r, p in duplicates if start <= r < start + size]
        yield VectorBlock(X[start:start + size], part, pd.DataFrame({
            "path": [p for _, p in again], "id": "", "label": "other",
            "row": [r for r, _ in again]}).astype({"row": int}))


def test_table_of_predictions():
    head = make(thresholds=[0.9, 0.0, np.inf, 0.0])
    X, _ = rows(12, seed=4)
    found = head.classify(X)
    table = prediction_table(head, found, images(12))
    assert list(table) == ["path", "id", "label", "taxon", "probability", "taxon_2",
                           "probability_2", "taxon_3", "probability_3", "abstained", "reason",
                           "recipe_id", "head_id"]
    assert table["taxon"].tolist() == head.classes[found.code].tolist()
    np.testing.assert_array_equal(table["probability"], found.probability)
    assert (table["probability_2"] >= table["probability_3"]).all()
    assert ((table["abstained"] == "yes") == ~found.accepted).all()
    low = table[(table["taxon"] == TAXA[0]) & (table["abstained"] == "yes")].iloc[0]
    assert low["reason"] == (f"probability {low['probability']:.3f} below 0.900, the threshold of "
                             "this taxon")
    assert (table.loc[table["abstained"] == "no", "reason"] == "").all()
    never = table[table["taxon"] == TAXA[2]]
    assert never["reason"].str.startswith("never sure enough").all()
    assert len(never)


def test_two_classes_leave_the_third_empty():
    head = make(fitted(classes=(0, 1)), classes=["a", "b"], source=[1, 1], target=[1, 1])
    table = prediction_table(head, head.classify(rows(5)[0]), images(5))
    assert (table["taxon_3"] == "").all()
    assert table["probability_3"].isna().all()


@pytest.mark.parametrize("size", [1, 5, 100])
def test_blocks_change_nothing(tmp_path, size):
    head = make()
    X, _ = rows(23, seed=5)
    duplicates = [(3, "again.png"), (3, "more.png"), (20, "last.png")]
    tally = write_predictions(head, blocks_of(X, size, duplicates), tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    found = head.classify(X)
    own = table[table["duplicate_of"] == ""]
    assert own["path"].tolist() == images(23)["path"].tolist()
    np.testing.assert_allclose(own["probability"], found.probability, rtol=1e-5)
    assert table["path"].tolist()[3:7] == ["tow 1/3.png", "again.png", "more.png", "tow 1/4.png"]
    again = table[table["duplicate_of"] != ""]
    assert again["duplicate_of"].tolist() == ["tow 1/3.png"] * 2 + ["tow 1/20.png"]
    assert again["taxon"].tolist() == head.classes[found.code[[3, 3, 20]]].tolist()
    assert set(again["label"]) == {"other"}
    assert (tally.n, tally.n_duplicates) == (23, 3)
    summary = tally.table()
    assert summary["images"].sum() == 23
    assert summary["images"].is_monotonic_decreasing
    of_first = summary.set_index("taxon").loc[TAXA[0]]
    mine = found.code == 0
    assert of_first["images"] == mine.sum()
    assert of_first["share"] == pytest.approx(mine.mean())
    assert of_first["probability"] == pytest.approx(found.probability[mine].mean())
    assert of_first["expected"] == pytest.approx(found.probabilities[:, 0].sum())


def test_labels_are_scored_and_unknown_ones_counted():
    tally = Tally(np.array(["a", "b"]))
    found = Predictions(np.array([0, 1, 1, 0]), np.full((4, 2), 0.5),
                        np.array([True, True, False, True]))
    tally.add(found, ["a", "a", "c", ""])
    assert tally.confusion.tolist() == [[1, 1], [0, 0]]
    assert tally.unknown == {"c": 1}
    assert tally.n_labelled == 2
    assert tally.scores()["accuracy"] == 0.5
    assert tally.table()["abstained"].tolist() == [0, 1]


def test_names_are_data(tmp_path):
    """Commas, quotes, line breaks and formulas come back from the CSV as they went in."""
    names = ['a,"b"', "line\nbreak", "=cmd()", "carriage\rreturn"]
    head = make(classes=names, calibrator=Uncalibrated())
    X, _ = rows(40)
    write_predictions(head, blocks_of(X, 7), tmp_path / "out.csv")
    assert b"\r\n" not in (tmp_path / "out.csv").read_bytes()
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert table["taxon"].tolist() == [names[k] for k in head.classify(X).code]


def test_a_file_is_replaced_only_whole_and_only_if_allowed(tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    X, _ = rows(8)
    with pytest.raises(InputError, match="--overwrite"):
        write_predictions(make(), blocks_of(X, 4), out)

    def broken():
        yield next(blocks_of(X, 4))
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="the disk is full"):
        write_predictions(make(), broken(), out, overwrite=True)
    assert out.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    write_predictions(make(), blocks_of(X, 4), out, overwrite=True)
    assert len(pd.read_csv(out)) == 8
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
