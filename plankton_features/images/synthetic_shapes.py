"""Shapes of invented plankton."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Shape = list[tuple[np.ndarray, float]]
"""Outlines (n, 2) in any unit, and the opacity of each; later ones are drawn over earlier ones."""


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
