"""Stop each command at random moments, run it again, and compare with an undisturbed run.

    python benchmarks/kills.py [COMMAND ...] [--kills 200] [--images 800] [--seed 0]

COMMAND is extract, update, merge, classify, fit or fine-tune; all by default. Runs the real
command line on pictures written for it, among them broken files and copies, and sends SIGINT,
SIGTERM or SIGKILL: half of them at moments spread over the whole life of the process, half a moment
after files in the folder began to change, which is when they are most easily damaged. One folder
may be hit several times before the command may end. Then every file must be that of the undisturbed
run, and no other be there. Exits with 1 if one is not.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

import h5py
import numpy as np
from PIL import Image

#: Long vectors make many small blocks; small batches make many batches.
RECIPE = ("--backbone", "pixels", "--canvas", "32", "--batch", "8", "--pooling", "avg,spp",
          "--spp-levels", "4,8", "--views", "none", "--quiet")
TRAINING = ("--backbone", "efficientnet_lite0", "--canvas", "32", "--epochs", "3", "--head-epochs",
            "3", "--batch", "16", "--quiet")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
MOST_KILLS_IN_ONE_LIFE = 6
#: What differs between equal runs.
TIMES = ("created", "seconds", "command", "head_id", "images_per_second", "waiting")


@dataclass(frozen=True)
class Job:
    """A command, and what must lie in its folder before.

    Attributes
    ----------
    arguments : tuple of str
        ``{inputs}`` stands for the folder of inputs, ``{here}`` for that of outputs.
    before : tuple of str
        Names of inputs that are copied to the outputs first.
    """

    arguments: tuple[str, ...]
    before: tuple[str, ...] = ()

    def command(self, inputs: Path, here: Path) -> list[str]:
        """The command line."""
        return program(*(a.format(inputs=inputs, here=here) for a in self.arguments))


JOBS = {
    "extract": Job(("extract", "{inputs}/images", "{here}/out.h5", *RECIPE)),
    "update": Job(("extract", "{inputs}/more", "{here}/a.h5", "--update", *RECIPE), ("a.h5",)),
    "merge": Job(("merge", "{inputs}/a.h5", "{inputs}/b.h5", "-o", "{here}/out.h5", "--prefix")),
    "classify": Job(("classify", "{inputs}/a.head", "{inputs}/more", "-o", "{here}/out.csv",
                     "--quiet")),
    "fit": Job(("fit", "{inputs}/a.h5", "-o", "{here}/out", "--folds", "3", "--sampler",
                "random-over", "--floor", "40", "--pca", "32", "--quiet")),
    "fine-tune": Job(("fine-tune", "{inputs}/few", "{here}/out.keras", *TRAINING)),
}


@dataclass
class Result:
    """What came of all lives of a command."""

    seconds: float = float("nan")
    signals: Counter[int] = field(default_factory=Counter)
    lives: int = 0
    same: int = 0
    notes: list[str] = field(default_factory=list)


def main() -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(JOBS))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children inherit what is ignored
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_inputs(Path(folder) / "inputs", args.images, args.seed)
        print(f"{'command':<12}{'seconds':>9}{'INT':>6}{'TERM':>6}{'KILL':>6}{'lives':>7}{'same':>6}")
        results = {name: Result() for name in args.commands or JOBS}
        for name, result in results.items():
            try:
                run(JOBS[name], inputs, Path(folder) / "here", args.kills, args.seed, result)
            except KeyboardInterrupt:  # what was done until then counts
                show(name, result)
                return 1
            show(name, result)
    return 0 if all(r.same == r.lives for r in results.values()) else 1


def show(name: str, result: Result) -> None:
    """Print a row."""
    counts = "".join(f"{result.signals[s]:>6}" for s in SIGNALS)
    print(f"{name:<12}{result.seconds:>9.1f}{counts}{result.lives:>7}{result.same:>6}", flush=True)
    for note in result.notes[:10]:
        print(f"    {note}", flush=True)


def run(job: Job, inputs: Path, here: Path, kills: int, seed: int, result: Result) -> None:
    """Hit a command as often as asked, over as many folders as it takes; counted in `result`."""
    chance = random.Random(seed)
    fresh(here, inputs, job)
    started = time.perf_counter()
    subprocess.run(job.command(inputs, here), check=True, stdout=subprocess.DEVNULL)
    result.seconds = time.perf_counter() - started
    expected = contents(here)
    while result.signals.total() < kills:
        fresh(here, inputs, job)
        for _ in range(min(chance.randint(1, MOST_KILLS_IN_ONE_LIFE),
                           kills - result.signals.total())):
            how = chance.choice(SIGNALS)
            result.signals[how] += hit(job.command(inputs, here), here, how, chance, result.seconds)
        end = subprocess.run(job.command(inputs, here), capture_output=True, text=True, check=False)
        result.lives += 1
        if difference := differences(expected, contents(here)):
            result.notes.append(f"life {result.lives}: {difference}; the command said: "
                                f"{' '.join(end.stderr.split())[-300:]}")
        result.same += not difference


def hit(command: list[str], here: Path, how: int, chance: random.Random, seconds: float) -> bool:
    """Run and stop; whether the process was still running."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0, 1.1 * seconds))
    else:
        wait_for_change(process, here, chance)
    running = process.poll() is None
    process.send_signal(how)
    process.wait()
    return running


