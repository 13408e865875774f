"""Features of images as a head needs them: with its own recipe, engine and batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plankton_features.embedding import EngineOptions
from plankton_features.errors import MismatchError, OtherPicturesError, check_same
from plankton_features.extraction import Session, is_finished
from plankton_features.extraction.session import continue_session, existing_attributes
from plankton_features.heads import Head
from plankton_features.images import Catalog
from plankton_features.progress import ProgressCallback, ignore
from plankton_features.results.blocks import check_takes_images
from plankton_features.store import FeatureFile, read_features


def session_of_head(head: Head, features: Path, options: EngineOptions | None = None,
                    weights: str | None = None) -> Session:
    """What extracts the vectors that a head knows.

    Parameters
    ----------
    head : Head
    features : Path
        Feature file to write, which may be there, finished or not.
    options : EngineOptions, optional
        By default the head's engine and batch.
    weights : str, optional
        A file with the network's weights, if they are not in the usual place.

    Returns
    -------
    Session

    Raises
    ------
    InputError
        If the head was fitted on an array.
    MismatchError
        If the file was made with another recipe than the head's.
    WeightsError
        If the weights are others.
    """
    check_takes_images(head)
    asked: dict[str, object] = {"engine": "auto", "recipe": json.dumps(head.recipe)}
    asked.update((name, head.info[name]) for name in ("engine", "batch") if name in head.info)
    found = existing_attributes(features) or {}
    if found:
        check_same(json.loads(str(found["recipe"])), head.recipe,
                   f"{features}: made with another recipe than the head's",
                   "Use --features with another file name.", whole=True)
    return continue_session({**asked, **found}, options or EngineOptions(), weights or "imagenet")


def extract_for_head(head: Head, catalog: Catalog, features: Path, *, derived: bool,
                     options: EngineOptions | None = None, weights: str | None = None,
                     progress: ProgressCallback = ignore, update: bool = False,
                     drop: bool = False, threads: int = 2) -> FeatureFile:
    """Extract what is not there yet.

    Parameters
    ----------
    head : Head
    catalog : Catalog
    features : Path
        Feature file to write or to go on with.
    derived : bool
        Whether the file is there for these predictions only, so that it is brought up to date
        where other pictures lie under the same names.
    options, weights
        See `session_of_head`.
    progress : callable of Progress
    update, drop, threads
        See `extraction.extract`.

    Returns
    -------
    FeatureFile

    Raises
    ------
    InputError, MismatchError, StoreError, EngineError, WeightsError
        See `session_of_head` and `extraction.extract`.
    """
    session = session_of_head(head, features, options, weights)
    how: dict[str, Any] = {"threads": threads, "progress": progress}
    with advice_on_features():
        try:
            if update or not is_finished(features, catalog, threads=threads):
                session.extract(catalog, features, update=update, drop=drop, **how)
        except OtherPicturesError as error:
            if not derived or "unreadable" in error.fields:
                raise
            session.extract(catalog, features, update=True, drop=True, **how)
    return read_features(features)


@contextmanager
def advice_on_features() -> Iterator[None]:
    """What to do about a feature file that does not fit is another thing here than in extract."""
    try:
        yield
    except MismatchError as error:
        *lines, _ = str(error).splitlines()
        advice = ("If images were added, moved or relabelled, use --update (vectors of pictures "
                  "that are gone leave the file); or --features with another file name.")
        raise type(error)("\n".join([*lines, advice]), error.fields) from error
