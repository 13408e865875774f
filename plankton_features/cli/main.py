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
from typing import NoReturn

from plankton_features.cli.stopping import stoppable
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
    "check-ecotaxa": "what EcoTaxa's import would refuse in a folder or zip archive",
    "doctor": "what this machine can do, and what to do about what is missing",
}
DONE, WRONG, USAGE, TOO_MANY_FAILURES = 0, 1, 2, 3


class Parser(argparse.ArgumentParser):
    """A parser that shows what was typed, or what a shell put in for ``*``."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, and exit with 2."""
        super().error(visible(message))


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
        written and is its result; 2 usage; 3 more images failed than allowed; 130 interrupted,
        or 128 and the number of another signal.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = Parser(
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
    parser = Parser(prog=program, description=COMMANDS[command])
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
    with stoppable() as stopping:
        try:
            return stopping.run(lambda: args.run(args))
        except SystemExit:  # wrong usage
            raise
        except BaseException as error:  # noqa: BLE001 (a person gets one line, and a way to see more)
            stopping.working = False
            # Whatever fails after a signal failed because of it.
            stopped = stopping.number is not None or isinstance(error, KeyboardInterrupt)
            return _complain(args, args.interrupted if stopped else _message(error),
                             stopping.code if stopped else WRONG)


def _message(error: BaseException) -> str:
    if isinstance(error, PlanktonFeaturesError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory. Try a smaller --batch or --canvas."
    return (f"unexpected {type(error).__name__}: {error}. Run again with --debug to see where, and "
            "please report it.")


def _complain(args: argparse.Namespace, message: str, code: int) -> int:
    texts = [traceback.format_exc().rstrip()] if args.debug else []
    for text in (*texts, f"error: {message}"):
        # Further lines are set in, so that none of a stranger's text begins a line.
        print(visible(text, keep="\n").replace("\n", "\n  "), file=sys.stderr)
    return code
