"""From a catalog and a recipe to a feature file, and what needs both: verifying, embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plankton_features.extraction.before import is_finished
from plankton_features.extraction.layout import Space, space_for
from plankton_features.extraction.pipeline import ExtractionReport, extract, report_of
from plankton_features.extraction.remarks import Remarks, remarks_of, remarks_on
from plankton_features.extraction.session import Session, open_session
from plankton_features.extraction.surveying import Survey, survey
from plankton_features.extraction.verifying import Verification, verify
from plankton_features.lazy import lazily

if TYPE_CHECKING:
    from plankton_features.extraction.transformer import ImageEmbedder

__all__ = [
    "ExtractionReport",
    "ImageEmbedder",
    "Remarks",
    "Session",
    "Space",
    "Survey",
    "Verification",
    "extract",
    "is_finished",
    "open_session",
    "remarks_of",
    "remarks_on",
    "report_of",
    "space_for",
    "survey",
    "verify",
]


# Only the transformer needs scikit-learn, which takes longer to import than all the rest.
__getattr__ = lazily(__name__, {"ImageEmbedder": "transformer"})
