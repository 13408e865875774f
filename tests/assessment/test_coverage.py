"""Do 95 % intervals hold the truth in 95 % of simulations? The truth is known exactly.

A sea of a few kinds of pictures: each kind has the probabilities that a classifier gives it, and
those with which it is of each class. Every expected score is a sum over kinds and classes.
"""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from plankton_features.assessment.calibration.errors import resampled_calibration_errors
from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.intervals import bootstrap
from plankton_features.assessment.metrics import class_scores, scores
from plankton_features.assessment.probability_metrics import row_scores
from plankton_features.assessment.ranking import resampled_average_precision
from plankton_features.assessment.summary import CLASS_SCORES, SCORES

N_CLASSES, N_KINDS = 5, 30
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
        matrix = confusion_matrix(y, p.argmax(axis=1), N_CLASSES, weight)
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
        """100 tows of 4 to 12 rows, in each of which some kinds are much more common."""
        rng = np.random.default_rng([10, seed])
        tow = np.repeat(np.arange(100), rng.integers(4, 13, 100))
        shares = rng.dirichlet(12 * self.share, 100)
        kinds = (rng.random(len(tow))[:, None] > shares[tow].cumsum(axis=1)[:, :-1]).sum(axis=1)
        return *self.catch(rng, kinds), tow


def held(interval, truth):
    return (interval.low <= truth) & (truth <= interval.high)


def shares(hits):
    found = {name: np.mean([one[name] for one in hits], axis=0).round(4) for name in hits[0]}
    print({name: value.tolist() for name, value in found.items()})
    return found


@pytest.mark.parametrize("way", ["rows", "tows"])
def test_intervals_of_scores_cover(way):
    """Of 1000 simulations: what chance adds is then 0.7 percent."""
    sea, hits = Sea(1.4), []
    truth = dict(zip(("whole", "classes"), sea.truth(), strict=True))
    for seed in range(1000):
        y, p, tow = getattr(sea, way)(seed)
        drawn = bootstrap(y, p.argmax(axis=1), N_CLASSES, rows=row_scores(y, p), groups=tow,
                          n_replicates=400, seed=seed)
        hits.append({name: held(drawn.interval(name), truth["whole"][name]) for name in CHECKED}
                    | {name: held(drawn.interval(name), truth["classes"][name])
                       for name in CLASS_SCORES if name in drawn.estimates})
    for name, share in shares(hits).items():
        assert 0.93 <= share.mean() <= 0.97, name
        assert (share > 0.91).all(), name


@pytest.mark.parametrize(("way", "sharpness"), [("rows", 1.0), ("tows", 1.4)])
def test_intervals_of_calibration_errors_cover(way, sharpness):
    """Chance only raises these, so the interval is made to hold the truth rather too often."""
    sea, hits = Sea(sharpness), []
    truth, _ = sea.truth()
    for seed in range(500):
        y, p, tow = getattr(sea, way)(seed)
        drawn = resampled_calibration_errors(y, p, groups=tow, n_replicates=300, seed=seed)
        hits.append({name: (np.quantile(drawn[name].for_low, 0.025) <= truth[name] + 1e-12)
                     & (truth[name] <= np.quantile(drawn[name].replicates, 0.975))
                     for name in ERRORS})
    assert all(share >= 0.93 for share in shares(hits).values())


@pytest.mark.parametrize("way", ["rows", "tows"])
def test_intervals_of_average_precision_cover(way):
    sea, hits = Sea(1.0), []
    _, truth = sea.truth()
    for seed in range(500):
        y, p, tow = getattr(sea, way)(seed)
        drawn = resampled_average_precision(y, p, groups=tow, n_replicates=300, seed=seed)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0, method="weibull")
        hits.append({"average_precision": (low <= truth["average_precision"])
                     & (truth["average_precision"] <= high)})
    assert 0.93 <= shares(hits)["average_precision"].mean() <= 0.97
