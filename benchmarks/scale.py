"""Memory and speed of extraction as the number of images grows.

    python benchmarks/scale.py [--images 20000 200000] [--readers 2]

Writes tiny pictures (20 to 40 px, each different), runs the real command line with the backbone
``pixels``, which costs next to nothing, so that reading, framing and writing are what is
measured. Prints the peak resident size of the process, images per second, and how long the same
command takes when there is nothing left to do. Exits with 1 if a limit is broken.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MOST_GROWTH_MB, LEAST_SPEED, MOST_SECONDS_AGAIN = 100, 3000, 20
FOLDERS = 50


@dataclass
class Measured:
    """One size.

    Attributes
    ----------
    images : int
    peak_mb : float
        Peak resident size of the process.
    seconds, again : float
        Wall time of the run, start of the process included, and of a second one.
    """

    images: int
    peak_mb: float
    seconds: float
    again: float


def main() -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--readers", type=int, default=2)
    args = parser.parse_args()
    options = ["--readers", str(args.readers)]
    with tempfile.TemporaryDirectory() as folder:
        sizes = [measure(Path(folder) / str(n), n, options) for n in args.images]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'images':>9}{'peak MB':>10}{'seconds':>10}{'images/s':>10}{'again s':>10}")
    for m in sizes:
        print(f"{m.images:>9,}{m.peak_mb:>10.0f}{m.seconds:>10.1f}"
              f"{m.images / m.seconds:>10,.0f}{m.again:>10.1f}")
    growth, last = sizes[-1].peak_mb - sizes[0].peak_mb, sizes[-1]
    print(f"growth {growth:.0f} MB (most {MOST_GROWTH_MB}), least {LEAST_SPEED} images/s, "
          f"again within {MOST_SECONDS_AGAIN} s")
    good = (growth < MOST_GROWTH_MB and last.images / last.seconds >= LEAST_SPEED
            and last.again < MOST_SECONDS_AGAIN)
    return 0 if good else 1


def measure(folder: Path, n: int, options: list[str]) -> Measured:
    """Write `n` pictures, extract, extract again."""
    write_images(folder / "images", n)
    command = [sys.executable, "-m", "plankton_features", "extract",
               str(folder / "images"), str(folder / "out.h5"), "--backbone", "pixels",
               "--canvas", "32", "--quiet", *options]
    seconds, peak = timed(command)
    again, _ = timed(command)
    return Measured(n, peak, seconds, again)


def timed(command: list[str]) -> tuple[float, float]:
    """Wall time in seconds and peak resident size in MB of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - started, usage.ru_maxrss * scale / 1e6


def write_images(root: Path, n: int) -> None:
    """Grey PNG files of 20 to 40 px: a bright ground, a dark blob, and a number in the corner."""
    rng = np.random.default_rng(0)
    blobs = [blob(*rng.integers(20, 41, 2), rng) for _ in range(64)]
    for f in range(FOLDERS):
        (root / f"taxon {f:02}").mkdir(parents=True)
    for i in range(n):
        pixels = blobs[i % len(blobs)]
        pixels[0, :4] = np.frombuffer(struct.pack("<I", i), np.uint8)
        (root / f"taxon {i % FOLDERS:02}" / f"{i:07}.png").write_bytes(png(pixels))


def blob(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A dark ellipse with noise on white."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    noise = rng.integers(0, 90, (height, width))
    return np.where(x**2 + y**2 < 0.6, 60 + noise, 250).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """Encode grey pixels, in a tenth of the time that a library takes."""
    height, width = pixels.shape
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = pixels
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines.tobytes(), 1)) + chunk(b"IEND", b""))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    sys.exit(main())
