"""All draws come from the seed: the same one gives the same numbers, another one others."""

import dataclasses

import numpy as np
import pytest

from plankton_features.assessment.abstention import summarize_abstention
from plankton_features.assessment.calibration.confidence import signed_gap
from plankton_features.assessment.calibration.errors import resampled_calibration_errors
from plankton_features.assessment.calibration.report import describe_calibration
from plankton_features.assessment.intervals import bootstrap, bootstrap_means
from plankton_features.assessment.lineage_scores import rank_accuracies, score_lineages
from plankton_features.assessment.probability_metrics import row_scores
from plankton_features.assessment.ranking import resampled_average_precision
from plankton_features.assessment.summary import living, summarize
from plankton_features.assessment.taxonomy import Taxonomy, lineage_matrix

CLASSES = tuple("abcde")
TREE = Taxonomy.from_table([*CLASSES, "life"], [*["life"] * 5, ""], [*["genus"] * 5, ""])
CALLS = {
    "abstention": lambda y, p, pred, **o: summarize_abstention(y, pred, p.max(axis=1) > 0.5, 5,
                                                               **o),
    "bootstrap": lambda y, p, pred, **o: bootstrap(y, pred, 5, **o),
    "bootstrap_means": lambda y, p, pred, **o: bootstrap_means(row_scores(y, p), **o),
    "calibration_errors": lambda y, p, pred, **o: resampled_calibration_errors(y, p, **o),
    "average_precision": lambda y, p, pred, **o: resampled_average_precision(y, p, **o),
    "describe_calibration": lambda y, p, pred, **o: describe_calibration(y, pred, p, **o),
    "lineage_scores": lambda y, p, pred, **o: score_lineages(
        y, pred, lineage_matrix(TREE, CLASSES)[1], **o),
    "rank_accuracies": lambda y, p, pred, **o: rank_accuracies(y, pred, TREE, CLASSES, **o),
    "signed_gap": lambda y, p, pred, **o: signed_gap(y, p, **o),
    "summarize": lambda y, p, pred, **o: summarize(y, pred, p, **o),
    "living": lambda y, p, pred, **o: living(y, pred, p, np.arange(5) == 1, **o),
}
#: What is drawn less often by default than other scores.
DEFAULT_DRAWS = {"average_precision": 200}


def numbers(found):
    """All floats in a result, one row."""
    if dataclasses.is_dataclass(found):
        found = [getattr(found, one.name) for one in dataclasses.fields(found)]
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        return np.concatenate([[0.0], *map(numbers, found)])
    return np.ravel(found) if isinstance(found, float | np.ndarray | np.generic) else np.empty(0)


@pytest.mark.parametrize("name", CALLS)
def test_the_seed_decides(drawn, name):
    y, p = drawn(8, 60)
    first, again, other = (
        numbers(CALLS[name](y, p, p.argmax(axis=1), n_replicates=40, seed=seed))
        for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


@pytest.mark.parametrize("name", CALLS)
def test_by_default_it_is_a_thousand_draws_of_seed_0(drawn, name):
    y, p = drawn(9, 60)
    default = numbers(CALLS[name](y, p, p.argmax(axis=1)))
    told = numbers(CALLS[name](y, p, p.argmax(axis=1), seed=0,
                               n_replicates=DEFAULT_DRAWS.get(name, 1000)))
    np.testing.assert_array_equal(default, told)


def test_each_interval_of_a_summary_follows_the_seed(drawn):
    y, p = drawn(8, 60)
    one, other = (summarize(y, None, p, n_replicates=40, seed=seed) for seed in (3, 4))
    for name in (*one.scores, "average_precision"):
        first, second = (found.replicates.interval(name) for found in (one, other))
        assert not np.array_equal([first.low, first.high], [second.low, second.high],
                                  equal_nan=True), name
