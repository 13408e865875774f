"""The pipeline that is fitted, as scikit-learn and notebooks see it."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

from plankton_features.errors import InputError
from plankton_features.heads.pipeline import UpToPCA, head_pipeline


@parametrize_with_checks([UpToPCA(2)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("shape", [(200, 12), (8, 12), (12, 12)])
def test_it_is_pca_with_what_is_possible(shape):
    X = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    found = UpToPCA(10).fit(X)
    expected = PCA(min(10, *shape), svd_solver="full").fit(X)
    kept = slice(0, min(10, shape[0] - 1))  # the last of n centred rows has no direction
    assert np.allclose(np.abs(found.transform(X))[:, kept],
                       np.abs(expected.transform(X))[:, kept], atol=1e-8)
    assert len(found.get_feature_names_out()) == min(10, *shape)


def test_float32_stays_float32():
    assert UpToPCA(2).fit_transform(np.eye(5, dtype=np.float32)).dtype == np.float32


def test_no_components_are_refused():
    with pytest.raises(InputError, match="1 or more components, got 0"):
        UpToPCA(0).fit(np.eye(3))


def data():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [60, 30, 9])
    centres = {"a": 0.0, "b": 2.0, "c": 4.0}
    return (rng.normal(size=(99, 6)) + np.array([centres[k] for k in y])[:, None]), y


def test_any_step_can_be_changed_and_searched():
    X, y = data()
    pipeline = head_pipeline(sampler="random-under+smote", cap=30, floor=20, pca=4)
    search = GridSearchCV(pipeline, {"classifier__C": [0.01, 1.0], "smote__floor": [10, 30],
                                     "pca": ["passthrough", UpToPCA(2)]}, cv=3,
                          error_score="raise").fit(X, y)
    assert search.best_score_ > 0.8
    assert pickle.loads(pickle.dumps(clone(pipeline).fit(X, y))).score(X, y) > 0.8


def test_cross_validation_scores_rows_that_were_not_resampled():
    X, y = data()
    found = cross_validate(head_pipeline(sampler="random-over", floor=60), X, y, cv=3,
                           return_indices=True, error_score="raise")
    assert sum(len(rows) for rows in found["indices"]["test"]) == len(y)


def test_the_callers_vectors_stay_as_they_are():
    X, y = data()
    before = X.copy()
    head_pipeline(sampler="smote", floor=20).fit(X, y).predict(X)
    assert np.array_equal(X, before)


@pytest.mark.parametrize(("options", "steps"), [
    ({}, ["scale", "pca", "classifier"]), ({"pca": None}, ["scale", "classifier"]),
    ({"sampler": "smote-tomek"}, ["scale", "pca", "smote", "tomek", "classifier"]),
    ({"sampler": "class-weight"}, ["scale", "pca", "classifier"]),
])
def test_steps(options, steps):
    pipeline = head_pipeline(**options)
    assert [name for name, _ in pipeline.steps] == steps
    weighted = pipeline.named_steps["classifier"].class_weight == "balanced"
    assert weighted == (options.get("sampler") == "class-weight")
