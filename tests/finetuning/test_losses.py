"""Losses against closed forms in NumPy."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from plankton_features.finetuning.losses import lineage_weights, make_loss
from plankton_features.finetuning.options import TuneOptions

pytestmark = pytest.mark.tensorflow
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 3)).astype(np.float32)
Y = np.array([0, 1, 2, 0, 0, 1])
WEIGHTS = np.array([1, 1, 1, 1, 0, 0], np.float32)
COUNTS = np.array([60, 30, 10])


def loss(options, lineages=None):
    import tensorflow as tf

    found = make_loss(options, COUNTS, lineages)
    return float(found(tf.constant(LOGITS), tf.constant(Y), tf.constant(WEIGHTS)))


def each(logits):
    return -log_softmax(logits.astype(float), axis=1)[np.arange(6), Y]


def mean(values):
    return (values * WEIGHTS).sum() / WEIGHTS.sum()


def test_rows_that_fill_up_a_batch_do_not_count():
    assert loss(TuneOptions()) == pytest.approx(mean(each(LOGITS)), rel=1e-6)


def test_class_weights():
    weights = COUNTS.sum() / (3 * COUNTS)
    found = loss(TuneOptions(sampler="class-weight"))
    assert found == pytest.approx(mean(each(LOGITS) * weights[Y]), rel=1e-6)


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_logit_adjustment(tau):
    shifted = LOGITS + tau * np.log(COUNTS / COUNTS.sum())
    found = loss(TuneOptions(sampler="logit-adjustment", tau=tau))
    assert found == pytest.approx(mean(each(shifted)), rel=1e-6)


def test_lineages():
    """Classes 0 and 1 are sisters below node 3, class 2 stands alone."""
    lineages = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0]], bool)
    p = softmax(LOGITS.astype(float), axis=1)
    sisters = p[:, 0] + p[:, 1]
    of_row = [-np.log(p[i, 2]) if y == 2
              else np.mean([-np.log(p[i, y]), -np.log(sisters[i])]) for i, y in enumerate(Y)]
    assert loss(TuneOptions(), lineages) == pytest.approx(mean(np.array(of_row)), rel=1e-5)


@pytest.mark.parametrize(("parents", "true"), [
    ([-1, 0, -1], [0.5, 0.2, 0.3]),  # a parent that is a label, its child, and another
    ([-1, 0, 1, 0, -1], [0.1, 0.2, 0.3, 0.25, 0.15]),  # four depths
    ([-1, 0, 0, 0], [0.4, 0.3, 0.2, 0.1]),  # a root above all, that is a label
])
def test_the_least_loss_of_lineages_is_at_the_true_frequencies(parents, true):
    """A proper score at labels of mixed depth, so that probabilities mean what they say."""
    members, weights = lineage_weights(ancestors(parents))

    def expected(free):
        p = softmax(np.append(free, 0.0))
        return -(np.array(true) @ weights.astype(float) * np.log(p @ members)).sum()

    found = minimize(expected, np.zeros(len(true) - 1), tol=1e-10)
    assert softmax(np.append(found.x, 0.0)) == pytest.approx(true, abs=1e-4)


def test_confusing_sisters_costs_less_than_confusing_strangers():
    members, weights = lineage_weights(ancestors([-1, 0, 0, -1])[1:])  # sisters 0, 1; stranger 2

    def cost(p):
        return -(weights[0] * np.log(np.array(p) @ members)).sum()

    assert cost([0.2, 0.7, 0.1]) < cost([0.2, 0.1, 0.7])


def ancestors(parents):
    """Lineage matrix of a tree in which every node is a class."""
    found = np.eye(len(parents), dtype=bool)
    for node in range(len(parents)):
        above = parents[node]
        while above >= 0:
            found[node, above] = True
            above = parents[above]
    return found
