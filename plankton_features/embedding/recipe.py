"""The recipe: everything that decides the values of a vector."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from plankton_features.embedding.backbones import get_backbone
from plankton_features.errors import InputError, check_same
from plankton_features.images.framing import FRAMINGS, INTERPOLATIONS, Framing

POOLINGS = ("avg", "max", "gem", "spp")
VIEWS = {"none": 1, "rot4": 4, "d4": 8}
PRECISIONS = ("float32", "bfloat16", "float16")
SIZE_FEATURES = ("log_width", "log_height", "log_area")


@dataclass(frozen=True)
class Recipe:
    """How an image becomes a vector. Two vectors compare only if their recipes are equal.

    Parameters
    ----------
    backbone : str
        Name of the network, see `list_backbones`.
    weights : str
        ``sha256:<hex digest of the weight file>``, ``random:<seed>``, or ``none`` for a
        backbone that has no weights.
    layers : tuple of str
        Layers whose activation maps are pooled, in this order.
    pooling : tuple of {"avg", "max", "gem", "spp"}
        Applied to each map, in this order; ``gem`` is the generalised mean (Radenovic et al.
        2019, doi:10.1109/TPAMI.2018.2846566), ``spp`` spatial pyramid pooling, the maximum of
        each cell of square grids (He et al. 2014, doi:10.1007/978-3-319-10578-9_23).
    spp_levels : tuple of int
        Grids of the spatial pyramid, in cells per side.
    gem_power : float
        Exponent of the generalised mean.
    views : {"none", "rot4", "d4"}
        Pool over the picture alone, its four quarter turns, or those and their mirror images.
    framing : {"resize", "native", "native-shrink"}
    canvas : int
        Side of the canvas in pixels.
    background : {"border", "white", "black"} or int in 0..255
    crop_bottom : int
        Rows cut off at the bottom, in pixels.
    interpolation : {"box", "bilinear", "bicubic", "lanczos"}
    normalization : {"tf", "caffe", "lite", "none"}
        What is done to pixel values before the network; the backbone decides it.
    precision : {"float32", "bfloat16", "float16"}
        Numbers that the network computes with.
    size_features : bool
        Whether the natural logarithms of width, height and area (pixels, after cutting the
        bottom off, before scaling) follow the pooled values.

    Raises
    ------
    InputError
        If a value is not one of those allowed.
    """

    backbone: str
    weights: str
    layers: tuple[str, ...]
    pooling: tuple[str, ...] = ("avg",)
    spp_levels: tuple[int, ...] = (1, 2)
    gem_power: float = 3.0
    views: str = "none"
    framing: str = "resize"
    canvas: int = 299
    background: str | int = "border"
    crop_bottom: int = 0
    interpolation: str = "bilinear"
    normalization: str = "tf"
    precision: str = "float32"
    size_features: bool = False

    def __post_init__(self) -> None:
        _one_of("views", self.views, VIEWS)
        _one_of("framing", self.framing, FRAMINGS)
        _one_of("interpolation", self.interpolation, INTERPOLATIONS)
        _one_of("precision", self.precision, PRECISIONS)
        for pooling in self.pooling:
            _one_of("pooling", pooling, POOLINGS)
        _check_unique("layer", self.layers)
        _check_unique("pooling", self.pooling)
        _check_background(self.background)
        _at_least("crop-bottom", self.crop_bottom, 0)
        for level in self.spp_levels:
            _at_least("spp level", level, 1)
        if self.gem_power <= 0:
            raise InputError(f"gem power: expected a number above 0, got {self.gem_power}.")
        least = get_backbone(self.backbone).min_canvas
        if not least <= self.canvas <= 4096:
            raise InputError(f"canvas: {self.backbone} takes {least} to 4096 px, "
                             f"got {self.canvas}.")

    @property
    def recipe_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the recipe's JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @property
    def framing_options(self) -> Framing:
        """The part that `images` needs."""
        return Framing(
            canvas=self.canvas,
            method=self.framing,  # type: ignore[arg-type]
            background=self.background,
            crop_bottom=self.crop_bottom,
            interpolation=self.interpolation,
        )

    @property
    def network_key(self) -> dict[str, Any]:
        """The part that decides the converted network, whatever the precision."""
        kept = ("backbone", "weights", "layers", "pooling", "spp_levels", "gem_power", "views",
                "canvas", "normalization")
        return {name: getattr(self, name) for name in kept}

    @property
    def random_seed(self) -> int | None:
        """Seed of random weights, None if the weights are not random."""
        kind, _, seed = self.weights.partition(":")
        return int(seed) if kind == "random" else None

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            If it is not a recipe, or has fields this version does not know.
        """
        try:
            values = json.loads(text)
            known = {f.name for f in fields(cls)}
            if unknown := set(values) - known:
                raise InputError(f"recipe: fields {sorted(unknown)} are not known to this version "
                                 "of plankton_features. Update the package.")
            lists = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
            return cls(**{**values, **lists})
        except (TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"recipe: expected the JSON of a recipe, got {text[:80]!r}") from error


def check_same_recipe(found: Recipe, asked: Recipe, what: str) -> None:
    """Refuse to mix recipes.

    Raises
    ------
    MismatchError
        If they differ; the message shows the fields.
    """
    check_same(asdict(found), asdict(asked), f"{what}: made with another recipe",
               "Use the same options as before, another file name, or --overwrite.")


def _one_of(name: str, value: object, allowed: Any) -> None:
    if value not in allowed:
        raise InputError(f"{name}: expected one of {', '.join(allowed)}; got {value!r}.")


def _check_unique(name: str, values: tuple[str, ...]) -> None:
    if not values or len(set(values)) != len(values):
        raise InputError(f"{name}: expected one or several different names, got "
                         f"{', '.join(values) or 'none'}.")


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{name}: expected {least} or more, got {value}.")


def _check_background(value: str | int) -> None:
    good = value in ("border", "white", "black") if isinstance(value, str) else 0 <= value <= 255
    if not good:
        raise InputError(f"background: expected border, white, black or 0..255; got {value!r}.")
