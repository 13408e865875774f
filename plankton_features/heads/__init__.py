"""Classifiers on feature files: samplers, pipelines, folds, validation, head files."""

from plankton_features.heads.calibration_reports import calibration_reports
from plankton_features.heads.comparing import compare_heads, comparison_results
from plankton_features.heads.describing import describe_fit
from plankton_features.heads.estimator import HeadClassifier
from plankton_features.heads.fitting import FitResult, fit_head
from plankton_features.heads.groups import Grouping, Groups, find_groups
from plankton_features.heads.head import Head, Predictions
from plankton_features.heads.labels import labelled_rows
from plankton_features.heads.options import HeadOptions
from plankton_features.heads.persistence import load_head, save_head
from plankton_features.heads.pipeline import make_head
from plankton_features.heads.results import confusion_table, prediction_frame
from plankton_features.heads.splits import Folds, make_folds, make_split

__all__ = [
    "FitResult",
    "Folds",
    "Grouping",
    "Groups",
    "Head",
    "HeadClassifier",
    "HeadOptions",
    "Predictions",
    "calibration_reports",
    "compare_heads",
    "comparison_results",
    "confusion_table",
    "describe_fit",
    "find_groups",
    "fit_head",
    "labelled_rows",
    "load_head",
    "make_folds",
    "make_head",
    "make_split",
    "prediction_frame",
    "save_head",
]
