"""From a catalog and a recipe to a feature file, and what needs both: verifying, embedding."""

from plankton_features.extraction.pipeline import ExtractionReport, extract
from plankton_features.extraction.session import Session, open_session
from plankton_features.extraction.survey import Survey, survey
from plankton_features.extraction.transformer import ImageEmbedder
from plankton_features.extraction.verify import Verification, verify

__all__ = [
    "ExtractionReport",
    "ImageEmbedder",
    "Session",
    "Survey",
    "Verification",
    "extract",
    "open_session",
    "survey",
    "verify",
]
