"""Options of splits and scores that several commands share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from plankton_features.cli.options import names, whole_number

if TYPE_CHECKING:
    from plankton_features.heads.validation.groups import Grouping


def add_group_options(group: Any) -> None:
    """Add which images must stay together, and which classes are not alive."""
    group.add_argument("--group-pattern", metavar="REGEX|NAME",
                       help="group of an image: what this finds in its path (the first bracket "
                            "that takes something); or a named one: ifcb, zooscan, uvp6")
    group.add_argument("--group-level", type=int, metavar="N",
                       help="group of an image: the Nth folder of its path; -1 is the folder that "
                            "holds it")
    group.add_argument("--group-by-date", metavar="FORMAT",
                       help="group of an image: the day in its path, such as %%Y%%m%%d; unix: "
                            "seconds since 1970, in UTC; ifcb: names of bins")
    group.add_argument("--date-unit", default="day", choices=("hour", "day", "month", "year"),
                       help="of --group-by-date (default: day)")
    group.add_argument("--group-from", default="path", choices=("path", "id", "group"),
                       help="where --group-pattern and --group-by-date look: path, or the column "
                            "id or group of a table (default: path)")
    group.add_argument("--missing-group", default="refuse", choices=("refuse", "alone", "drop"),
                       help="images without a group: an error, each a group of its own, or left "
                            "out (default: refuse)")
    group.add_argument("--ungrouped", action="store_true",
                       help="take no notice of groups; scores will be optimistic")
    group.add_argument("--non-living", type=names, default=(), metavar="NAME[,NAME...]",
                       help="classes (detritus*,bubble) to leave out of a second set of scores; "
                            "a name that holds a comma in double quotes")


def grouping_of(args: argparse.Namespace) -> Grouping | None:
    """How groups are found; None if they are left aside."""
    from plankton_features.errors import InputError
    from plankton_features.heads.validation.groups import Grouping

    grouping = Grouping(args.group_pattern, args.group_level, args.group_by_date, args.date_unit,
                        args.group_from, args.missing_group)
    if args.ungrouped and grouping != Grouping():
        raise InputError("--ungrouped takes no notice of groups, it and the options that say how "
                         "they are found exclude each other.")
    return None if args.ungrouped else grouping


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