def wait_for_change(process: subprocess.Popen, here: Path, chance: random.Random) -> None:
    """Wait for some changes of the files' names, and a little longer."""
    for _ in range(chance.randint(1, 12)):
        before = sorted(path.name for path in here.iterdir())
        while process.poll() is None and sorted(path.name for path in here.iterdir()) == before:
            time.sleep(0.0002)
    time.sleep(chance.choice([0, 0, chance.uniform(0, 0.01)]))


def fresh(here: Path, inputs: Path, job: Job) -> None:
    """An empty folder but for what must be there."""
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    for name in job.before:
        shutil.copy2(inputs / name, here / name)


def differences(expected: dict[str, object], found: dict[str, object]) -> str:
    """Names of files that differ, are missing, or are too many."""
    names = sorted(expected.keys() | found.keys())
    state = {(True, False): "missing", (False, True): "left over", (True, True): "differs"}
    return ", ".join(f"{name} {state[name in expected, name in found]}"
                     for name in names if expected.get(name) != found.get(name))


def contents(folder: Path) -> dict[str, object]:
    """What every file says, but for times; locks, which block nobody, left out."""
    readers: dict[str, Callable[[Path], object]] = {
        ".h5": hdf5, ".head": head, ".keras": network, ".json": told, ".csv": rows,
        ".html": lambda path: path.stat().st_size > 10_000, ".v2": lambda _: "events"}
    return {"events" if path.suffix == ".v2" else str(path.relative_to(folder)):
            readers.get(path.suffix, Path.read_bytes)(path)
            for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock"}


def hdf5(path: Path) -> dict[str, object]:
    """Every attribute and every dataset: type, shape and bytes."""
    found: dict[str, object] = {}
    with h5py.File(path) as file:
        found.update((f"attribute {name}", str(value)) for name, value in file.attrs.items())
        file.visititems(lambda name, item: found.__setitem__(name, (
            (str(item.dtype), item.shape, item[()].tobytes())
            if isinstance(item, h5py.Dataset) else sorted(item))))
    return found


def head(path: Path | io.BytesIO) -> tuple[object, bytes]:
    """The description but for times, and the pipeline."""
    with ZipFile(path) as archive:
        return without_times(json.loads(archive.read("head.json"))), archive.read("pipeline.skops")


def network(path: Path) -> object:
    """The arrays and the head."""
    with ZipFile(path) as archive:
        weights = hdf5(io.BytesIO(archive.read("model.weights.h5")))  # type: ignore[arg-type]
        return weights, head(io.BytesIO(archive.read("plankton_features/head")))


def told(path: Path) -> object:
    """JSON but for times."""
    return without_times(json.loads(path.read_text(encoding="utf-8")))


def rows(path: Path) -> object:
    """A table but for times."""
    with path.open(encoding="utf-8", newline="") as file:
        return [without_times(row) for row in csv.DictReader(file)]


def without_times(value: object) -> object:
    """Without what differs between equal runs, in every depth."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def write_inputs(root: Path, n: int, seed: int) -> Path:
    """Folders of pictures, two feature files of them, and a head."""
    write_images(root / "images", n, seed)
    write_images(root / "more", n + n // 4, seed)  # begins with the same pictures
    write_images(root / "few", min(n, 60), seed, broken=False)
    write_images(root / "others", n, seed + 1)
    for images, name in (("images", "a"), ("others", "b")):
        finish("extract", root / images, root / f"{name}.h5", *RECIPE)
    finish("fit", root / "a.h5", "--folds", "3", "--quiet")
    return root


def program(*arguments: object) -> list[str]:
    """A command line of this package."""
    return [sys.executable, "-m", "plankton_features", *map(str, arguments)]


def finish(*arguments: object) -> None:
    """Run to the end."""
    subprocess.run(program(*arguments), check=True, stdout=subprocess.DEVNULL)


def write_images(root: Path, n: int, seed: int, broken: bool = True) -> None:
    """Pictures in five folders; one in thirteen is broken, one in nine a copy."""
    rng = np.random.default_rng(seed)
    paths = [root / f"taxon {i % 5}" / f"{i:05}.png" for i in range(n)]
    for i, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if broken and i % 13 == 6:
            path.write_bytes(b"broken %d" % i)
        elif broken and i % 9 == 7:
            path.write_bytes(paths[i - 1].read_bytes())
        else:
            size = rng.integers(16, 40, 2)
            Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(path, compress_level=1)


if __name__ == "__main__":
    sys.exit(main())
