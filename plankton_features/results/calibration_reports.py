"""Are a validated head's probabilities to be believed?"""

from __future__ import annotations

import numpy as np

from plankton_features.assessment.calibration.report import (
    CalibrationReport,
    describe_calibration,
)
from plankton_features.heads.fitting import FitResult


def calibration_reports(result: FitResult) -> dict[str, CalibrationReport]:
    """How honest out-of-fold probabilities are, before and after correction and calibration.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    dict of str to CalibrationReport
        ``before`` and ``after``.

    Examples
    --------
    >>> from plankton_features.heads import fit_head, make_folds
    >>> labels = np.repeat(["copepod", "diatom"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + 3 * (labels == "diatom")[:, None]
    >>> reports = calibration_reports(fit_head(X, labels, make_folds(labels)))
    >>> {stage: report.verdict for stage, report in reports.items()}
    {'before': 'neutral', 'after': 'neutral'}
    """
    found = result.out_of_fold
    y, units = result.y[found.row], result.folds.units[found.row]
    before = found.scores / found.scores.sum(axis=1, keepdims=True, dtype=np.float64)
    stages = {"before": before, "after": found.probabilities}
    return {stage: describe_calibration(y, found.predicted, shares, units)
            for stage, shares in stages.items()}
