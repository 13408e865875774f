"""``plankton-features verify FILE IMAGES``."""

from __future__ import annotations

import argparse
from pathlib import Path

from plankton_features.cli.options import whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE.h5")
    parser.add_argument("images", type=Path, metavar="IMAGES",
                        help="the folder or table it was made from")
    parser.add_argument("--sample", type=whole_number, default=32, metavar="N",
                        help="pictures to embed again (default: 32)")
    parser.add_argument("--weights", default="imagenet", metavar="FILE",
                        help="the network's weights, if they are not in the usual place")
    parser.add_argument("--quiet", action="store_true", help="print only the result")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.cli.display import console, escape, shown_progress
    from plankton_features.cli.main import DONE, WRONG
    from plankton_features.errors import counted
    from plankton_features.extraction import verify
    from plankton_features.store import read_features

    with shown_progress(args.quiet) as progress:
        result = verify(read_features(args.file), args.images, weights=args.weights,
                        sample=args.sample, progress=progress)
    for kind in ("missing", "changed", "new", "not_finite"):
        for path in getattr(result, kind)[:10]:
            console.print(f"{kind.replace('_', ' '):<8} {escape(path)}", soft_wrap=True)
    console.print(f"{counted(result.checked, 'file')} compared: {len(result.missing):,} missing, "
                  f"{len(result.changed):,} changed, {len(result.new):,} not in the file")
    if result.not_finite:
        console.print(f"[red]{counted(len(result.not_finite), 'vector')} with values that are not "
                      "finite[/red]")
    if result.sampled:
        console.print(f"{counted(result.sampled, 'picture')} embedded again: least cosine "
                      f"similarity {result.least_cosine:.6f} (needed: {result.cosine_needed})")
    console.print("[green]verified[/green]" if result.ok else "[red]does not match[/red]")
    return DONE if result.ok else WRONG
