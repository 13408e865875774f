"""Losses against closed forms in NumPy."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from plankton_features.finetuning.losses import make_loss
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
    of_row = [np.mean([-np.log(p[i, 2])]) if y == 2
              else np.mean([-np.log(p[i, y]), -np.log(sisters[i])]) for i, y in enumerate(Y)]
    assert loss(TuneOptions(), lineages) == pytest.approx(mean(np.array(of_row)), rel=1e-5)


def test_what_lies_below_a_label_costs_nothing():
    """Class 0 is the parent of class 1: all mass on the child fits the label of the parent."""
    import tensorflow as tf

    lineages = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], bool)
    sure = tf.constant(np.array([[-30.0, 30.0, -30.0]], np.float32))
    found = make_loss(TuneOptions(), COUNTS, lineages)
    assert float(found(sure, tf.constant([0]), tf.constant([1.0]))) == pytest.approx(0, abs=1e-6)
