"""Results of a validated classifier as files: a page that needs no network, JSON and CSV."""

from plankton_features.report.files import write_json, write_predictions
from plankton_features.report.page import write_report
from plankton_features.report.pictures import Picture, Pictures, collect_pictures

__all__ = [
    "Picture",
    "Pictures",
    "collect_pictures",
    "write_json",
    "write_predictions",
    "write_report",
]
