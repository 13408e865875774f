"""Kill extraction at random moments, resume it, and compare with an undisturbed run.

    python benchmarks/kills.py [--kills 100] [--images 800] [--seed 0]

Runs the real command line on pictures written for it, among them broken files and copies, and
sends SIGKILL: half of the kills come at moments spread over the whole life of the process, half
a moment after the file's structure began to change, which is when a file is most easily damaged.
One file may be killed several times before it may end. Then every dataset and attribute must be
that of the undisturbed file. Exits with 1 if one is not.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

#: Long vectors make many small blocks; small batches make many batches.
OPTIONS = ("--backbone", "pixels", "--canvas", "32", "--batch", "8", "--pooling", "avg,spp",
           "--spp-levels", "4,8", "--views", "none", "--quiet")
MOST_KILLS_IN_ONE_LIFE = 4


def main() -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), args.kills, args.images, args.seed)
    print(f"{args.images} images, {result.seconds:.1f} s undisturbed")
    print(f"{'killed while there was':<44}{'kills':>6}")
    for state, n in sorted(result.states.items()):
        print(f"{state:<44}{n:>6}")
    print(f"{result.kills} kills in {result.lives} lives: {result.same} of {result.lives} files "
          "are those of the undisturbed run")
    return 0 if result.same == result.lives else 1


class Result:
    """What came of all lives.

    Attributes
    ----------
    seconds : float
        Length of the undisturbed run.
    kills, lives, same : int
        Processes killed; files begun; files equal to the undisturbed one.
    states : Counter of str
        Kills by what was on the disk.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.kills = self.lives = self.same = 0
        self.states: Counter[str] = Counter()


def run(folder: Path, kills: int, n_images: int, seed: int) -> Result:
    """Kill `kills` processes over as many files as it takes."""
    chance = random.Random(seed)
    images, good = write_images(folder / "images", n_images, seed), folder / "good.h5"
    result = Result()
    started = time.perf_counter()
    finish(images, good)
    result.seconds = time.perf_counter() - started
    expected = contents(good)
    while result.kills < kills:
        output = folder / "killed.h5"
        for _ in range(min(chance.randint(1, MOST_KILLS_IN_ONE_LIFE), kills - result.kills)):
            if state := kill(images, output, chance, result.seconds):
                result.kills += 1
                result.states[state] += 1
        finish(images, output)
        result.lives += 1
        left = {path.name for path in folder.glob("killed.h5*")} - {"killed.h5.lock"}
        result.same += contents(output) == expected and left == {"killed.h5"}
        for path in folder.glob("killed.h5*"):
            path.unlink()
    return result


def command(images: Path, output: Path) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "plankton_features.cli.main", "extract", str(images),
            str(output), *OPTIONS]


def finish(images: Path, output: Path) -> None:
    """Run to the end."""
    subprocess.run(command(images, output), check=True, stdout=subprocess.DEVNULL)


def kill(images: Path, output: Path, chance: random.Random, seconds: float) -> str:
    """Run and kill; what was on the disk, or empty if the process ended before."""
    process = subprocess.Popen(command(images, output), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0, 1.1 * seconds))
    else:
        wait_for_change(process, output, chance)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    return "" if ended else state_of(output)


def wait_for_change(process: subprocess.Popen, output: Path, chance: random.Random) -> None:
    """Wait until one of the changes of structure has begun, and a little longer."""
    undo = output.with_name(output.name + ".partial.undo")
    for _ in range(chance.randint(1, 8)):
        while process.poll() is None and undo.exists():
            pass
        while process.poll() is None and not undo.exists():
            pass
    time.sleep(chance.choice([0, 0, chance.uniform(0, 0.01)]))


def state_of(output: Path) -> str:
    """Which files a kill left."""
    partial = output.with_name(output.name + ".partial")
    if output.exists():
        return "a finished file"
    if partial.with_name(partial.name + ".undo").exists():
        return "an unfinished file, its structure changing"
    return "an unfinished file" if partial.exists() else "nothing yet"


def contents(path: Path) -> dict[str, object]:
    """Every attribute and every dataset: type, shape and bytes."""
    found: dict[str, object] = {}
    with h5py.File(path) as file:
        found.update((f"attribute {name}", str(value)) for name, value in file.attrs.items())
        file.visititems(lambda name, item: found.__setitem__(name, (
            (str(item.dtype), item.shape, item[()].tobytes())
            if isinstance(item, h5py.Dataset) else sorted(item))))
    return found


def write_images(root: Path, n: int, seed: int) -> Path:
    """Pictures in five folders; one in thirteen is broken, one in nine a copy."""
    rng = np.random.default_rng(seed)
    paths = [root / f"taxon {i % 5}" / f"{i:05}.png" for i in range(n)]
    for i, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if i % 13 == 6:
            path.write_bytes(b"broken %d" % i)
        elif i % 9 == 7:
            path.write_bytes(paths[i - 1].read_bytes())
        else:
            size = rng.integers(16, 40, 2)
            Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(path, compress_level=1)
    return root


if __name__ == "__main__":
    sys.exit(main())
