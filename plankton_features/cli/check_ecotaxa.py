"""``plankton-features check-ecotaxa FOLDER_OR_ZIP``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="FOLDER_OR_ZIP",
                        help="what is to be imported: tables (ecotaxa*.tsv) and pictures")
    parser.add_argument("--update-ecotaxa", action="store_true",
                        help="the import will update objects that are there: pictures are not "
                             "needed")
    parser.add_argument("--quiet", action="store_true", help="print only problems and the result")


def prints(_: argparse.Namespace) -> bool:
    """Whether the result is what is printed: it is."""
    return True


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    from plankton_features.cli.display import console, escape, shown_steps
    from plankton_features.cli.main import DONE, WRONG
    from plankton_features.errors import counted
    from plankton_features.images import check_ecotaxa

    with shown_steps(args.quiet) as progress:
        problems = check_ecotaxa(args.bundle, update=args.update_ecotaxa, progress=progress)
    for problem in problems:
        console.print(escape(str(problem)), soft_wrap=True)
    if not problems:
        console.print("[green]no problem found[/green]; taxa, persons and what the project holds "
                      "already are known to EcoTaxa only")
        return DONE
    tables = len({problem.table for problem in problems})
    console.print(f"[red]{counted(len(problems), 'problem')}[/red] in {counted(tables, 'table')}: "
                  "EcoTaxa would refuse this, or read it as something else")
    return WRONG
