"""Options of splits and scores that several commands share."""

from __future__ import annotations

import argparse
from typing import Any

from plankton_features.cli.options import names, whole_number


def add_group_options(group: Any) -> None:
    """Add which images must stay together, and which classes are not alive."""
    group.add_argument("--group-pattern", metavar="REGEX",
                       help="group of an image: what this finds in its path (its first bracketed "
                            "part)")
    group.add_argument("--group-level", type=int, metavar="N",
                       help="group of an image: the Nth folder of its path; -1 is the folder that "
                            "holds it")
    group.add_argument("--ungrouped", action="store_true",
                       help="take no notice of groups; scores will be optimistic")
    group.add_argument("--non-living", type=names, default=(), metavar="NAME[,NAME...]",
                       help="classes (detritus*,bubble) to leave out of a second set of scores")


def add_calibration_options(group: Any) -> None:
    """Add what is done to probabilities."""
    group.add_argument("--calibration", default="temperature",
                       choices=("temperature", "isotonic", "sigmoid", "none"),
                       help="fitted on rows that trained nothing (default: temperature)")
    group.add_argument("--min-precision", type=float, metavar="P",
                       help="abstain below thresholds, one for each taxon, that keep this "
                            "precision")


def percent(text: str) -> float:
    """A share of the rows, given in steps of 5 percent."""
    number = whole_number(text.removesuffix("%").strip(), least=1)
    if number >= 100 or number % 5:
        raise argparse.ArgumentTypeError(f"expected 5, 10 ... 95 percent, got {text!r}")
    return number / 100
