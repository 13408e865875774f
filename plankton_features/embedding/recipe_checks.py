"""Values of a recipe: written in one way, refused in words."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import Any

from plankton_features.embedding.backbone import Backbone
from plankton_features.embedding.registry import NAME
from plankton_features.errors import InputError

BACKGROUNDS = ("border", "white", "black")
MAX_SPP_LEVEL = 16


def as_plain(value: Any) -> Any:
    """NumPy's whole numbers as Python's, which JSON can write; all else as it is."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def as_float(value: Any) -> Any:
    """Real numbers as Python's floats; all else as it is."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else value


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Several values, or a single one, as a tuple."""
    several = isinstance(value, Iterable) and not isinstance(value, str)
    return tuple(as_plain(v) for v in (value if several else (value,)))


def check_choice(name: str, value: object, allowed: Collection[object]) -> None:
    """Refuse what is not among `allowed`."""
    if value not in list(allowed):
        raise InputError(f"{name}: expected one of {_listed(allowed)}; got {value!r}.")


def check_choices(name: str, values: tuple[Any, ...], allowed: Collection[object]) -> None:
    """Refuse values that are not among `allowed`, given twice, or none at all."""
    for value in values:
        check_choice(name, value, allowed)
    _check_different(name, values)


def check_layers(layers: tuple[Any, ...]) -> None:
    """Refuse layers that are not named."""
    for layer in layers:
        if not isinstance(layer, str) or not layer or layer.isdecimal():
            raise InputError(f"layers: a recipe holds names of layers, got {layer!r}. make_recipe "
                             "turns the index of a layer into its name.")
    _check_different("layers", layers)


def check_levels(levels: tuple[Any, ...]) -> None:
    """Refuse grids of no cells, or of more than any map has positions for."""
    for level in levels:
        check_whole("spp levels", level, 1)
        if level > MAX_SPP_LEVEL:
            raise InputError(f"spp levels: expected 1 to {MAX_SPP_LEVEL} cells per side, got "
                             f"{level}.")
    _check_different("spp levels", levels)


def check_gem_power(power: Any) -> None:
    """Refuse exponents that have no mean."""
    if not isinstance(power, float) or not 0 < power < math.inf:
        raise InputError(f"gem power: expected a number above 0, got {power!r}.")


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Refuse what is not a whole number of `least` or more, and of `most` or less."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name}: expected a whole number, {least} or more; got {value!r}.")
    if most is not None and value > most:
        raise InputError(f"{name}: expected a whole number, at most {most}; got {value}.")


def check_background(value: Any) -> None:
    """Refuse what is neither a rule nor a grey value."""
    is_grey = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
    if not is_grey and value not in BACKGROUNDS:
        raise InputError(f"background: expected {_listed(BACKGROUNDS)} or 0..255; got {value!r}.")


def check_name(backbone: Any) -> None:
    """Refuse what can be no backbone's name, here or elsewhere."""
    if backbone == "auto":
        raise InputError("backbone 'auto' is not known: a recipe names a network. make_recipe "
                         "puts one in its place.")
    if not isinstance(backbone, str) or not NAME.fullmatch(backbone):
        raise InputError(f"backbone: expected the name of a network, got {backbone!r:.100}.")


def check_weights(backbone: str, identity: Any, known: Backbone | None) -> None:
    """Refuse what does not say which weights a backbone has; `known` is what is known of it."""
    some, none = r"sha256:[0-9a-f]{64}|random:\d+", "none"
    pattern = f"{some}|{none}" if known is None else some if known.has_weights else none
    if not isinstance(identity, str) or not re.fullmatch(pattern, identity):
        expected = pattern if pattern == none else "sha256:<64 hex digits> or random:<seed>"
        raise InputError(f"weights: expected {expected} for {backbone}, got {identity!r}.")


def _check_different(name: str, values: tuple[Any, ...]) -> None:
    if not values or len(set(values)) != len(values):
        raise InputError(f"{name}: expected one or several, all different; got "
                         f"{_listed(values) or 'none'}.")


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
