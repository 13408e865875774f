"""The vocabulary of predictions, against numbers taken from the arrays one by one."""

import numpy as np
import pandas as pd
import pytest

from plankton_features.errors import InputError
from plankton_features.heads import HeadOptions, fit_head, make_folds
from plankton_features.report import collect_pictures
from plankton_features.results import out_of_fold_table
from plankton_features.results.predictions import prediction_table

NAMES = ["Acartia tonsa", "p_", "a,b", "Ciliat \u0394"]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    y = np.repeat(np.arange(4), [40, 30, 20, 12])
    X = rng.normal(size=(len(y), 5)) + 0.9 * y[:, None]
    return X.astype(np.float32), np.array(NAMES)[y]


@pytest.fixture(scope="module")
def fitted(data):
    """Thresholds differ from fold to fold; two repeats."""
    folds = make_folds(data[1], n_folds=3, repeats=2)
    return fit_head(*data, folds, HeadOptions(pca=None, sampler="random-over", floor=40,
                                              min_precision=0.6))


@pytest.fixture(scope="module")
def images(data):
    n = len(data[1])
    return pd.DataFrame({"path": [f"{i}.png" for i in range(n)], "id": "", "group": "",
                         "label": data[1], "width": 20})


def test_each_row_is_told_as_the_arrays_have_it(fitted, images):
    table, found = out_of_fold_table(fitted, images, "all"), fitted.out_of_fold
    assert set(table["abstained"]) == {"yes", "no"}
    for i, row in table.iterrows():
        p = dict(zip(fitted.classes, found.probabilities[i], strict=True))
        decision = fitted.classes[found.predicted[i]]
        others = sorted((name for name in p if name != decision), key=lambda name: -p[name])
        assert [row["taxon"], row["taxon_2"], row["taxon_3"]] == [decision, *others[:2]]
        for rank in ("", "_2", "_3"):
            assert row[f"probability{rank}"] == p[row[f"taxon{rank}"]]
        assert row["path"] == images["path"][found.row[i]]
        assert row["label_probability"] == p[row["label"]]
        assert {name: row[f"p_{name}"] for name in p} == p
        block = found.blocks[found.block[i]]
        assert (row["repeat"], row["fold"]) == (block.repeat, block.fold)
        limit = block.choice.thresholds[found.predicted[i]]
        assert row["abstained"] == ("no" if p[decision] >= limit else "yes")
        assert (row["reason"] == "") == (row["abstained"] == "no")
        if row["abstained"] == "yes" and np.isfinite(limit):
            assert f" below {limit:.3f}," in row["reason"]


def test_both_tables_speak_of_the_same_things(fitted, data, images):
    """As many columns as there are, in one order; then what only one of them has."""
    kept = images[["path", "id", "group", "label"]]
    new = prediction_table(fitted.head, fitted.head.classify(data[0]), kept, "all")
    own = out_of_fold_table(fitted, images, "all")
    classes = [f"p_{name}" for name in sorted(NAMES)]
    shared = ["path", "id", "group", "label", "taxon", "probability", "taxon_2", "probability_2",
              "taxon_3", "probability_3", "abstained", "reason"]
    assert list(new) == [*shared, "recipe_id", "head_id", *classes]
    assert list(own) == [*shared, "label_probability", "repeat", "fold", *classes]
    np.testing.assert_allclose(own[classes].sum(axis=1), 1, atol=1e-6)
    few = out_of_fold_table(fitted, images)
    pd.testing.assert_frame_equal(few, own[list(few)])
    assert not set(few) & set(classes)


def test_of_two_classes_there_is_no_third(data):
    X, y = data
    rows = np.isin(y, NAMES[:2])
    result = fit_head(X[rows], y[rows], make_folds(y[rows], n_folds=3), HeadOptions(pca=None))
    images = pd.DataFrame({"path": y[rows], "id": "", "group": "", "label": y[rows]})
    table = out_of_fold_table(result, images)
    assert set(table["taxon_3"]) == {""}
    assert table["probability_3"].isna().all()
    assert set(table["abstained"]) == {"no"}


def test_only_top_and_all_are_known(fitted, images):
    with pytest.raises(InputError, match="expected one of top, all, got most"):
        out_of_fold_table(fitted, images, "most")


def test_tables_of_earlier_versions_still_give_the_pictures_of_a_report(fitted, images):
    table = out_of_fold_table(fitted, images)
    earlier = table.rename(columns={"taxon": "predicted", "taxon_2": "second"})
    assert collect_pictures(earlier, None) == collect_pictures(table, None)
    with pytest.raises(InputError, match="without taxon"):
        collect_pictures(table.drop(columns="taxon"), None)
