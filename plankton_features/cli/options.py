"""Options that several commands share."""

from __future__ import annotations

import argparse
import csv
import shlex
import sys
from typing import Any

from plankton_features.embedding import EngineOptions, engine_names
from plankton_features.embedding.presets import DEFAULT_PRESET, PRESETS
from plankton_features.embedding.recipe import POOLINGS, PRECISIONS, VIEWS
from plankton_features.images.depth import DEPTHS
from plankton_features.images.framing import FRAMINGS, INTERPOLATIONS
from plankton_features.images.sources import KINDS

_RECIPE_OPTIONS = ("backbone", "layers", "pooling", "spp_levels", "gem_power", "views", "framing",
                   "canvas", "background", "crop_bottom", "interpolation", "precision",
                   "size_features", "depth")


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides the values of a vector."""
    group = parser.add_argument_group("recipe", "A preset, and single options that override it.")
    group.add_argument("--preset", choices=PRESETS,
                       help=f"named recipe (default: {DEFAULT_PRESET}, or that of a file that is "
                            "continued)")
    group.add_argument("--backbone", metavar="NAME",
                       help="network; auto: inception_v3 if its weights can be had, else "
                            "efficientnet_lite0 (see --list-backbones)")
    group.add_argument("--weights", metavar="imagenet|random[:SEED]|FILE",
                       help="weights of the network (default: imagenet)")
    group.add_argument("--layer", dest="layers", type=names, metavar="NAME[,NAME...]",
                       help="layers to pool (default: the preset's; see --list-layers)")
    group.add_argument("--pooling", type=names, metavar="|".join(POOLINGS) + "[,...]",
                       help="how to pool each layer (default: the preset's)")
    group.add_argument("--spp-levels", type=_whole_numbers, metavar="N[,N...]",
                       help="cells per side of the grids of spp (default: 1,2)")
    group.add_argument("--gem-power", type=float, metavar="P",
                       help="exponent of gem (default: 3)")
    group.add_argument("--views", choices=VIEWS,
                       help="also pool over quarter turns (rot4) and mirror images (d4)")
    group.add_argument("--framing", choices=FRAMINGS,
                       help="resize: longer side fills the canvas; native: keep the scale, cut "
                            "what is larger; native-shrink: keep the scale, shrink what is larger")
    group.add_argument("--canvas", type=int, metavar="PX",
                       help="side of the canvas (default: the preset's)")
    group.add_argument("--background", type=_background, metavar="border|white|black|0-255",
                       help="padding; border: median of the picture's border")
    group.add_argument("--crop-bottom", type=int, metavar="PX",
                       help="rows to cut off at the bottom, for burned-in scale bars")
    group.add_argument("--interpolation", choices=INTERPOLATIONS, help="filter for resizing")
    group.add_argument("--precision", choices=PRECISIONS,
                       help="numbers of the network (default: float32)")
    group.add_argument("--size-features", action="store_const", const=True,
                       help="append log width, log height and log area")
    add_depth_option(group)


def add_depth_option(group: argparse._ArgumentGroup) -> None:
    """Add the scale of samples of more than 8 bits."""
    group.add_argument("--depth", choices=DEPTHS,
                       help="bits that 16-bit and floating point samples really have; float: 0..1 "
                            "(default: auto, chosen for each picture)")


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides how it is computed."""
    group = parser.add_argument_group("engine")
    group.add_argument("--engine", choices=("auto", *engine_names()), default="auto",
                       help="auto: a GPU if TensorFlow sees one, else OpenVINO, else TensorFlow")
    group.add_argument("--batch", type=_positive, metavar="N", help="images in each call")
    group.add_argument("--threads", type=_positive, metavar="N",
                       help="threads that compute (default: all cores)")
    group.add_argument("--readers", type=_positive, default=2, metavar="N",
                       help="threads that read and frame (default: 2)")


def add_source_options(parser: argparse._ActionsContainer) -> None:
    """Add what the images are given as, and how they are labelled."""
    parser.add_argument("--source", dest="kind", choices=[kind.name for kind in KINDS],
                        help="what the images are given as (default: found out)")
    parser.add_argument("--label-level", type=int, metavar="N",
                        help="of a folder of images: the Nth folder of an image's path is its "
                             "label, 1 is the first (default: -1, the one that holds the image)")
    parser.add_argument("--skip-bad-bins", action="store_true",
                        help="of an IFCB: leave out bins that fail a check (default: use and mark "
                             "them)")
    parser.add_argument("--pixel-size", type=float, metavar="UM",
                        help="of an IFCB: width of a pixel in µm (default: 1/3.4)")
    parser.add_argument("--status", type=names, metavar="NAME[,NAME...]",
                        help="of EcoTaxa: which annotations are labels: validated, predicted, "
                             "dubious, discarded (default: validated)")
    parser.add_argument("--group-by", metavar="NAME",
                        help="of EcoTaxa: what the groups are: sample, acquisition, process, day "
                             "or a column of the tables (default: sample)")


def source_options(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `build_catalog`."""
    return {"source": args.kind, "label_level": args.label_level,
            "skip_bad_bins": args.skip_bad_bins, "pixel_size": args.pixel_size,
            "status": args.status, "group_by": args.group_by}


def add_probabilities_option(parser: argparse._ActionsContainer, file: str) -> None:
    """Add how many probabilities a table of predictions has."""
    parser.add_argument("--probabilities", choices=("top", "all"), default="top",
                        help=f"all: in {file}, also a column for each class, p_CLASS (default: "
                             "top, those of the first three taxa)")


def add_drop_option(parser: argparse._ActionsContainer, file: str) -> None:
    """Add the way to insist on losing vectors."""
    parser.add_argument("--drop", action="store_true",
                        help=f"let any number of vectors leave {file}; without it, an update that "
                             "would drop more than a tenth of them, or any because images cannot "
                             "be used, is refused")


def recipe_options(args: argparse.Namespace) -> dict[str, Any]:
    """The given ones of the recipe options."""
    return {name: getattr(args, name) for name in _RECIPE_OPTIONS}


def engine_options(args: argparse.Namespace) -> EngineOptions:
    """The engine options."""
    return EngineOptions(args.engine, args.batch, args.threads)


def command_line(program: str) -> str:
    """The command as it was typed."""
    given = sys.argv[1:]
    return shlex.join([program, *(given[1:] if given[:1] == ["fit"] else given)])


def names(text: str) -> tuple[str, ...]:
    """Names parted by commas; one that holds a comma or a line end stands in double quotes.

    Raises
    ------
    argparse.ArgumentTypeError
        If a name needs the quotes and has none.

    Examples
    --------
    >>> names('bubble, "Oithona, juv.",the "big" one')
    ('bubble', 'Oithona, juv.', 'the "big" one')
    """
    try:
        parts = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error as error:
        raise argparse.ArgumentTypeError(
            "expected names parted by commas, and double quotes around one that holds a comma or "
            f"a line end ({error}); got {text!r}") from error
    return tuple(part.strip() for part in parts if part.strip())


def whole_number(text: str, least: int = 0) -> int:
    """A whole number of at least `least`, for `argparse`."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number, {least} or more; got {text!r}")
    return int(text)


def _whole_numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in names(text))


def _positive(text: str) -> int:
    return whole_number(text, least=1)


def _background(text: str) -> str | int:
    return int(text) if text.isdecimal() else text
