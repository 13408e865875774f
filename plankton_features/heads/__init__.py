"""Classifiers on feature files: samplers, pipelines, splits, validation, head files."""
