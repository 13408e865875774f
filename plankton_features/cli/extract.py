"""``extract-features imgs/ out.h5``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.cli.options import (
    add_drop_option,
    add_engine_options,
    add_recipe_options,
    add_source_options,
    engine_options,
    recipe_options,
    source_options,
    whole_number,
)

INTERRUPTED = ("interrupted. What was finished is kept: run the same command again, without "
               "--overwrite, to continue.")

if TYPE_CHECKING:
    from plankton_features.embedding import Engine
    from plankton_features.extraction import ExtractionReport, Session
    from plankton_features.images import Catalog


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("images", nargs="?", type=Path, metavar="IMAGES",
                        help="folder with one folder per taxon, or of unlabelled images; a zip "
                             "archive of one; or a CSV table with columns path, label, group, id "
                             "(others are kept)")
    parser.add_argument("output", nargs="?", type=Path, metavar="OUT.h5",
                        help="feature file to write")
    parser.add_argument("--dry-run", action="store_true",
                        help="show what is there and how long it would take; write nothing")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT.h5")
    parser.add_argument("--update", action="store_true",
                        help="images were added, moved or relabelled: take over the vectors of "
                             "those with the same content")
    add_drop_option(parser, "OUT.h5")
    parser.add_argument("--morphometry", action="store_true",
                        help="also measure each picture's object: area, ESD, axes, perimeter, "
                             "biovolume ..., in pixels, and in µm where the images' table has a "
                             "column pixel_size")
    parser.add_argument("--feret", action="store_true",
                        help="with Feret diameters; implies --morphometry")
    parser.add_argument("--max-failures", type=whole_number, metavar="N",
                        help="exit with 3 if more images than this fail (default: if all fail)")
    parser.add_argument("--quiet", action="store_true", help="print only errors and the summary")
    add_source_options(parser)
    add_recipe_options(parser)
    add_engine_options(parser)
    lists = parser.add_argument_group("lists")
    lists.add_argument("--list-backbones", action="store_true", help="print the networks")
    lists.add_argument("--list-layers", action="store_true",
                       help="print the layers of --backbone")
    parser.set_defaults(parser=parser, derived=False)


def prints(args: argparse.Namespace) -> bool:
    """Whether the result is what is printed: lists and dry runs."""
    return bool(args.list_backbones or args.list_layers or args.dry_run)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code."""
    if args.list_backbones or args.list_layers:
        from plankton_features.cli import lists

        return lists.show_layers(args) if args.list_layers else lists.show_backbones()
    if args.images is None or (args.output is None and not args.dry_run):
        args.parser.error("IMAGES and OUT.h5 are needed: extract-features imgs/ out.h5")
    if args.overwrite and args.update:
        args.parser.error("--overwrite and --update exclude each other")
    from plankton_features.images import build_catalog

    catalog = build_catalog(args.images, **source_options(args))
    return _dry_run(args, catalog) if args.dry_run else _extract(args, catalog)


def _dry_run(args: argparse.Namespace, catalog: Catalog) -> int:
    from plankton_features.cli.display import shown_progress
    from plankton_features.cli.extract_text import show_survey
    from plankton_features.extraction import survey

    session = _session(args, None if args.overwrite else args.output)
    engine = session.open_engine()
    with shown_progress(args.quiet) as progress:
        found = survey(catalog, session.recipe, engine, threads=args.readers, progress=progress)
    show_survey(found, catalog, session, engine, args)
    return 0


def _extract(args: argparse.Namespace, catalog: Catalog) -> int:
    from plankton_features.files.targets import check_target

    _refuse_images_as_output(args.output)
    check_target(args.output)
    session = _session(args, None if args.overwrite else args.output)
    return exit_code(run_session(args, catalog, session), args.max_failures)


