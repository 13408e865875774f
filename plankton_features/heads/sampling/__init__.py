"""Samplers that never lose a class, never crash on a tiny one, and say what they did to each.

names      every sampler by name, as steps of a pipeline
floor      over-sampling up to a floor        (growing: how rows are made)
cap        under-sampling down to a cap
cleaning   rows among those of other classes are dropped
memory     refuses what would not fit, before it starts
base       what they share
"""

from plankton_features.heads.sampling.cap import DEFAULT_CAP, CapSampler
from plankton_features.heads.sampling.cleaning import CleaningSampler
from plankton_features.heads.sampling.floor import DEFAULT_FLOOR, FloorSampler
from plankton_features.heads.sampling.memory import check_memory, estimate_bytes, resampled_rows
from plankton_features.heads.sampling.names import SAMPLERS, make_sampler

__all__ = ["DEFAULT_CAP", "DEFAULT_FLOOR", "SAMPLERS", "CapSampler", "CleaningSampler",
           "FloorSampler", "check_memory", "estimate_bytes", "make_sampler", "resampled_rows"]
