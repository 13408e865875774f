"""What is told of a validated head, and what a head says of images."""

from plankton_features.results.calibration_reports import calibration_reports
from plankton_features.results.comparing import compare_heads, comparison_results
from plankton_features.results.describing import describe_fit
from plankton_features.results.numbers import confusion_table, prediction_frame

__all__ = [
    "calibration_reports",
    "compare_heads",
    "comparison_results",
    "confusion_table",
    "describe_fit",
    "prediction_frame",
]
