"""How good is a classifier, and how sure are we? Pure functions on arrays.

Labels are class numbers 0..K-1, probabilities are arrays of shape (n_rows, K). Nothing here
knows files or how predictions were made, and only taxonomies know names.

summary                  every score with its interval; start here
comparison               do two classifiers differ, and what groups change
calibration.report       over-confident, under-confident or neutral, and all that shows it
abstention               coverage and precision of what thresholds accept
to_json                  results as plain dicts

confusion                confusion matrices, of all rows or by group
metrics                  scores from them, one or a stack
probability_metrics      scores from probabilities, row by row
baselines                what guessing would score
intervals                draws of rows or groups (bootstrap)
replicates               their intervals, paired differences of two predictors
ranking                  average precision of draws
calibration.reliability  confidence against accuracy in bins, expected calibration error
calibration.errors       calibration errors of draws
calibration.confidence   signed gap and verdict, temperature
priors                   probabilities for other class frequencies
thresholds               abstain to keep a promised precision
taxonomy                 who is whose parent; lineages of classes, probabilities of nodes
lineage_encoder          labels as multi-hot lineages and back
lineage_scores           hierarchical precision and recall, accuracy at each rank
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plankton_features.lazy import lazily

if TYPE_CHECKING:
    from plankton_features.assessment.abstention import summarize_abstention
    from plankton_features.assessment.baselines import majority_baseline, prior_random_baseline
    from plankton_features.assessment.calibration.confidence import (
        apply_temperature,
        fit_temperature,
        signed_gap,
    )
    from plankton_features.assessment.calibration.reliability import reliability
    from plankton_features.assessment.calibration.report import describe_calibration
    from plankton_features.assessment.comparison import compare_summaries
    from plankton_features.assessment.confusion import confusion_matrix
    from plankton_features.assessment.intervals import bootstrap
    from plankton_features.assessment.lineage_encoder import LineageEncoder
    from plankton_features.assessment.lineage_scores import score_lineages
    from plankton_features.assessment.metrics import class_scores, scores
    from plankton_features.assessment.priors import correct_priors
    from plankton_features.assessment.probability_metrics import (
        average_precision,
        brier_score,
        log_loss,
        top_k_accuracy,
    )
    from plankton_features.assessment.summary import Summary, summarize
    from plankton_features.assessment.taxonomy import Taxonomy, node_probabilities
    from plankton_features.assessment.thresholds import apply_thresholds, fit_thresholds

_HOMES = {
    "LineageEncoder": "lineage_encoder",
    "Summary": "summary",
    "Taxonomy": "taxonomy",
    "apply_temperature": "calibration.confidence",
    "apply_thresholds": "thresholds",
    "average_precision": "probability_metrics",
    "bootstrap": "intervals",
    "brier_score": "probability_metrics",
    "class_scores": "metrics",
    "compare_summaries": "comparison",
    "confusion_matrix": "confusion",
    "correct_priors": "priors",
    "describe_calibration": "calibration.report",
    "fit_temperature": "calibration.confidence",
    "fit_thresholds": "thresholds",
    "log_loss": "probability_metrics",
    "majority_baseline": "baselines",
    "node_probabilities": "taxonomy",
    "prior_random_baseline": "baselines",
    "reliability": "calibration.reliability",
    "score_lineages": "lineage_scores",
    "scores": "metrics",
    "signed_gap": "calibration.confidence",
    "summarize": "summary",
    "summarize_abstention": "abstention",
    "top_k_accuracy": "probability_metrics",
}

__all__ = [
    "LineageEncoder",
    "Summary",
    "Taxonomy",
    "apply_temperature",
    "apply_thresholds",
    "average_precision",
    "bootstrap",
    "brier_score",
    "class_scores",
    "compare_summaries",
    "confusion_matrix",
    "correct_priors",
    "describe_calibration",
    "fit_temperature",
    "fit_thresholds",
    "log_loss",
    "majority_baseline",
    "node_probabilities",
    "prior_random_baseline",
    "reliability",
    "score_lineages",
    "scores",
    "signed_gap",
    "summarize",
    "summarize_abstention",
    "top_k_accuracy",
]


#: One function shall not cost the import of all.
__getattr__ = lazily(__name__, _HOMES)
