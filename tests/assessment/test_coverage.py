"""Do 95 % intervals hold the truth in 95 % of simulations? The truth is known exactly.

A sea of a few kinds of pictures: each kind has the probabilities that a classifier gives it, and
those with which it is of each class. Every expected score is a sum over kinds and classes.
"""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from plankton_features.assessment.confusion import confusion
from plankton_features.assessment.metrics import class_scores, scores
from plankton_features.assessment.probability_metrics import row_scores
from plankton_features.assessment.summary import CLASS_SCORES, SCORES, summarize

N_SIMULATIONS, N_CLASSES, N_KINDS = 500, 5, 30
#: Chance only raises these, so their intervals are made to hold the truth more often than not.
ERRORS = ("ece", "class_wise_ece")
CHECKED = tuple(name for name in SCORES if not name.startswith("ece") and name not in ERRORS)


class Sea:
    def __init__(self, sharpness):
        rng = np.random.default_rng(0)
        leaning = np.arange(N_KINDS) % N_CLASSES
        self.share = rng.dirichlet(np.full(N_KINDS, 5.0)) * 0.8 ** leaning
        self.share /= self.share.sum()
        logits = 1.5 * rng.normal(size=(N_KINDS, N_CLASSES)) + 3.0 * np.eye(N_CLASSES)[leaning]
        self.true = softmax(logits, axis=1)
        self.told = softmax(sharpness * logits, axis=1)

    def truth(self):
        weight, y = (self.share[:, None] * self.true).ravel(), np.tile(range(N_CLASSES), N_KINDS)
        p = np.repeat(self.told, N_CLASSES, axis=0)
        matrix = confusion(y, p.argmax(axis=1), N_CLASSES, weight)
        each = class_scores(matrix)
        rows = {name: (weight * values).sum() for name, values in row_scores(y, p).items()}
        precision = [average_precision_score(y == k, p[:, k], sample_weight=weight)
                     for k in range(N_CLASSES)]
        whole = scores(matrix) | rows | {
            "ece": self._error(self.told.max(axis=1), self.true.max(axis=1)),
            "class_wise_ece": np.mean([self._error(*pair) for pair in
                                       zip(self.told.T, self.true.T, strict=True)])}
        return whole, {"precision": each.precision, "recall": each.recall, "f1": each.f1,
                       "average_precision": np.array(precision)}

    def _error(self, told, true):
        bins = np.minimum((told * 15).astype(int), 14)
        return np.abs(np.bincount(bins, self.share * (told - true))).sum()

    def catch(self, rng, kinds):
        drawn = rng.random(len(kinds))[:, None] > self.true[kinds].cumsum(axis=1)[:, :-1]
        return drawn.sum(axis=1), self.told[kinds]

    def rows(self, seed):
        rng = np.random.default_rng([9, seed])
        return *self.catch(rng, rng.choice(N_KINDS, 400, p=self.share)), None

    def tows(self, seed):
        """80 tows of 4 to 12 rows, in each of which some kinds are much more common."""
        rng = np.random.default_rng([10, seed])
        tow = np.repeat(np.arange(80), rng.integers(4, 13, 80))
        shares = rng.dirichlet(12 * self.share, 80)
        kinds = (rng.random(len(tow))[:, None] > shares[tow].cumsum(axis=1)[:, :-1]).sum(axis=1)
        return *self.catch(rng, kinds), tow


def coverage(sea, way):
    truth, of_classes = sea.truth()
    hits = {name: [] for name in (*CHECKED, *ERRORS, *CLASS_SCORES)}
    for seed in range(N_SIMULATIONS):
        y, p, tow = getattr(sea, way)(seed)
        found = summarize(y, None, p, units=tow, n_replicates=400, seed=seed)
        for name in (*CHECKED, *ERRORS):
            hits[name].append(held(found.scores[name], truth[name]))
        for name in CLASS_SCORES:
            hits[name].append(held(found.per_class[name], of_classes[name]))
    found = {name: np.mean(values, axis=0).round(3) for name, values in hits.items()}
    print(way, {name: value.tolist() for name, value in found.items()})
    return found


def held(interval, truth):
    return (interval.low <= truth) & (truth <= interval.high)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "sharpness"), [("rows", 1.0), ("tows", 1.4)])
def test_intervals_cover(way, sharpness):
    found = coverage(Sea(sharpness), way)
    for name in CHECKED:
        assert 0.93 <= found[name] <= 0.97, name
    for name in CLASS_SCORES:  # of all classes together: single ones have a standard error
        assert 0.92 <= found[name].mean() <= 0.97, name
    for name in ERRORS:
        assert found[name] >= 0.93, name
