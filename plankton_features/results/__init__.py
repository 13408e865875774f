"""What is told of a validated head, and what a head says of images."""

from plankton_features.results.classifying import Classified, classify
from plankton_features.results.comparing import (
    Compared,
    HeadComparison,
    compare_heads,
    ways_to_compare,
)
from plankton_features.results.describing import describe_fit
from plankton_features.results.facts import ClassRows, FeatureFacts, NetworkFacts, RunFacts
from plankton_features.results.predictions import out_of_fold_table
from plankton_features.results.results import Results
from plankton_features.results.scores import (
    Living,
    Optimism,
    calibration_reports,
    confusion_table,
    summarize_folds,
)
from plankton_features.results.tally import Tally
from plankton_features.results.validating import compare, validate
from plankton_features.results.whereabouts import Whereabouts

__all__ = [
    "ClassRows",
    "Classified",
    "Compared",
    "FeatureFacts",
    "HeadComparison",
    "Living",
    "NetworkFacts",
    "Optimism",
    "Results",
    "RunFacts",
    "Tally",
    "Whereabouts",
    "calibration_reports",
    "classify",
    "compare",
    "compare_heads",
    "confusion_table",
    "describe_fit",
    "out_of_fold_table",
    "summarize_folds",
    "validate",
    "ways_to_compare",
]
