"""What is there before a run: a finished file, an unfinished one, and what may become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from plankton_features.embedding import Recipe
from plankton_features.errors import (
    InputError,
    MismatchError,
    OtherPicturesError,
    StoreError,
    check_same,
    counted,
)
from plankton_features.extraction.changes import find_changes, listed_changes
from plankton_features.extraction.layout import STAMP, refuse_other_images
from plankton_features.extraction.measures import ATTRIBUTE
from plankton_features.images import Catalog
from plankton_features.progress import ProgressCallback, ignore
from plankton_features.store import (
    FeatureFile,
    FeatureStore,
    partial_attributes,
    partial_path,
    read_features,
)
from plankton_features.store.aside import set_aside
from plankton_features.store.contents import Contents
from plankton_features.store.partial import partial_contents

MOST_DROPPED = 0.1
_ADVICE = ("Use --update to take over the vectors of pictures that are still there (others leave "
           "the file), --overwrite, or another file name.")


def is_finished(output: Path, catalog: Catalog, *, morphometry: str = "", threads: int = 2,
                progress: ProgressCallback = ignore) -> bool:
    """Whether `output` is a finished file of exactly this catalog.

    Files that nobody touched since are known by their times. If the file was made elsewhere, or
    files were written or moved since, their contents are compared.

    Parameters
    ----------
    output : Path
    catalog : Catalog
    morphometry : {"", "plain", "feret"}, default=""
        What it has to hold besides, see `extract`.
    threads : int, default=2
        Threads that read, if contents are compared.
    progress : callable of Progress

    Returns
    -------
    bool

    Raises
    ------
    MismatchError
        If it is finished, but without these measures, or of another catalog; then the message
        shows the differing columns, and counts and names the paths.
    OtherPicturesError
        If pictures of the same names are others; the message counts and names them.
    StoreError
        If it is there, but is no feature file.
    """
    if not output.is_file() or partial_path(output).exists():
        return False
    file = read_features(output)
    if morphometry:
        check_same({ATTRIBUTE: file.attributes.get(ATTRIBUTE) or "none"}, {ATTRIBUTE: morphometry},
                   f"{output}: pictures were measured otherwise, or not at all",
                   "Use --update to measure them; vectors are kept.")
    try:
        _refuse_others(file.attributes, file.contents, catalog, str(output), threads, progress)
    except OtherPicturesError:
        raise
    except MismatchError as error:
        *lines, advice = str(error).splitlines()
        told = "\n".join([*lines, *listed_changes(file, catalog), advice])
        raise MismatchError(told, error.fields) from None
    return True


def settle_begun(output: Path, catalog: Catalog, update: bool, threads: int) -> None:
    """See that an unfinished file, if there is one, is of this catalog and these pictures.

    Parameters
    ----------
    output : Path
    catalog : Catalog
    update : bool
        Whether one of others is set aside, so that its vectors can be taken over.
    threads : int

    Raises
    ------
    MismatchError, OtherPicturesError
        If it is of others, and not `update`.
    StoreError
        See `partial_attributes`.
    """
    begun = partial_attributes(output)
    if begun is None:
        return
    try:
        _refuse_others(begun, lambda: partial_contents(output), catalog,
                       str(partial_path(output)), threads, ignore)
    except MismatchError:
        if not update:
            raise
        set_aside(output)


def file_to_keep(output: Path, recipe: Recipe) -> FeatureFile | None:
    """The finished file whose vectors a run may not lose; None if there is none of the recipe."""
    if not output.exists():
        return None
    file = read_features(output)
    return file if file.attributes.get("recipe") == recipe.to_json() else None


def dropped_rows(before: FeatureFile, store: FeatureStore) -> int:
    """Number of vectors of a file whose pictures are not in the one that replaces it."""
    return len(set(before.digests()) - set(store.sha256()))


def refuse_losses(before: FeatureFile, store: FeatureStore, catalog: Catalog) -> None:
    """Refuse to replace a file by one that lacks much of it, or what could not be read.

    What was computed stays in the unfinished file.

    Parameters
    ----------
    before : FeatureFile
    store : FeatureStore
        All written, and not finished.
    catalog : Catalog

    Raises
    ------
    InputError
        If more than a tenth of the vectors would go, or any because images cannot be used.
    """
    n_dropped = dropped_rows(before, store)
    failed_before = set(before.failures["path"])
    failed = [catalog.path[i] for i in store.positions("failures")]
    failed_now = [path for path in failed if path not in failed_before]
    if not n_dropped:  # a further path of a picture can be lost all the same
        had = {*before.paths, *before.duplicates["path"]}
        failed_now = [path for path in failed_now if path in had]
    if not failed_now and n_dropped <= MOST_DROPPED * len(before):
        return
    kept = f" What was computed for it is in {store.partial.name}."
    if set(store.sha256()) <= set(before.digests()):
        store.discard()
        kept = ""
    why = (f", and {counted(len(failed_now), 'image')} cannot be used that could, such as "
           f"{failed_now[0]}" if failed_now else "")
    raise InputError(
        f"{before.path}: {n_dropped:,} of its {len(before):,} vectors would be dropped, because "
        f"their pictures are not among these images{why}. It is as it was.{kept} Is a drive or a "
        "folder missing, or are these other images? Then put that right, or choose another file "
        "name. To let them go, add --drop (in Python drop=True).")


def refuse_nothing(output: Path, store: FeatureStore) -> None:
    """Refuse to overwrite vectors by none at all.

    Raises
    ------
    InputError
    """
    if store.n_valid or not output.exists():
        return
    try:
        n_before = len(read_features(output))
    except StoreError:  # there was nothing to lose
        return
    if n_before:
        store.discard()
        raise InputError(f"{output}: none of the images can be used, and its {n_before:,} vectors "
                         "would be lost. It is as it was. Is a drive or a folder missing? To let "
                         "them go, add --drop (in Python drop=True).")


def _refuse_others(attributes: Mapping[str, object], contents: Callable[[], Contents],
                   catalog: Catalog, what: str, threads: int, progress: ProgressCallback) -> None:
    refuse_other_images(attributes, catalog, what)
    if attributes.get(STAMP) == catalog.stamp():
        return
    framing = Recipe.from_json(str(attributes["recipe"])).framing_options
    changes = find_changes(contents(), catalog, framing, threads=threads, progress=progress)
    changes.refuse(what, _ADVICE)
