"""Check a feature file against the images it was made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plankton_features.embedding import EngineOptions
from plankton_features.embedding.openvino_cache import converted_anew
from plankton_features.embedding.recipe import SIZE_FEATURES
from plankton_features.errors import InputError
from plankton_features.extraction.changes import digest_or_none
from plankton_features.extraction.drift import cosine_similarity, embed_sample, sample_positions
from plankton_features.extraction.session import continue_session
from plankton_features.images import Catalog, build_catalog
from plankton_features.images.spelling import composed
from plankton_features.progress import Progress, ProgressCallback, ignore
from plankton_features.store import FeatureFile

LEAST_COSINE = {"float32": 0.9999, "bfloat16": 0.99, "float16": 0.999}


@dataclass(frozen=True)
class Verification:
    """What a comparison of a feature file with its images found.

    Attributes
    ----------
    checked : int
        Paths of vectors and duplicates whose content was compared.
    missing, changed, new : list of str
        Paths that are gone, whose content differs, and that the file does not know.
    not_finite : list of str
        Paths of vectors with values that are no finite numbers; all vectors are looked at.
    sampled : int
        Pictures embedded again, by a network that is converted from its weights for this.
    least_cosine : float
        Least cosine similarity of these to their vectors in the file; NaN if none was.
    cosine_needed : float
        Below this, vectors count as different.
    """

    checked: int
    missing: list[str]
    changed: list[str]
    new: list[str]
    not_finite: list[str]
    sampled: int
    least_cosine: float
    cosine_needed: float

    @property
    def ok(self) -> bool:
        """Whether every row is what its image gives. New images are no fault of the file."""
        same = not self.sampled or self.least_cosine >= self.cosine_needed
        return not (self.missing or self.changed or self.not_finite) and same


def verify(file: FeatureFile, images: str | os.PathLike[str] | Catalog, *,
           weights: str = "imagenet", sample: int = 32, options: EngineOptions | None = None,
           progress: ProgressCallback = ignore) -> Verification:
    """Read all images again and compare; embed a sample again.

    Parameters
    ----------
    file : FeatureFile
    images : path-like or Catalog
        The folder, archive or table that it was made from, or the catalog of it.
    weights : str, default="imagenet"
        A file with the weights, if they are not in the usual place.
    sample : int, default=32
        Pictures to embed again; 0 for none.
    options : EngineOptions, optional
    progress : callable of Progress

    Returns
    -------
    Verification

    Raises
    ------
    InputError
        If there are none of the file's paths.
    """
    catalog = images if isinstance(images, Catalog) else build_catalog(images)
    expected = _expected_digests(file)
    paths = _as_in_file(catalog.path, [*expected, *file.failures["path"]])
    known = [i for i, path in enumerate(paths) if path in expected]
    if not known and expected:
        raise InputError(f"{catalog.source}: has none of the {len(expected)} paths in {file.path}, "
                         f"such as '{next(iter(expected))}'. Give the folder, archive or table it "
                         "was made from.")
    seen = {paths[i] for i in known}
    missing = sorted(expected.keys() - seen)
    changed: list[str] = []
    good: dict[str, int] = {}
    for n, position in enumerate(known, start=1):
        path = paths[position]
        digest = digest_or_none(catalog, position)
        if digest == expected[path]:
            good[path] = position
        else:
            (changed if digest else missing).append(path)
        progress(Progress(n, len(known), len(missing) + len(changed)))
    failed = set(file.failures["path"])
    new = [p for p in paths if p not in expected and p not in failed]
    not_finite = file.not_finite()
    for path in not_finite:
        good.pop(path, None)
    sampled, least = _embed_again(file, catalog, good, sample, weights, options)
    return Verification(len(known), missing, changed, new, not_finite, sampled, least,
                        LEAST_COSINE[str(file.recipe["precision"])])


def _as_in_file(paths: Sequence[str], known: Iterable[str]) -> list[str]:
    """Paths in the normal form of Unicode that the file has them in."""
    here = set(paths)
    spelled = {composed(path): path for path in known if path not in here}
    return [spelled.get(composed(path), path) for path in paths]


def _expected_digests(file: FeatureFile) -> dict[str, bytes]:
    """Path of each vector and duplicate to the digest of its content."""
    digests = file.digests()
    again = [digests[row] for row in file.duplicates["row"]]
    return dict(zip([*file.paths, *file.duplicates["path"]], [*digests, *again], strict=True))


def _embed_again(file: FeatureFile, catalog: Catalog, good: Mapping[str, int], sample: int,
                 weights: str, options: EngineOptions | None) -> tuple[int, float]:
    """Number of pictures embedded again, and their least cosine similarity to the file's."""
    rows = np.array([r for r, path in enumerate(file.paths) if path in good], dtype=int)
    if not len(rows) or not sample:
        return 0, float("nan")
    rows = rows[sample_positions(len(rows), sample)]
    session = continue_session(file.attributes, options, weights)
    positions = np.array([good[file.paths[r]] for r in rows])
    with converted_anew():  # what made the file's vectors may have been forged
        again, readable = embed_sample(catalog, session.recipe, session.open_engine(), positions)
    n_size = len(SIZE_FEATURES) if session.recipe.size_features else 0
    kept = file.take(rows)[:, : file.shape[1] - n_size]
    cosine = np.zeros(len(rows))  # a picture that cannot be framed any more has no vector
    cosine[readable] = cosine_similarity(again, kept[readable])
    return len(rows), float(cosine.min())
