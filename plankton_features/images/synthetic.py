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

Shape = list[tuple[np.ndarray, float]]
"""Outlines (n, 2) in any unit, and the opacity of each; later ones are drawn over earlier ones."""

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
    return np.rint(pixels.clip(0, 255)).astype(np.uint8)


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
    return (soft * texture * rng.uniform(0.35, 0.95)).clip(0, 1)


def _ellipse(centre: tuple[float, float], radii: tuple[float, float], angle: float = 0,
             roughness: float = 0.0, rng: np.random.Generator | None = None) -> np.ndarray:
    """Outline of an ellipse, wavy if it is rough."""
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = np.ones_like(turn)
    if rng is not None:
        for wave in range(2, 8):
            radius += roughness / wave * rng.normal() * np.cos(wave * turn + rng.uniform(0, 6.3))
    y, x = radii[0] * radius * np.sin(turn), radii[1] * radius * np.cos(turn)
    return np.column_stack([centre[0] + y * np.cos(angle) - x * np.sin(angle),
                            centre[1] + y * np.sin(angle) + x * np.cos(angle)])


def _stroke(path: np.ndarray, first: float, last: float) -> np.ndarray:
    """Outline of a line along (n, 2) points, `first` wide at its start and `last` at its end."""
    along = np.gradient(path, axis=0)
    across = np.column_stack([-along[:, 1], along[:, 0]])
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    across *= np.linspace(first, last, len(path))[:, None] / 2
    return np.concatenate([path + across, (path - across)[::-1]])


def _curve(start: tuple[float, float], angle: float, length: float, bend: float) -> np.ndarray:
    """Points of a curve that turns by `bend` radians on its way."""
    heading = angle + bend * np.linspace(0, 1, 24)
    steps = length / 24 * np.column_stack([np.sin(heading), np.cos(heading)])
    return np.array(start) + np.cumsum(steps, axis=0)


def _disc(rng: np.random.Generator) -> Shape:
    radius = rng.uniform(0.95, 1.0)
    ring = rng.uniform(0.7, 0.85)
    return [(_ellipse((0, 0), (radius, 1), 0, 0.02, rng), 0.8),
            (_ellipse((0, 0), (radius * ring, ring)), 0.45),
            (_ellipse((0, 0), (0.25, 0.25), 0, 0.2, rng), 0.75)]


def _spindle(rng: np.random.Generator) -> Shape:
    slim = rng.uniform(0.3, 0.45)
    return [(_ellipse((0, 0), (slim, 1), 0, 0.06, rng), 0.7),
            (_ellipse((0, rng.uniform(-0.3, 0.3)), (slim * 0.5, 0.35), 0, 0.1, rng), 0.95)]


def _chain(rng: np.random.Generator) -> Shape:
    cells = rng.integers(5, 11)
    path = _curve((0, 0), 0, 2.0 * cells / 8, rng.uniform(-1.0, 1.0))
    middles = path[np.linspace(0, len(path) - 1, cells).astype(int)]
    return [(_stroke(path, 0.05, 0.05), 0.5),
            *((_ellipse((y, x), (0.13, 0.11), 0, 0.08, rng), rng.uniform(0.6, 0.9))
              for y, x in middles)]


def _copepod(rng: np.random.Generator) -> Shape:
    slim = rng.uniform(0.26, 0.36)
    spread, bend = rng.uniform(1.2, 1.5), rng.uniform(0.2, 0.9)
    antennae = [_curve((side * 0.1, 0.55), side * spread, rng.uniform(0.9, 1.1), side * bend)
                for side in (-1, 1)]
    tail = _stroke(_curve((0, -0.55), np.pi, 0.55, rng.uniform(-0.4, 0.4)), 0.16, 0.06)
    return [*((_stroke(a, 0.06, 0.02), 0.6) for a in antennae), (tail, 0.65),
            (_ellipse((0, 0), (slim, 0.68), 0, 0.05, rng), 0.8),
            (_ellipse((0, -0.1), (slim * 0.5, 0.35), 0, 0.2, rng), 0.98)]


