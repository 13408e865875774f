"""Drawn objects, of which size and shape are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ellipe


@dataclass(frozen=True)
class Ellipse:
    """An ellipse somewhere in a picture; half axes in pixels, angle in radians."""

    a: float
    b: float
    angle: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    margin: int = 8
    fineness: int = 8

    @property
    def side(self) -> int:
        return int(2 * self.a) + 2 * self.margin

    def cover(self) -> np.ndarray:
        """Share of each pixel within the ellipse, counted on a finer grid."""
        fine = (np.arange(self.side * self.fineness) + 0.5) / self.fineness - self.side / 2
        y, x = fine[:, None] - self.shift[0], fine[None] - self.shift[1]
        along = x * np.cos(self.angle) + y * np.sin(self.angle)
        across = y * np.cos(self.angle) - x * np.sin(self.angle)
        inside = (along / self.a) ** 2 + (across / self.b) ** 2 <= 1
        return inside.reshape(self.side, self.fineness, self.side, self.fineness).mean((1, 3))

    @property
    def area(self) -> float:
        return np.pi * self.a * self.b

    @property
    def perimeter(self) -> float:
        return 4 * self.a * ellipe(1 - (self.b / self.a) ** 2)

    @property
    def spheroid(self) -> float:
        return 4 / 3 * np.pi * self.a * self.b**2

    def somewhere(self, rng: np.random.Generator) -> Ellipse:
        """The same, turned and shifted by less than a pixel."""
        return replace(self, angle=rng.uniform(0, np.pi), shift=tuple(rng.uniform(-0.5, 0.5, 2)))


@dataclass(frozen=True)
class Ground:
    """What an object is drawn on, how much lighter or darker it is, noise and blur."""

    grey: int
    contrast: float
    noise: float = 0.0
    blur: float = 0.0

    def picture(self, cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        cover = gaussian_filter(cover, self.blur) if self.blur else cover
        values = self.grey + self.contrast * cover + rng.normal(0, self.noise, cover.shape)
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)


GROUNDS = {
    "white": Ground(255, -150),
    "white with noise": Ground(255, -150, noise=4),
    "pale on white": Ground(255, -60, noise=4),
    "dark on grey": Ground(128, -100, noise=4),
    "faint on grey": Ground(128, -40, noise=4),
    "light on grey": Ground(128, 60, noise=3),
    "black": Ground(0, 120),
    "black with noise": Ground(0, 100, noise=6),
    "blurred on grey": Ground(200, -100, noise=3, blur=1.0),
}
SHAPES = {f"ESD {2 * radius} px, {longer}:1": Ellipse(radius * longer**0.5, radius / longer**0.5)
          for radius, longer in ((10, 1), (10, 2), (10, 4), (16, 1.5), (25, 1), (25, 3), (60, 1.3))}
