"""Results of a validated classifier as files and in notebooks: a page that needs no network,
JSON and CSV, drawings.
"""

from plankton_features.report.files import write_json, write_predictions
from plankton_features.report.maps import VignetteMap, vignette_map
from plankton_features.report.notebook import (
    Shown,
    show_comparison,
    show_confidences,
    show_curves,
    show_reliability,
    show_vignettes,
)
from plankton_features.report.page import write_report
from plankton_features.report.pictures import Picture, Pictures, collect_pictures
from plankton_features.report.writing import Written, write_results

__all__ = [
    "Picture",
    "Pictures",
    "Shown",
    "VignetteMap",
    "Written",
    "collect_pictures",
    "show_comparison",
    "show_confidences",
    "show_curves",
    "show_reliability",
    "show_vignettes",
    "vignette_map",
    "write_json",
    "write_predictions",
    "write_report",
    "write_results",
]
