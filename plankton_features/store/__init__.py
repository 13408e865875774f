"""The HDF5 feature file, format 2: write, resume, read, merge."""

from plankton_features.store.disk import partial_path
from plankton_features.store.merge import merge_files
from plankton_features.store.partial import partial_attributes
from plankton_features.store.reader import FeatureFile, read_features
from plankton_features.store.schema import FORMAT, VERSION, Plan
from plankton_features.store.writer import Block, FeatureStore

__all__ = [
    "FORMAT",
    "VERSION",
    "Block",
    "FeatureFile",
    "FeatureStore",
    "Plan",
    "merge_files",
    "partial_attributes",
    "partial_path",
    "read_features",
]
