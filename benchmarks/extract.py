"""Speed and quality of extraction, side by side in one run.

    python benchmarks/extract.py IMAGES [--weights INCEPTION.h5] [--seconds 8] [--rounds 3]

IMAGES is a folder with one folder per taxon, or a zip of one. Prints, for the notebook's loop
(Keras PyDataset and predict), a bare loop over each engine, and every preset: images per second
(median over rounds in which all take turns), the ratio to the notebook's loop, and what a simple
probe makes of the vectors. Without --weights, InceptionV3 has random weights: its speed is the
same, its quality means nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features import build_catalog, extract, read_features
from plankton_features.embedding import PRESETS, EngineOptions, open_engine
from plankton_features.embedding.keras_setup import import_keras
from plankton_features.embedding.presets import make_recipe
from plankton_features.images.preparing import Preparer

BASELINE = "notebook loop: Keras predict, 2 workers"
FOLDS = 3
Loop = Callable[[int], int]
console = Console(width=150, highlight=False)


def main() -> None:
    """Run the benchmark."""
    args = parse()
    with tempfile.TemporaryDirectory() as folder:
        catalog = build_catalog(unpacked(args.images, Path(folder)))
        loops = {**notebook_loop(args, catalog), **bare_loops(args), **preset_loops(args, catalog)}
        speeds = take_turns(loops, args.rounds, args.seconds, len(catalog))
        console.print(f"{args.rounds} rounds, {args.seconds:.0f} s for each loop, "
                      f"{os.cpu_count()} cores")
        show(speeds, qualities(args, catalog))
        show_overhead(speeds)
        show_preparing(args, catalog.subset(spread(len(catalog), 2000)))


def parse() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("--weights", default="random", help="InceptionV3 weights")
    parser.add_argument("--seconds", type=float, default=8, help="time of a loop in a round")
    parser.add_argument("--quality-images", type=int, default=10**9,
                        help="even sample of the images for the probe (default: all)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-quality", action="store_true")
    return parser.parse_args()


def unpacked(images: Path, folder: Path) -> Path:
    """The folder of images; a zip is unpacked first."""
    if images.is_dir():
        return images
    with zipfile.ZipFile(images) as archive:
        archive.extractall(folder)
    return folder


def spread(n: int, size: int) -> np.ndarray:
    """Evenly spread positions."""
    return np.unique(np.linspace(0, n - 1, min(n, size)).astype(int))


def recipe_of(args: argparse.Namespace, preset: str, **options):
    """A preset's recipe, with the given weights where it uses InceptionV3."""
    if preset == "notebook":
        return make_recipe(preset, weights=args.weights, **options)
    if PRESETS[preset]["backbone"] == "auto":
        options.setdefault("backbone", "efficientnet_lite0")
    return make_recipe(preset, **options)


