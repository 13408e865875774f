"""Size and shape of what a vignette shows: find the object, measure it, in pixels and in µm."""

from plankton_features.morphometry.measuring import column_units, measure, measure_all
from plankton_features.morphometry.outlining import Outline, outline

__all__ = ["Outline", "column_units", "measure", "measure_all", "outline"]
