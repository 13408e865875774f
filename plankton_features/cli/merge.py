"""``plankton-features merge A.h5 B.h5 -o C.h5``."""

from __future__ import annotations

import argparse
from pathlib import Path

from plankton_features.cli.streams import visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.h5")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.h5")
    parser.add_argument("--prefix", action="store_true",
                        help="put the name of its file before each path")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT.h5")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.errors import counted
    from plankton_features.store import merge_files

    merged = merge_files(args.files, args.output, prefix=args.prefix, overwrite=args.overwrite)
    print(f"{visible(args.output)}: {counted(len(merged), 'vector')}, "
          f"{counted(merged.count('duplicates'), 'duplicate')}, "
          f"{counted(merged.count('failures'), 'failure')} from {len(args.files)} files")
    return 0
