"""Options of a run that was broken off, kept for the one that goes on."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from plankton_features.errors import StoreError
from plankton_features.files.replacing import replacing

NAME = "options.json"
#: What belongs to a single run.
_NOT_KEPT = ("images", "output", "resume", "overwrite", "quiet", "list_layers")


def set_defaults_apart(parser: argparse.ArgumentParser) -> None:
    """Take all defaults out, so that it is seen what was given; `settled` puts them back."""
    defaults = vars(parser.parse_args([]))
    parser.set_defaults(**dict.fromkeys(defaults), defaults=defaults)


def settled(args: argparse.Namespace, begun: Path | None) -> argparse.Namespace:
    """The options given, then those of the run that was broken off, then the defaults.

    Parameters
    ----------
    args : Namespace
        Of a parser with its defaults apart.
    begun : Path or None
        Folder of a run that was broken off.

    Returns
    -------
    Namespace

    Raises
    ------
    StoreError
        If the folder's options are damaged.
    """
    kept = _kept(begun / NAME, args.defaults) if begun else {}
    return argparse.Namespace(**{**vars(args), **args.defaults, **kept, **_given(args)})


def keep_options(args: argparse.Namespace, folder: Path) -> None:
    """Write down in which options a run differs from the defaults.

    Parameters
    ----------
    args : Namespace
        As `settled` gave it.
    folder : Path

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    chosen = {name: value for name, value in _given(args).items()
              if name not in _NOT_KEPT and value != args.defaults[name]}
    with replacing(folder / NAME, "w", encoding="utf-8") as file:
        json.dump(chosen, file, default=lambda path: {"path": str(path.resolve())})


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in args.defaults if getattr(args, name) is not None}


def _kept(path: Path, known: dict[str, Any]) -> dict[str, Any]:
    if not path.exists():  # as the version before left it
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: Path(value["path"]) if isinstance(value, dict) else value
                for name, value in found.items() if name in known and name not in _NOT_KEPT}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Give the options that the run began "
                         "with, after removing it.") from error