def notebook_loop(args: argparse.Namespace, whole) -> dict[str, Loop]:
    """What the original notebook did: read, pad or crop, scale, predict."""
    keras = import_keras()
    from skimage.color import gray2rgb
    from skimage.io import imread

    class Vignettes(keras.utils.PyDataset):
        def __init__(self, catalog, **workers):
            super().__init__(**workers)
            self.catalog = catalog

        def __len__(self) -> int:
            return -(-len(self.catalog) // 32)

        def __getitem__(self, index: int) -> np.ndarray:
            positions = range(32 * index, min(32 * index + 32, len(self.catalog)))
            return np.stack([self.load(self.catalog.file(i)) for i in positions])

        def load(self, path: str) -> np.ndarray:
            pixels = imread(path)
            pixels = gray2rgb(pixels) if pixels.ndim == 2 else pixels[..., :3]
            spare = [max(0, 299 - side) for side in pixels.shape[:2]]
            pads = [(s // 2, s - s // 2) for s in spare]
            pixels = np.pad(pixels, (*pads, (0, 0)), constant_values=255)
            top, left = ((side - 299) // 2 for side in pixels.shape[:2])
            return pixels[top : top + 299, left : left + 299] / np.float32(127.5) - 1

    network = keras.applications.InceptionV3(include_top=False, weights=None, pooling="avg",
                                             input_shape=(299, 299, 3))
    if Path(args.weights).is_file():
        network.load_weights(args.weights)

    def loop(n: int) -> int:
        some = whole.subset(spread(len(whole), n))
        return len(network.predict(Vignettes(some, workers=2), verbose=0))

    return {BASELINE: loop}


def bare_loops(args: argparse.Namespace) -> dict[str, Loop]:
    """The engine alone, on the same batch again and again."""
    loops = {}
    for preset in ("notebook", "fast"):
        for engine, precision in (("tensorflow", "float32"), ("openvino", "float32"),
                                  ("openvino", "bfloat16")):
            if preset == "fast" and engine == "tensorflow":
                continue
            recipe, weights, _ = recipe_of(args, preset, precision=precision)
            name = f"bare {engine} loop: {recipe.backbone} {recipe.canvas} px {precision}"
            loops[name] = bare_loop(open_engine(recipe, weights, EngineOptions(engine)),
                                    recipe.canvas)
    return loops


def bare_loop(engine, canvas: int) -> Loop:
    """Keep an engine as busy as extraction does."""
    batch = np.random.default_rng(0).integers(0, 256, (engine.batch, canvas, canvas, 3), np.uint8)

    def loop(n: int) -> int:
        running = []
        calls = -(-n // engine.batch)
        for _ in range(calls):
            if len(running) == engine.depth:
                running.pop(0)()
            running.append(engine.submit(batch))
        for result in running:
            result()
        return calls * engine.batch

    return loop


def preset_loops(args: argparse.Namespace, catalog) -> dict[str, Loop]:
    """Whole extractions: read, frame, compute, write."""
    loops = {}
    for preset in PRESETS:
        for precision in ("float32", "bfloat16") if preset != "notebook" else ("float32",):
            recipe, weights, _ = recipe_of(args, preset, precision=precision)
            loops[f"preset {preset}: {recipe.backbone} {precision}"] = preset_loop(
                catalog, recipe, open_engine(recipe, weights))
    return loops


def preset_loop(whole, recipe, engine) -> Loop:
    """One extraction into a file that is thrown away."""

    def loop(n: int) -> int:
        catalog = whole.subset(spread(len(whole), n))
        with tempfile.TemporaryDirectory() as folder:
            report = extract(catalog, recipe, engine, Path(folder) / "out.h5")
        SHARES[f"{recipe.recipe_id}"] = report.shares
        return report.found

    return loop


SHARES: dict[str, dict[str, float]] = {}


def take_turns(loops: dict[str, Loop], rounds: int, seconds: float,
               most: int) -> dict[str, list[float]]:
    """Images per second of each loop in each round.

    A first call of each warms up and tells how many images take about `seconds`: whole batches of
    every loop, since a last batch that is not full costs as much as a full one.
    """
    sizes = {name: min(most, 64 * max(2, round(seconds * speed_of(loop, 64) / 64)))
             for name, loop in loops.items()}
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for round_number in range(1, rounds + 1):
        for name, loop in loops.items():
            speeds[name].append(speed_of(loop, sizes[name]))
            print(f"round {round_number}: {speeds[name][-1]:8.1f} {name}", file=sys.stderr,
                  flush=True)
    return speeds


def speed_of(loop: Loop, n: int) -> float:
    """Images per second of one call."""
    started = time.perf_counter()
    return loop(n) / (time.perf_counter() - started)


def qualities(args: argparse.Namespace, catalog) -> dict[str, tuple[float, float, float]]:
    """Accuracy, macro-F1 and MCC of the probe on each preset's vectors."""
    if args.no_quality:
        return {}
    catalog = catalog.subset(spread(len(catalog), args.quality_images))
    scores = {}
    for preset in PRESETS:
        for precision in ("float32", "bfloat16") if preset == "fast" else ("float32",):
            recipe, weights, _ = recipe_of(args, preset, precision=precision)
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "out.h5"
                extract(catalog, recipe, open_engine(recipe, weights), out)
                file = read_features(out)
                scores[f"preset {preset}: {recipe.backbone} {precision}"] = probe(file.X, file.y)
            print(f"probe: {preset} {precision}", file=sys.stderr, flush=True)
    return scores


def probe(X: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """The same simple classifier for all: scaler, PCA 256, logistic regression, 3 folds."""
    names, counts = np.unique(y, return_counts=True)
    kept = np.isin(y, names[counts >= FOLDS])
    X, y = X[kept], y[kept]
    model = make_pipeline(StandardScaler(), PCA(256, random_state=0),
                          LogisticRegression(C=0.03, max_iter=500))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    found = cross_val_predict(model, X, y, cv=folds)
    return (accuracy_score(y, found), f1_score(y, found, average="macro"),
            matthews_corrcoef(y, found))


def show(speeds: dict[str, list[float]], scores: dict[str, tuple[float, float, float]]) -> None:
    """Print the table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("images/s", "least - most", "x notebook loop", "accuracy", "macro-F1", "MCC"):
        table.add_column(name, justify="right")
    for name, values in speeds.items():
        middle = statistics.median(values)
        ratio = statistics.median(v / b for v, b in zip(values, speeds[BASELINE], strict=True))
        quality = [f"{v:.3f}" for v in scores.get(name, ())] or ["", "", ""]
        table.add_row(name, f"{middle:.1f}", f"{min(values):.1f} - {max(values):.1f}",
                      f"{ratio:.2f}", *quality)
    console.print(table)


def show_overhead(speeds: dict[str, list[float]]) -> None:
    """What reading, framing and writing cost beside a bare loop over the same network."""
    for preset, network in (("notebook", "inception_v3"), ("fast", "efficientnet_lite0")):
        whole = speeds[f"preset {preset}: {network} float32"]
        bare = next(v for name, v in speeds.items()
                    if name.startswith(f"bare openvino loop: {network}") and "float32" in name)
        shares = [a / b for a, b in zip(whole, bare, strict=True)]
        console.print(f"preset {preset}, float32: {statistics.median(shares):.1%} of the speed of "
                      "the bare OpenVINO loop")


def show_preparing(args: argparse.Namespace, catalog) -> None:
    """What reading and framing alone cost, as a share of the wall time of ``fast``."""
    for precision in ("float32", "bfloat16"):
        recipe, _, _ = recipe_of(args, "fast", precision=precision)
        started = time.perf_counter()
        for _ in Preparer(catalog, recipe.framing_options, threads=1).iterate(range(len(catalog))):
            pass
        alone = len(catalog) / (time.perf_counter() - started)
        shares = SHARES.get(recipe.recipe_id, {})
        waited = shares.get("read", 0) + shares.get("frame", 0)
        console.print(f"fast {precision}: the network waits for reading and framing "
                      f"{waited:.1%} of the wall time; one thread alone reads and frames "
                      f"{alone:,.0f} images/s")


if __name__ == "__main__":
    main()
