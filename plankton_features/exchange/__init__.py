"""Files that other programs read: results in the formats of instruments and databases."""

from plankton_features.exchange.ecotaxa import write_ecotaxa
from plankton_features.exchange.ifcb_scores import ascii_names, write_class_scores

__all__ = ["ascii_names", "write_class_scores", "write_ecotaxa"]
