"""Speed of measuring, and errors against closed forms.

    python benchmarks/morphometry.py [--vignettes 1000] [--drawn 40] [--seed 0]

Measures synthetic vignettes of all shapes, of about the size that real ones have (median 55 x 56
px), in one thread, the least time of five for each; then discs and ellipses, turned and shifted at
random, on white, grey and black grounds with noise. Prints vignettes per second, and for each
ground and shape the largest error of each measure in per cent. Exits with 1 if a limit is broken.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from plankton_features.images.synthetic import draw_vignette
from plankton_features.images.synthetic_shapes import FAMILIES
from plankton_features.morphometry import measure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "morphometry"))
from drawing import GROUNDS, SHAPES, Ellipse

LEAST_SPEED = 1500
MOST_ERROR = {"area": 2.0, "ESD": 2.0, "perimeter": 2.0, "sphere": 3.0, "ellipsoid": 3.0}
LONGER_SIDE = (36, 104)


def speeds(n: int, seed: int) -> bool:
    """Print vignettes per second, without and with Feret diameters; whether they are enough."""
    rng = np.random.default_rng(seed)
    families = list(FAMILIES.values())
    pictures = [draw_vignette(families[i % len(families)], 250, LONGER_SIDE, rng)
                for i in range(n)]
    height, width = np.median([pixels.shape for pixels in pictures], axis=0)
    print(f"{n:,} synthetic vignettes, median {height:.0f} x {width:.0f} px, one thread")
    found = []
    for feret in (False, True):
        found.append(n / sum(seconds(pixels, feret) for pixels in pictures))
        print(f"  {'with' if feret else 'without'} Feret diameters: {found[-1]:,.0f} per second")
    return found[0] >= LEAST_SPEED


def seconds(pixels: np.ndarray, feret: bool, times: int = 5) -> float:
    """Least time of several: others may be at work on this machine."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        measure(pixels, pixel_size=10.0, feret=feret)
        found.append(time.perf_counter() - began)
    return min(found)


def errors_of(drawn: Ellipse, pixels: np.ndarray) -> list[float]:
    """Of the measures of `MOST_ERROR`, in per cent."""
    found = measure(pixels)
    esd = 2 * np.sqrt(drawn.a * drawn.b)
    pairs = (("area_px", drawn.area), ("esd_px", esd), ("perimeter_px", drawn.perimeter),
             ("volume_sphere_px", np.pi / 6 * esd**3), ("volume_ellipsoid_px", drawn.spheroid))
    return [100 * abs(found[name] / true - 1) for name, true in pairs]


def errors(n: int, seed: int) -> bool:
    """Print a table of the largest errors; whether they are small enough."""
    rng = np.random.default_rng(seed)
    print(f"\nLargest error of {n} drawings, in per cent\n")
    print(f"{'ground':<20}{'shape':<18}" + "".join(f"{name:>11}" for name in MOST_ERROR))
    good = True
    for ground_name, ground in GROUNDS.items():
        for shape_name, shape in SHAPES.items():
            drawings = [shape.somewhere(rng) for _ in range(n)]
            worst = np.max([errors_of(drawn, ground.picture(drawn.cover(), rng))
                            for drawn in drawings], axis=0)
            good &= bool(np.all(worst < list(MOST_ERROR.values())))
            print(f"{ground_name:<20}{shape_name:<18}" + "".join(f"{e:>11.2f}" for e in worst))
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vignettes", type=int, default=1000, metavar="N")
    parser.add_argument("--drawn", type=int, default=40, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    fast = speeds(args.vignettes, args.seed)
    return 0 if errors(args.drawn, args.seed) and fast else 1


if __name__ == "__main__":
    sys.exit(main())
