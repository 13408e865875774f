"""Entry points, and what becomes of errors."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import sys
import traceback
import warnings
from collections.abc import Sequence

from plankton_features.cli.streams import guarded_streams, visible
from plankton_features.errors import PlanktonFeaturesError

COMMANDS = {
    "extract": "images -> feature file (once, resumable)",
    "fit": "feature file -> validated, calibrated classifier and report",
    "fine-tune": "images -> network trained for the final model, with report",
    "classify": "new images or features -> taxa, with probabilities",
    "info": "what is in a feature file",
    "verify": "check a feature file against its images",
    "merge": "put feature files of one recipe together",
    "doctor": "what this machine can do, and what to do about what is missing",
}
DONE, WRONG, USAGE, TOO_MANY_FAILURES, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``plankton-features``.

    Parameters
    ----------
    argv : sequence of str, optional
        By default the process's own.

    Returns
    -------
    int
        0 done; 1 the data or the environment is wrong, or what the command prints could not be
        written and is its result; 2 usage; 3 more images failed than allowed; 130 interrupted;
        143 terminated.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="plankton-features",
        description="Deep features of plankton vignettes, and classifiers on them.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        # Only the command that runs is imported, so that every start is quick.
        sub = commands.add_parser(name, help=summary, description=summary)
        if argv[:1] == [name]:
            _fill(sub, name)
    parser.set_defaults(run=lambda args: _no_command(args, parser), debug=False, interrupted="",
                        prints=lambda _: True)
    return _run(parser, argv)


def extract_features(argv: Sequence[str] | None = None) -> int:
    """Run ``extract-features``, short for ``plankton-features extract``."""
    return _alone("extract-features", "extract", argv)


def fit_head(argv: Sequence[str] | None = None) -> int:
    """Run ``fit-head``, short for ``plankton-features fit``."""
    return _alone("fit-head", "fit", argv)


def _alone(program: str, command: str, argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(prog=program, description=COMMANDS[command])
    _fill(parser, command)
    return _run(parser, argv)


def _fill(parser: argparse.ArgumentParser, command: str) -> None:
    module = importlib.import_module(f"plankton_features.cli.{command.replace('-', '_')}")
    module.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show a traceback on errors")
    parser.set_defaults(run=module.run, interrupted=getattr(module, "INTERRUPTED", "interrupted."),
                        prints=getattr(module, "prints", _prints_nothing_of_worth))


def _no_command(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """``--version``, or help for whoever gave no command."""
    if not args.version:
        parser.print_help()
        return USAGE
    from importlib.metadata import version

    print(version("plankton_features"))
    return DONE


def _prints_nothing_of_worth(_: argparse.Namespace) -> bool:
    """Whether what a command prints is its result: not if it writes files."""
    return False


def _run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Run a command whatever becomes of standard output and error."""
    # Pillow tells of odd metadata by the thousand; what it cannot read is in the failures.
    warnings.filterwarnings("ignore", module="PIL")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with guarded_streams() as streams:
        try:
            args = parser.parse_args(argv)
            code, prints = _guarded(args), args.prints(args)
        except SystemExit as end:  # --help, or a wrong usage
            code, prints = int(end.code or DONE), True
        lost = streams.lost()
        if prints and code == DONE and lost:
            if lost.errno != errno.EPIPE:  # whose reader has seen enough
                print(f"error: standard output cannot be written ({lost.strerror}).",
                      file=sys.stderr)
            code = WRONG
    return code


def _guarded(args: argparse.Namespace) -> int:
    """Run a command; an error is one message for a person."""
    try:
        return args.run(args)
    except PlanktonFeaturesError as error:
        return _complain(args, str(error))
    except KeyboardInterrupt as interrupt:
        return _complain(args, args.interrupted, getattr(interrupt, "code", INTERRUPTED))
    except MemoryError:
        return _complain(args, "not enough memory. Try a smaller --batch or --canvas.")
    except Exception as error:  # noqa: BLE001 (a person gets one line, and a way to see more)
        return _complain(args, f"unexpected {type(error).__name__}: {error}. "
                               "Run again with --debug to see where, and please report it.")


def _complain(args: argparse.Namespace, message: str, code: int = WRONG) -> int:
    if args.debug:
        traceback.print_exc()
    # Further lines are set in, so that none of a stranger's text begins a line.
    print(f"error: {visible(message, keep=chr(10))}".replace("\n", "\n  "), file=sys.stderr)
    return code