def _star(rng: np.random.Generator) -> Shape:
    n = rng.integers(9, 16)
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False) + rng.uniform(-0.15, 0.15, n)
    spines = [_curve((0, 0), a, rng.uniform(0.75, 1.0), rng.uniform(-0.15, 0.15)) for a in angles]
    return [*((_stroke(s, 0.1, 0.02), 0.55) for s in spines),
            (_ellipse((0, 0), (0.38, 0.38), 0, 0.1, rng), 0.9)]


def _spiral(rng: np.random.Generator) -> Shape:
    turn = np.linspace(0, rng.uniform(1.8, 2.6) * 2 * np.pi, 120)
    radius = 0.12 + 0.88 * turn / turn[-1]
    path = np.column_stack([radius * np.sin(turn), radius * np.cos(turn)])
    return [(_stroke(path, 0.1, 0.26), 0.75)]


def _medusa(rng: np.random.Generator) -> Shape:
    bell = _ellipse((0, 0), (0.75, 0.8), 0, 0.04, rng)
    bell[:, 1] = np.maximum(bell[:, 1], -0.1)
    n = rng.integers(6, 11)
    arms = [_curve((y, -0.05), np.pi + rng.normal(0, 0.15), rng.uniform(0.6, 1.2),
                   rng.uniform(-0.8, 0.8)) for y in np.linspace(-0.6, 0.6, n)]
    return [*((_stroke(a, 0.05, 0.02), 0.45) for a in arms), (bell, 0.4),
            (_ellipse((0, 0.3), (0.12, 0.3)), 0.7), (_ellipse((0, 0), (0.68, 0.06)), 0.7)]


def _tadpole(rng: np.random.Generator) -> Shape:
    bend = rng.choice([-1, 1]) * rng.uniform(1.0, 2.4)
    tail = _curve((0, 0.1), rng.uniform(-0.3, 0.3), 1.7, bend)
    return [(_stroke(tail, 0.24, 0.05), 0.45), (_stroke(tail, 0.07, 0.03), 0.7),
            (_ellipse((0, 0), (0.24, 0.33), 0, 0.08, rng), 0.9)]


def _fibre(rng: np.random.Generator) -> Shape:
    parts = [_curve((0, 0), 0, 1.0, rng.uniform(-1.8, 1.8))]
    heading = parts[0][-1] - parts[0][-2]
    parts.append(_curve(tuple(parts[0][-1]), np.arctan2(*heading), 1.0, rng.uniform(-1.8, 1.8)))
    width = rng.uniform(0.03, 0.06)
    return [(_stroke(np.concatenate(parts), width, width), 0.85)]


def _aggregate(rng: np.random.Generator) -> Shape:
    return [(_ellipse(tuple(rng.normal(0, 0.38, 2)), tuple(rng.uniform(0.08, 0.35, 2)),
                      rng.uniform(0, 3.2), 0.35, rng), rng.uniform(0.2, 0.8))
            for _ in range(rng.integers(14, 26))]


def _arrow_worm(rng: np.random.Generator) -> Shape:
    body = _curve((0, 0), 0, 2.0, rng.uniform(-0.5, 0.5))
    fins = [(_ellipse(tuple(body[i]), (0.17, 0.22)), 0.3) for i in (8, 15)]
    return [*fins, (_stroke(body, 0.15, 0.1), 0.6), (_ellipse(tuple(body[0]), (0.1, 0.13)), 0.9)]


def _comb(rng: np.random.Generator) -> Shape:
    outline = _ellipse((0, 0), (0.7, 1.0), 0, 0.03, rng)
    rows = [_ellipse((y, 0), (0.045, 0.85 * np.sqrt(1 - (y / 0.7) ** 2)))
            for y in np.linspace(-0.5, 0.5, rng.integers(4, 7))]
    return [(outline, 0.3), *((row, 0.8) for row in rows)]


FAMILIES: dict[str, Callable[[np.random.Generator], Shape]] = {
    "Discoida": _disc,
    "Ellipsina": _spindle,
    "Catenaria": _chain,
    "Antennata": _copepod,
    "Stellaria": _star,
    "Helicina": _spiral,
    "Campanula": _medusa,
    "Caudata": _tadpole,
    "Fibrosa": _fibre,
    "Nubecula": _aggregate,
    "Sagittina": _arrow_worm,
    "Pectinata": _comb,
}
"""Invented taxa and the functions that give their shapes."""
