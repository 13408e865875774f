"""Ways compared on the same folds."""

import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.heads.pipeline import HeadOptions
from plankton_features.heads.validation.folds import make_folds
from plankton_features.results import comparing
from plankton_features.results.comparing import compare_heads, ways_to_compare


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [90, 60, 30])
    centres = {"a": 0.0, "b": 1.5, "c": 3.0}
    X = rng.normal(size=(180, 6)) + np.array([centres[k] for k in y])[:, None]
    return X.astype(np.float32), y, make_folds(y, n_folds=3)


def compared(data, *names):
    ways = ways_to_compare(names, HeadOptions(pca=4))
    return compare_heads(*data, ways).to_dict()


def test_copies_of_one_way_show_no_difference(data, monkeypatch):
    """``smote`` with nothing to do is ``none``: every difference is exactly 0."""
    ways = ways_to_compare(["smote"], HeadOptions(pca=4, sampler="smote", floor=1))
    told = compare_heads(*data, ways).to_dict()
    assert [row["sampler"] for row in told["rows"]] == ["none", "smote"]
    assert told["rows"][1]["difference"]["macro_f1"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    assert told["rows"][1]["verdict"] == "no difference shown"
    assert "Resampling was not shown to help here" in told["recommendation"]


def test_a_way_that_is_better_is_recommended(data):
    X, y, folds = data
    noisy = np.concatenate([X, np.random.default_rng(1).normal(size=(180, 300)) * 3], axis=1)
    ways = ways_to_compare(["lda"], HeadOptions(pca=None, classifier="knn"))
    told = compare_heads(noisy.astype(np.float32), y, folds, ways).to_dict()
    assert told["baseline"] == "none / knn"
    assert told["rows"][1]["verdict"] == "better"
    assert told["recommendation"].startswith("Use none / lda: macro-F1 is ")


def test_what_is_refused_stays_in_the_table(data, monkeypatch):
    from plankton_features.errors import InputError

    def refuse(y, name, *_, **__):
        if name == "smote":
            raise InputError("too large.")

    monkeypatch.setattr("plankton_features.heads.fitting.check_memory", refuse)
    told = compared(data, "smote", "random-over")
    assert [row["verdict"] for row in told["rows"]][1] == "refused: too large."
    assert told["rows"][1]["scores"] == {}
    assert told["rows"][2]["scores"]["macro_f1"]["estimate"] > 0.5


def test_floor_and_cap_go_to_those_that_take_them(data):
    ways = ways_to_compare(comparing.DEFAULT_LIST, HeadOptions(sampler="smote", floor=40))
    assert [(way.sampler, way.floor) for way in ways] == [
        ("none", None), ("class-weight", None), ("random-over", 40), ("smote", 40),
        ("random-under+random-over", 40)]


def test_limits_are_for_those_that_take_them():
    """The head's own sampler need take none of them."""
    ways = ways_to_compare(["smote", "random-under", "random-under+smote"], HeadOptions(), floor=40,
                      cap=60)
    assert [(one.sampler, one.floor, one.cap) for one in ways] == [
        ("none", None, None), ("smote", 40, None), ("random-under", None, 60),
        ("random-under+smote", 40, 60)]
    with pytest.raises(InputError, match="cap: none of the samplers compared takes one"):
        ways_to_compare(["smote"], HeadOptions(), cap=60)
    base = HeadOptions(sampler="random-under", cap=60)
    assert ways_to_compare(["smote"], base, cap=60)[1].cap is None
