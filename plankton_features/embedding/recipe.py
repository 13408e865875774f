"""The recipe: everything that decides the values of a vector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import Any

from plankton_features.embedding import recipe_checks as checks
from plankton_features.embedding.backbone import MAX_CANVAS, check_canvas
from plankton_features.embedding.backbones import BACKBONES
from plankton_features.errors import InputError, check_same
from plankton_features.images.depth import DEPTHS
from plankton_features.images.framing import FRAMINGS, INTERPOLATIONS, Framing

POOLINGS = ("avg", "max", "gem", "spp")
VIEWS = {"none": 1, "rot4": 4, "d4": 8}
PRECISIONS = ("float32", "bfloat16", "float16")
SIZE_FEATURES = ("log_width", "log_height", "log_area")

_CHOICES = {"views": VIEWS, "framing": FRAMINGS, "interpolation": INTERPOLATIONS,
            "precision": PRECISIONS, "depth": DEPTHS}
#: Fields that came later: with the value that stands for what was done before, they stay out of
#: the JSON, so that recipes of before keep their id.
LATER_FIELDS = {"depth": "auto"}
_UNIFORM = {
    **dict.fromkeys(("layers", "pooling", "spp_levels"), checks.as_tuple),
    **dict.fromkeys(("canvas", "crop_bottom", "background"), checks.as_plain),
    "gem_power": checks.as_float,
}


@dataclass(frozen=True)
class Recipe:
    """How an image becomes a vector. Two vectors compare only if their recipes are equal.

    Parameters
    ----------
    backbone : str
        Name of the network, see `list_backbones`. One that is not known here will do for all
        that needs no network; opening it is refused.
    weights : str
        ``sha256:<hex digest of the weight file>``, ``random:<seed>``, or ``none`` for a
        backbone that has no weights.
    layers : tuple of str
        Names of the layers whose activation maps are pooled, in this order.
    pooling : tuple of {"avg", "max", "gem", "spp"}
        Applied to each map, in this order; ``gem`` is the generalised mean (Radenovic et al.
        2019, doi:10.1109/TPAMI.2018.2846566), ``spp`` spatial pyramid pooling, the maximum of
        each cell of square grids (He et al. 2014, doi:10.1007/978-3-319-10578-9_23).
    spp_levels : tuple of int
        Grids of the spatial pyramid, in cells per side, 1 to 16.
    gem_power : float
        Exponent of the generalised mean, above 0; 1 is the mean, large ones near the maximum.
    views : {"none", "rot4", "d4"}
        Pool over the picture alone, its four quarter turns, or those and their mirror images.
    framing : {"resize", "native", "native-shrink"}
    canvas : int
        Side of the canvas in pixels.
    background : {"border", "white", "black"} or int in 0..255
    crop_bottom : int
        Rows cut off at the bottom, in pixels.
    interpolation : {"box", "bilinear", "bicubic", "lanczos"}
    normalization : str
        What is done to pixel values before the network; the backbone decides it, see `Backbone`.
    precision : {"float32", "bfloat16", "float16"}
        Numbers that the network computes with.
    size_features : bool
        Whether the natural logarithms of width, height and area (pixels, after cutting the
        bottom off, before scaling) follow the pooled values.
    depth : {"auto", "8", "10", "12", "14", "16", "float"}
        Bits that samples of more than 8 bits really have, so that one scale holds for all
        pictures; ``float`` stands for 0..1, ``auto`` chooses for each picture, see
        `images.decode_image`.

    Raises
    ------
    InputError
        If a value is not one of those allowed, or not by the backbone if it is known here.

    Notes
    -----
    A single name or number where several may stand counts as one.
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
    depth: str = "auto"

    def __post_init__(self) -> None:
        for name, unify in _UNIFORM.items():  # equal recipes are to have one digest
            object.__setattr__(self, name, unify(getattr(self, name)))
        for name, allowed in _CHOICES.items():
            checks.check_choice(name, getattr(self, name), allowed)
        checks.check_name(self.backbone)
        known = BACKBONES.find(self.backbone)
        checks.check_weights(self.backbone, self.weights, known)
        checks.check_layers(self.layers)
        checks.check_choices("pooling", self.pooling, POOLINGS)
        checks.check_levels(self.spp_levels)
        checks.check_gem_power(self.gem_power)
        checks.check_background(self.background)
        checks.check_whole("crop-bottom", self.crop_bottom, 0)
        checks.check_whole("canvas", self.canvas, 1, MAX_CANVAS)
        checks.check_choice("size-features", self.size_features, (False, True))
        if known:
            check_canvas(known, self.canvas)
            checks.check_choice("normalization", self.normalization, (known.normalization,))
        elif not isinstance(self.normalization, str):
            raise InputError(f"normalization: expected a name, got {self.normalization!r}.")

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
            depth=self.depth,
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
        """Canonical JSON: sorted keys, no spaces, `LATER_FIELDS` only where they are needed."""
        values = {name: value for name, value in asdict(self).items()
                  if LATER_FIELDS.get(name) != value}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            If it is not a recipe, or has fields this version does not know.
        """
        try:
            values = dict(json.loads(text))
            if unknown := set(values) - {f.name for f in fields(cls)}:
                raise InputError(f"recipe: fields {sorted(unknown)} are not known to this version "
                                 "of plankton_features. Update the package.")
            return cls(**values)
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise InputError(f"recipe: expected the JSON of a recipe, got {text[:80]!r}") from error


def check_same_recipe(found: Recipe, asked: Recipe, what: str,
                      names: Collection[str] | None = None) -> None:
    """Refuse to mix recipes.

    Parameters
    ----------
    found, asked : Recipe
    what : str
        Begins the message, such as ``out.h5: made with another recipe``.
    names : collection of str, optional
        Fields to compare, by default all.

    Raises
    ------
    MismatchError
        If they differ; the message shows the fields.
    """
    compared = {n: value for n, value in asdict(asked).items() if names is None or n in names}
    check_same(asdict(found), compared, f"{what}: made with another recipe",
               "Use the same options as before, another file name, or --overwrite.")
