import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from plankton_features.assessment.priors import correct_priors
from plankton_features.errors import InputError

frequencies = st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3)


def posterior(x, prior):
    """Of three Gaussian classes, by Bayes."""
    weighted = norm.pdf(x[:, None], [-1, 0, 2], [1.0, 0.5, 1.5]) * prior
    return weighted / weighted.sum(axis=1, keepdims=True)


@given(frequencies, frequencies)
def test_resampling_of_gaussian_classes_is_undone(source, target):
    x = np.linspace(-4, 5, 50)
    found = correct_priors(posterior(x, source), source, target)
    np.testing.assert_allclose(found, posterior(x, target), rtol=0, atol=1e-9)
    back = correct_priors(found, target, source)
    np.testing.assert_allclose(back, posterior(x, source), rtol=0, atol=1e-9)


def test_a_balanced_classifier_is_calibrated_again():
    rng = np.random.default_rng(0)
    prior = np.array([0.9, 0.08, 0.02])
    y = rng.choice(3, 50_000, p=prior)
    x = rng.normal(np.array([-1, 0, 2])[y], np.array([1.0, 0.5, 1.5])[y])
    balanced = posterior(x, np.ones(3) / 3)
    corrected = correct_priors(balanced, [1, 1, 1], np.bincount(y))
    np.testing.assert_allclose(corrected.mean(axis=0), prior, atol=0.005)
    assert balanced.mean(axis=0)[0] < 0.8


@given(frequencies)
def test_equal_frequencies_change_nothing(source):
    p = np.array([[0.2, 0.3, 0.5], [1, 0, 0]])
    counts = 7 * np.array(source)  # counts or shares, all the same
    np.testing.assert_allclose(correct_priors(p, source, counts), p, atol=1e-12)


def test_order_of_classes_does_not_matter(drawn):
    _, p = drawn(0)
    source, target, order = np.arange(1, 6), np.array([5, 1, 0, 2, 9]), np.array([2, 0, 1, 4, 3])
    np.testing.assert_allclose(
        correct_priors(p[:, order], source[order], target[order]),
        correct_priors(p, source, target)[:, order], atol=1e-12)


def test_a_class_of_frequency_0_gets_none():
    assert correct_priors([[0.5, 0.5]], [1, 1], [1, 0]).tolist() == [[1, 0]]


@pytest.mark.parametrize(("source", "target", "message"), [
    ([1, 0], [1, 1], r"^source: class 1 has frequency 0, so the classifier never saw it\. Leave it "
     r"out of the probabilities\.$"),
    ([1, 1], [0, 1], r"^target: 1 rows give all their probability to classes of frequency 0\. Give "
     r"those classes a small frequency\.$"),
    ([1, 1], [0, 0], r"^target: expected frequencies of at least 0, not all 0, got 0\.\.0\.$"),
    ([1, 1], [1, -1], r"^target: .* got -1\.\.1\.$"),
    ([1, np.nan], [1, 1], r"^source: .* got nan\.\.nan\.$"),
    ([1, 1, 1], [1, 1], r"^source: expected one frequency for each of 2 classes, got shape "
     r"\(3,\)\.$"),
])
def test_wrong_frequencies_are_refused(source, target, message):
    with pytest.raises(InputError, match=message):
        correct_priors([[1.0, 0.0]], source, target)