def run_session(args: argparse.Namespace, catalog: Catalog, session: Session) -> ExtractionReport:
    """Extract what is not there yet, saying what happens.

    Parameters
    ----------
    args : Namespace
        With ``images``, ``output``, ``overwrite``, ``update``, ``drop``, ``quiet``, ``readers``;
        and ``derived``, whether the file is there for another result only, so that it is brought
        up to date where other pictures lie under the same names.
    catalog : Catalog
    session : Session

    Returns
    -------
    ExtractionReport
    """
    from plankton_features.cli import extract_text as text
    from plankton_features.errors import OtherPicturesError

    text.show_start(catalog, session, args)
    try:
        done = _is_finished(args, catalog, session)
        report = text.already_done(args.output) if done else _compute(args, catalog, session)
    except OtherPicturesError as error:
        if not args.derived or "unreadable" in error.fields:
            raise
        text.show_other_pictures(error)
        renewed = argparse.Namespace(**{**vars(args), "update": True, "drop": True})
        report = _compute(renewed, catalog, session)
    text.show_end(report, session, args.output)
    return report


def exit_code(report: ExtractionReport, max_failures: int | None) -> int:
    """3 if more images failed than allowed, by default if all did; else 0."""
    from plankton_features.cli.main import DONE, TOO_MANY_FAILURES

    allowed = max_failures if max_failures is not None else report.found - 1
    return TOO_MANY_FAILURES if report.failed > allowed else DONE


def _is_finished(args: argparse.Namespace, catalog: Catalog, session: Session) -> bool:
    from plankton_features.cli.display import waiting
    from plankton_features.extraction import is_finished

    if args.overwrite or args.update:
        return False
    with waiting("looking whether the pictures are the same"):
        return is_finished(args.output, catalog, morphometry=session.morphometry,
                           threads=args.readers)


def _compute(args: argparse.Namespace, catalog: Catalog, session: Session) -> ExtractionReport:
    from plankton_features.cli import extract_text as text
    from plankton_features.cli.display import shown_progress, waiting
    from plankton_features.extraction import space_for

    with waiting("starting the engine; a recipe's first run converts its network"):
        engine = session.open_engine()
    text.show_engine(engine, args)
    text.show_space(space_for(args.output, catalog, session.recipe, engine, session.morphometry),
                    args.output)
    # So that a report finds the pictures again.
    notes = {"images": str(args.images.resolve()),
             **_drift_notes(args, catalog, session, engine)}
    with shown_progress(args.quiet) as progress:
        return session.extract(catalog, args.output, engine=engine, notes=notes,
                               overwrite=args.overwrite, update=args.update, drop=args.drop,
                               threads=args.readers, progress=progress)


def _session(args: argparse.Namespace, output: Path | None) -> Session:
    from plankton_features.cli.display import DownloadShown
    from plankton_features.extraction import open_session

    return open_session(output, preset=args.preset, weights=args.weights,
                        options=engine_options(args), on_download=DownloadShown(),
                        morphometry=_morphometry(args),
                        **recipe_options(args))


def _morphometry(args: argparse.Namespace) -> str | None:
    """What is asked for; None to go on with what the file has."""
    return "feret" if args.feret else "plain" if args.morphometry else None


def _drift_notes(args: argparse.Namespace, catalog: Catalog, session: Session,
                 engine: Engine) -> dict[str, str]:
    if session.recipe.precision == "float32":
        return {}
    from plankton_features.cli.extract_text import show_drift
    from plankton_features.extraction.drift import measure_drift

    drift = measure_drift(catalog, session.recipe, engine, session.weights, session.options)
    show_drift(drift, session, args)
    return {"precision_drift": str(drift)} if drift else {}


def _refuse_images_as_output(output: Path) -> None:
    from plankton_features.errors import InputError
    from plankton_features.images.sources import is_source_name

    if is_source_name(output.name):
        raise InputError(f"{output}: expected the name of the feature file to write, such as "
                         "out.h5. The order is: extract-features IMAGES OUT.h5")
