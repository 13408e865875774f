"""The estimator checks of scikit-learn and of imbalanced-learn, for every kind of sampler."""

import pytest
from imblearn.utils.estimator_checks import check_param_validation
from imblearn.utils.estimator_checks import parametrize_with_checks as imblearn_checks
from sklearn.utils.estimator_checks import parametrize_with_checks as sklearn_checks

from plankton_features.heads.sampling import CapSampler, CleaningSampler, FloorSampler
from plankton_features.heads.sampling.cap import CAP_KINDS
from plankton_features.heads.sampling.cleaning import CLEANING_KINDS
from plankton_features.heads.sampling.floor import FLOOR_KINDS

# Numbers at which the checks' small data sets are resampled indeed.
EVERY = [*(FloorSampler(kind, floor=250, random_state=0) for kind in FLOOR_KINDS),
         *(CapSampler(kind, cap=8, random_state=0) for kind in CAP_KINDS),
         *(CleaningSampler(kind) for kind in CLEANING_KINDS)]


@sklearn_checks(EVERY)
def test_scikit_learn(estimator, check):
    check(estimator)


def as_list(decorator):
    """pytest deprecates the generator that imbalanced-learn passes."""
    names, values = decorator.mark.args
    return pytest.mark.parametrize(names, list(values), **decorator.mark.kwargs)


@as_list(imblearn_checks(EVERY))
def test_imbalanced_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", EVERY, ids=lambda e: e.kind)
def test_parameters_are_validated_when_fitted(estimator):
    check_param_validation(type(estimator).__name__, estimator)
