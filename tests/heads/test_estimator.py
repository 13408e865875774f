"""The head as scikit-learn's own tools use it."""

import json

import numpy as np
import pytest
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from plankton_features import HeadClassifier, ImageEmbedder, load_head, save_head
from plankton_features.errors import HeadError, InputError
from plankton_features.heads import HeadOptions, fit_head, make_folds
from plankton_features.results import describe_fit


@parametrize_with_checks([HeadClassifier(folds=3, pca=None),
                          HeadClassifier(LogisticRegression(), calibration="none", pca=8)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def rows(n=90, n_classes=3, d=6, seed=0, apart=1.5):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_classes), n // n_classes)
    centres = np.random.default_rng(9).normal(scale=apart, size=(n_classes, d))
    names = np.array(["copepod", "bubble", "Кладоцера", "diatom"])[:n_classes]
    return centres[codes] + rng.normal(size=(len(codes), d)), names[codes]


def test_it_is_the_head_that_the_same_folds_give():
    X, y = rows()
    own = HeadClassifier(sampler="smote", floor=40, seed=4).fit(X, y)
    options = HeadOptions(sampler="smote", floor=40, seed=4)
    codes = np.unique(y, return_inverse=True)[1]
    other = fit_head(X, y, make_folds(codes, seed=4), options).head
    new, labels = rows(seed=1)
    np.testing.assert_array_equal(own.predict(new), other.predict(new))
    np.testing.assert_array_equal(own.predict_proba(new), other.predict_proba(new))
    assert accuracy_score(labels, other.predict(new)) > 0.9


def test_numbers_keep_their_order_and_type():
    """As text, 10 comes before 9."""
    X, y = rows()
    numbers = np.unique(y, return_inverse=True)[1] * 7 + 2  # 2, 9, 16
    model = HeadClassifier().fit(X, numbers)
    assert model.classes_.tolist() == [2, 9, 16]
    assert model.head_.classes.tolist() == ["16", "2", "9"]
    new, labels = rows(seed=1)
    truth = np.unique(labels, return_inverse=True)[1] * 7 + 2
    assert accuracy_score(truth, model.predict(new)) > 0.9
    assert (model.classes_[model.predict_proba(new).argmax(axis=1)] == truth).mean() > 0.9


def test_in_searches_and_pipelines():
    X, y = rows()
    search = GridSearchCV(make_pipeline(FunctionTransformer(), HeadClassifier(folds=3)),
                          {"headclassifier__sampler": ["none", "random-over"],
                           "headclassifier__calibration": ["temperature", "none"]}, cv=3)
    assert search.fit(X, y).best_score_ > 0.9
    assert cross_val_score(HeadClassifier(folds=3), X, y, cv=3).min() > 0.8


def test_groups_are_routed_and_kept_together():
    """Rows of a group are nearly copies: chosen on parted groups, the weakest penalty wins."""
    X, y = rows(120, 2, apart=0.3)
    groups = np.arange(120) % 12
    with sklearn.config_context(enable_metadata_routing=True):
        model = HeadClassifier(folds=3).set_fit_request(groups=True)
        found = cross_validate(model, X, y, cv=GroupKFold(3), params={"groups": groups},
                               return_estimator=True, return_indices=True)
    for one, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        folds = one.result_.folds
        assert folds.grouped
        pairs = set(zip(groups[train].tolist(), folds.numbers[0].tolist(), strict=True))
        assert len(pairs) == len(set(groups[train].tolist()))


@pytest.mark.parametrize("classifier", [
    SVC(C=3), LinearSVC(), RidgeClassifier(), HistGradientBoostingClassifier(max_iter=20),
    RandomForestClassifier(20), make_pipeline(SelectKBest(k=3), LogisticRegression())],
    ids=lambda c: type(c).__name__)
def test_any_classifier_takes_the_same_way(classifier, tmp_path):
    X, y = rows()
    result = fit_head(X, y, make_folds(y, n_folds=3), HeadOptions(classifier, pca=4))
    told = describe_fit(result).to_dict()
    json.dumps(told)
    assert type(classifier).__name__ in told["options"]["classifier"]
    assert told["scores"]["accuracy"]["estimate"] > 0.9
    assert not any("converge" in text for text in told["warnings"])
    new, labels = rows(seed=1)
    probabilities = result.head.predict_proba(new)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert accuracy_score(labels, result.head.predict(new)) > 0.9
    again = fit_head(X, y, make_folds(y, n_folds=3), HeadOptions(classifier, pca=4)).head
    np.testing.assert_array_equal(again.predict_proba(new), probabilities)  # it got the seed
    assert len(result.head.head_id) == 12
    path = tmp_path / "own.head"
    if isinstance(classifier, RandomForestClassifier):
        save_head(result.head, path)
        np.testing.assert_array_equal(load_head(path).predict_proba(new), probabilities)
    else:
        with pytest.raises(HeadError, match="a head is made of scaler, PCA and one of"):
            save_head(result.head, path)
        assert not path.exists()


def test_decision_values_of_two_classes_are_the_logistic_function():
    X, y = rows(60, 2)
    head = fit_head(X, y, make_folds(y, n_folds=3),
                    HeadOptions(LinearSVC(), calibration="none", pca=None)).head
    values = head.pipeline.decision_function(X.astype(np.float32))
    np.testing.assert_allclose(head.decision_scores(X)[:, 1], 1 / (1 + np.exp(-values)))


@pytest.mark.parametrize(("options", "told"), [
    ({"classifier": SVC}, "expected a name or a scikit-learn classifier"),
    ({"classifier": "svm"}, "classifier 'svm' is not known"),
    ({"classifier": SelectKBest()}, "expected a name or a scikit-learn classifier"),
    ({"classifier": SVC(decision_function_shape="ovo"), "n_classes": 4}, "'ovr'"),
    ({"classifier": LinearSVC(class_weight=None), "sampler": "wrong"}, "sampler 'wrong'"),
    ({"calibration": "wrong"}, "calibration 'wrong' is not known"),
])
def test_what_cannot_be_used_is_told(options, told):
    X, y = rows(n_classes=options.pop("n_classes", 3))
    with pytest.raises(InputError, match=told):
        HeadClassifier(**options).fit(X, y)


def test_class_weights_reach_a_classifier_of_ones_own():
    made = HeadOptions(LinearSVC(), sampler="class-weight").pipeline()[-1]
    assert made.class_weight == "balanced"
    with pytest.raises(InputError, match="cannot weight classes"):
        HeadOptions(make_pipeline(LinearSVC()), sampler="class-weight")


def test_few_rows_make_fewer_folds():
    X, y = rows(8, 2)
    assert len(HeadClassifier(folds=5).fit(X, y).result_.folds.scored) == 4


def test_images_to_taxa_in_one_pipeline_with_groups_routed():
    rng = np.random.default_rng(3)
    y = np.array(["bubble", "copepod", "krill"])[np.arange(90) % 3]
    grounds = 60 + 60 * (np.arange(90) % 3)[:, None, None]
    pictures = np.clip(grounds + rng.normal(scale=40, size=(90, 24, 24)), 0, 255).astype(np.uint8)
    embedder = ImageEmbedder(backbone="pixels", canvas=32)
    with sklearn.config_context(enable_metadata_routing=True):
        head = HeadClassifier(folds=3, pca=8).set_fit_request(groups=True)
        scores = cross_val_score(make_pipeline(embedder, head), pictures, y,
                                 cv=GroupKFold(3), params={"groups": np.arange(90) // 6})
    assert scores.shape == (3,)
    assert scores.min() > 0.9
    pipeline = make_pipeline(embedder, HeadClassifier(folds=3, pca=8)).fit(pictures, y)
    vectors = embedder.fit(pictures).transform(pictures)
    alone = HeadClassifier(folds=3, pca=8).fit(vectors, y)
    np.testing.assert_array_equal(pipeline.predict_proba(pictures), alone.predict_proba(vectors))
