"""Classifiers on vectors: samplers, pipelines, folds, validation, head files."""

from plankton_features.heads.estimator import HeadClassifier
from plankton_features.heads.file.persistence import load_head, save_head
from plankton_features.heads.fitting import FitResult, fit_head
from plankton_features.heads.head import Head
from plankton_features.heads.pipeline import HeadOptions, head_pipeline
from plankton_features.heads.predictions import Predictions
from plankton_features.heads.validation.folds import Folds, make_folds, make_split
from plankton_features.heads.validation.groups import Grouping, Groups, find_groups
from plankton_features.heads.validation.labels import labelled_rows

__all__ = [
    "FitResult",
    "Folds",
    "Grouping",
    "Groups",
    "Head",
    "HeadClassifier",
    "HeadOptions",
    "Predictions",
    "find_groups",
    "fit_head",
    "head_pipeline",
    "labelled_rows",
    "load_head",
    "make_folds",
    "make_split",
    "save_head",
]
