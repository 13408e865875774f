"""Synthetic vignettes, for tests, documentation and notebooks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from skimage.filters import gaussian

from plankton_features.errors import InputError
from plankton_features.images.synthetic_shapes import FAMILIES, Shape

_DETAIL = 3  # drawn this many times larger, then averaged
_GROUNDS = {"white": 240.0, "grey": 150.0, "black": 14.0}


def make_vignettes(
    folder: str | os.PathLike[str],
    *,
    n_classes: int = 6,
    n_images: int = 120,
    imbalance: float = 10.0,
    ground: Literal["mixed", "white", "grey", "black"] = "mixed",
    groups: int = 4,
    size: tuple[int, int] = (20, 200),
    table: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Write pictures of invented plankton, in one folder per invented taxon.

    Each taxon has its own shape; size, direction, proportions, opacity, texture and noise vary
    from picture to picture and tell nothing about the taxon. The same arguments give the same
    files, byte for byte, under the same version of Pillow.

    Parameters
    ----------
    folder : path-like
        Made if need be. Half of the pictures are PNG, half JPEG; all are 8-bit grey.
    n_classes : int, default=6
        Taxa, 1 to 12.
    n_images : int, default=120
        At least one for each taxon.
    imbalance : float, default=10.0
        Pictures of the commonest taxon for each one of the rarest; those between fall off
        geometrically.
    ground : {"mixed", "white", "grey", "black"}, default="mixed"
        ``mixed`` changes from group to group, as if each had its own instrument.
    groups : int, default=4
        Sampling units; each taxon is spread evenly over them.
    size : tuple of two int, default=(20, 200)
        Least and largest longer side in px.
    table : path-like, optional
        CSV table to write besides, with paths relative to its folder.
    seed : int, default=0

    Returns
    -------
    DataFrame
        One row per picture, with columns ``path`` (relative to `folder`), ``label``, ``group``
        and ``id``.

    Raises
    ------
    InputError
        If there are too few pictures, or an argument is out of range.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = make_vignettes(folder, n_classes=3, n_images=12, imbalance=4)
    >>> made["label"].value_counts().to_dict()
    {'Discoida': 7, 'Ellipsina': 3, 'Catenaria': 2}
    """
    _check(n_classes, n_images, imbalance, ground, groups, size)
    root = Path(folder)
    rows = _rows(long_tail(n_images, n_classes, imbalance), groups)
    grounds = list(_GROUNDS) if ground == "mixed" else [ground]
    for number, row in enumerate(rows.itertuples()):
        rng = np.random.default_rng([seed, number])
        here = grounds[int(str(row.group)[-2:]) % len(grounds)]
        pixels = draw_vignette(FAMILIES[str(row.label)], _GROUNDS[here], size, rng)
        file = root / str(row.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, quality=90)  # PNG passes over the quality
    if table is not None:
        start = Path(table).parent
        paths = [Path(os.path.relpath(root / path, start)).as_posix() for path in rows["path"]]
        rows.assign(path=paths).to_csv(table, index=False)
    return rows


def long_tail(n_images: int, n_classes: int, imbalance: float) -> np.ndarray:
    """Counts that fall off geometrically.

    Parameters
    ----------
    n_images : int
        Sum of the counts, at least `n_classes`.
    n_classes : int
    imbalance : float
        First count over last, as nearly as whole numbers of at least 1 allow.

    Returns
    -------
    ndarray of shape (n_classes,), int
        Largest first.

    Examples
    --------
    >>> long_tail(111, 3, 100)
    array([100,  10,   1])
    """
    weights = imbalance ** -np.linspace(0, 1, n_classes)
    exact = n_images * weights / weights.sum()
    counts = np.maximum(1, exact.astype(int))
    if counts.sum() < n_images:
        spare = n_images - counts.sum()
        counts[np.argsort(counts - exact, kind="stable")[:spare]] += 1
    while counts.sum() > n_images:
        counts[np.argmax(counts)] -= 1
    return np.sort(counts)[::-1]


