"""``plankton-features doctor``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from plankton_features.cli.streams import visible_json
from plankton_features.errors import PlanktonFeaturesError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--quick", action="store_true",
                        help="only see whether engines are installed; do not try them")
    parser.add_argument("--json", action="store_true",
                        help="print everything as JSON, for a report of a problem")
    parser.epilog = ("Exit code: 0 if images can become features here, 1 if not, and what to "
                     "do is said. Nothing is asked of the network.")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    try:
        from plankton_features.cli.display import shown_steps
        from plankton_features.cli.doctor_text import show
        from plankton_features.diagnosis import diagnose
    except ImportError as error:
        raise PlanktonFeaturesError(
            f"a package that this one needs cannot be imported ({error}). Install all of them "
            "again, in the folder of its repository: python -m pip install --force-reinstall ."
        ) from error
    from plankton_features.cli.main import DONE, WRONG

    with shown_steps(quiet=args.quick) as step:
        found = diagnose(quick=args.quick, step=step)
    if args.json:
        print(visible_json(_without_home(found.to_dict())))
    else:
        show(found)
    return DONE if found.can_run else WRONG


def _without_home(value: Any) -> Any:
    """The same with paths as text, and the home folder in them as ``~``."""
    from plankton_features.cli.doctor_lines import tilde

    if isinstance(value, dict):
        return {name: _without_home(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_home(one) for one in value]
    return tilde(str(value)) if isinstance(value, str | Path) else value


def prints(args: argparse.Namespace) -> bool:
    """Whether the result is what is printed: always."""
    return True
