"""Bins of the Imaging FlowCytobot (IFCB): three files each, read in place."""

from plankton_features.images.ifcb.bins import Bin, read_bin
from plankton_features.images.ifcb.checks import Checks
from plankton_features.images.ifcb.names import BinName, picture_id, split_picture_id

__all__ = ["Bin", "BinName", "Checks", "picture_id", "read_bin", "split_picture_id"]
