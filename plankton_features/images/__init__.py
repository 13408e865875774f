"""From files to canvases: find images, read them, fit them to the network's canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plankton_features.images.catalog import Catalog
from plankton_features.images.census import Census
from plankton_features.images.decoding import decode_image
from plankton_features.images.ecotaxa.checking import check_ecotaxa
from plankton_features.images.framing import Framing, frame
from plankton_features.images.preparing import Prepared, Preparer
from plankton_features.images.reader import read_bytes, read_image
from plankton_features.images.source import ImageSource
from plankton_features.images.sources import build_catalog, open_source
from plankton_features.lazy import lazily

if TYPE_CHECKING:
    from plankton_features.images.synthetic import make_vignettes

__all__ = [
    "Catalog",
    "Census",
    "Framing",
    "ImageSource",
    "Prepared",
    "Preparer",
    "build_catalog",
    "check_ecotaxa",
    "decode_image",
    "frame",
    "make_vignettes",
    "open_source",
    "read_bytes",
    "read_image",
]


# Drawing vignettes needs scikit-image, which takes longer to import than all the rest.
__getattr__ = lazily(__name__, {"make_vignettes": "synthetic"})