def draw_vignette(family: Callable[[np.random.Generator], Shape], ground: float,
                  size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw one picture.

    Parameters
    ----------
    family : callable
        One of `FAMILIES`.
    ground : float
        Grey level of the background, 0..255; on a dark one the organism is bright.
    size : tuple of two int
        Least and largest longer side in px.
    rng : Generator

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    longer = round(np.exp(rng.uniform(*np.log(size))))
    opacity = _opacity(_turned(family(rng), rng), longer, rng)
    height, width = opacity.shape
    slope = rng.normal(0, 6, 2)
    light = slope[0] * np.linspace(-1, 1, height)[:, None] + slope[1] * np.linspace(-1, 1, width)
    level = ground + rng.normal(0, 5) + light * (ground > 64)
    organism = 235.0 if ground < 64 else 25.0
    noise = rng.normal(0, rng.uniform(1.5, 6), opacity.shape)
    pixels = level + opacity * (organism - level) + noise
    drawn: np.ndarray = np.rint(pixels.clip(0, 255)).astype(np.uint8)
    return drawn


def _check(n_classes: int, n_images: int, imbalance: float, ground: str, groups: int,
           size: tuple[int, int]) -> None:
    if not 1 <= n_classes <= len(FAMILIES):
        raise InputError(f"n_classes: expected 1 to {len(FAMILIES)}, got {n_classes}.")
    if n_images < n_classes:
        raise InputError(f"n_images: expected at least one for each of {n_classes} classes, "
                         f"got {n_images}.")
    if imbalance < 1:
        raise InputError(f"imbalance: expected 1 or more, got {imbalance}.")
    if ground != "mixed" and ground not in _GROUNDS:
        raise InputError(f"ground: expected mixed, {', '.join(_GROUNDS)}; got {ground!r}.")
    if not 1 <= groups <= 99:
        raise InputError(f"groups: expected 1 to 99, got {groups}.")
    if not 8 <= size[0] <= size[1]:
        raise InputError(f"size: expected two numbers of px from 8 up, the less first; got {size}.")


def _rows(counts: np.ndarray, groups: int) -> pd.DataFrame:
    labels = np.repeat(list(FAMILIES)[: len(counts)], counts)
    number = np.arange(len(labels))
    group = [f"tow_{n % groups + 1:02d}" for n in number]
    name = [f"syn_{n:06d}" for n in number]
    endings = ["png", "jpg"]
    # The ending changes with every round of groups, so that it tells nothing about the group.
    path = [f"{label}/{i}.{endings[n // groups % 2]}"
            for label, i, n in zip(labels, name, number, strict=True)]
    return pd.DataFrame({"path": path, "label": labels, "group": group, "id": name})


def _turned(shape: Shape, rng: np.random.Generator) -> Shape:
    """The shape in any direction, mirrored or not, a little slimmer or wider."""
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = np.diag([rng.choice([-1, 1]), rng.uniform(0.85, 1.15)]) @ turn
    return [(outline @ turn, opacity) for outline, opacity in shape]


def _opacity(shape: Shape, longer: int, rng: np.random.Generator) -> np.ndarray:
    """Opacity 0..1 of a vignette that fits the shape, its longer side in px."""
    points = np.concatenate([outline for outline, _ in shape])
    least, extent = points.min(axis=0), np.ptp(points, axis=0)
    margin = max(1.5, longer * rng.uniform(0.04, 0.12))
    scale = (longer - 2 * margin) / extent.max()
    height, width = np.maximum(8, np.rint(extent * scale + 2 * margin).astype(int)).clip(max=longer)
    canvas = Image.new("F", (int(width) * _DETAIL, int(height) * _DETAIL))
    draw = ImageDraw.Draw(canvas)  # 20 times faster than skimage.draw.polygon
    start = ((height, width) - extent * scale) / 2
    for outline, opacity in shape:
        corners = ((outline - least) * scale + start) * _DETAIL
        draw.polygon(corners[:, ::-1].ravel().tolist(), fill=opacity)
    soft = gaussian(np.asarray(canvas.reduce(_DETAIL)), rng.uniform(0.3, 0.8))
    texture = gaussian(rng.normal(0, 1, soft.shape), rng.uniform(1, 2.5))
    texture = 1 + rng.uniform(0.05, 0.2) * texture / texture.std()
    textured: np.ndarray = (soft * texture * rng.uniform(0.35, 0.95)).clip(0, 1)
    return textured
