"""Fine-tuning: against frozen features, frozen layers computed once, kills.

    python benchmarks/fine_tune.py budget IMAGES [--minutes 40] [-- OPTIONS OF FINE-TUNE]
    python benchmarks/fine_tune.py frozen IMAGES [--weights FILE] [--rows 2000]
    python benchmarks/fine_tune.py kills IMAGES [--kills 10] [--rows 400] [--seed 0]

IMAGES is a folder with one folder for each taxon. Every run is the real command in a process of its
own; figures are read from the files that it writes.
"""

import argparse
import csv
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd

PROGRAM = [sys.executable, "-m", "plankton_features"]
SPLIT = ["--test-size", "20", "--validation-size", "5"]


def main():
    args = _arguments()
    folder = Path(args.keep or tempfile.mkdtemp(prefix="fine-tune-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return {"budget": _budget, "frozen": _frozen, "kills": _kills}[args.part](args, folder)
    finally:
        if not args.keep:
            shutil.rmtree(folder)


def _budget(args, folder):
    """Frozen features and the trained network, on the same test rows."""
    fast = folder / "fast.h5"
    runs = {
        "frozen fast + fit-head": [
            ["extract", args.images, fast, "--preset", "fast"],
            ["fit", fast, "--sampler", "smote", *SPLIT, "-o", folder / "frozen", "--overwrite"]],
        f"fine-tuned, {args.minutes:g} minutes": [
            ["fine-tune", args.images, folder / "tuned.keras", "--backbone", "efficientnet_lite0",
             "--canvas", "128", "--unfreeze", "all", "--minutes", str(args.minutes), *SPLIT,
             "--overwrite", *args.more]]}
    print(f"{'way':<28}{'seconds':>9}{'accuracy':>10}{'macro-F1':>10}{'95 %':>16}{'MCC':>8}"
          f"{'ECE':>7}{'test rows':>11}")
    for (name, commands), stem in zip(runs.items(), ("frozen", "tuned"), strict=True):
        started = time.perf_counter()
        for command in commands:
            print("$ plankton-features", *map(str, command), file=sys.stderr)
            _run(command)
        told = json.loads((folder / f"{stem}.results.json").read_text(encoding="utf-8"))
        scores = {k: v["estimate"] for k, v in told["scores"].items()}
        f1 = told["scores"]["macro_f1"]
        print(f"{name:<28}{time.perf_counter() - started:>9,.0f}{scores['accuracy']:>10.3f}"
              f"{scores['macro_f1']:>10.3f}{f1['low']:>9.3f}-{f1['high']:.3f} "
              f"{scores['mcc']:>8.3f}{scores['ece']:>7.3f}"
              f"{sum(row['support'] for row in told['per_class']):>11,}", flush=True)
    same = [set(pd.read_csv(folder / f"{stem}.predictions.csv")["path"])
            for stem in ("frozen", "tuned")]
    print(f"test rows are the same: {same[0] == same[1]}")
    return 0 if same[0] == same[1] else 1


def _frozen(args, folder):
    """One epoch of InceptionV3's top two blocks; the rest in every step, or computed once."""
    table = _some(args.images, args.rows, folder)
    common = ["fine-tune", table, "--backbone", "inception_v3", "--augment", "none",
              "--epochs", "1", "--head-epochs", "3", "--schedule", "constant", "--dropout", "0",
              "--canvas", str(args.canvas), "--weights", args.weights or "imagenet"]
    print(f"{'frozen layers':<22}{'validation loss':>16}{'images/s in training':>22}"
          f"{'seconds of all':>16}")
    losses = []
    for name, more in (("run in every step", []), ("computed once", ["--cache-frozen"])):
        model = folder / f"{name.split()[0]}.keras"
        started = time.perf_counter()
        _run([*common[:2], model, *common[2:], *more, "--overwrite"])
        last = _log(model)[-1]
        losses.append(float(last["validation_loss"]))
        print(f"{name:<22}{losses[-1]:>16.4f}{float(last['images_per_second']):>22,.1f}"
              f"{time.perf_counter() - started:>16,.0f}", flush=True)
    gap = abs(losses[1] / losses[0] - 1)
    print(f"validation losses differ by {100 * gap:.2f} %")
    return 0 if gap < 0.02 else 1


def _kills(args, folder):
    """Kill at random times and go on; compare with an undisturbed run."""
    table = _some(args.images, args.rows, folder)
    whole, broken = folder / "whole.keras", folder / "broken.keras"
    options = ["--backbone", "efficientnet_lite0", "--canvas", "64", "--epochs", "16",
               "--head-epochs", "4", "--patience", "99", *args.more]
    _run(["fine-tune", table, whole, *options, "--overwrite"])
    second = float(np.median([float(row["seconds"]) for row in _log(whole)]))
    draw, kills, lives = random.Random(args.seed), 0, 0
    while not broken.exists():
        lives += 1
        more = ["--resume"] if kills else ["--overwrite"]
        process = subprocess.Popen(
            [*PROGRAM, *map(str, ["fine-tune", table, broken, *options, *more])],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kills == args.kills or _killed(process, broken, draw.uniform(0, second)):
            kills += kills < args.kills
            print(f"life {lives}: {len(_log(broken))} epochs done", flush=True)
        if process.wait() > 0:
            return 1
    pairs = zip(_arrays(whole), _arrays(broken), strict=True)
    gaps = [float(np.abs(a - b).max()) for a, b in pairs]
    print(f"{kills} kills in {lives} lives; arrays equal to the bit: "
          f"{sum(gap == 0 for gap in gaps)} of {len(gaps)}; largest difference {max(gaps):.2g}")
    return 0 if max(gaps) == 0 else 1


def _killed(process, model, seconds):
    """Kill this long after the next epoch; False if training ends before."""
    done = len(_log(model))
    while process.poll() is None:
        if len(_log(model)) > done:
            time.sleep(seconds)
            process.kill()
            return process.wait() < 0
        time.sleep(0.02)
    return False


def _some(images, rows, folder):
    """A table of some of the images, classes kept in proportion."""
    from plankton_features.images import build_catalog

    catalog = build_catalog(Path(images))
    chosen = np.linspace(0, len(catalog) - 1, min(rows, len(catalog))).astype(int)
    path = folder / "some.csv"
    pd.DataFrame({"path": [str(Path(catalog.file(i)).resolve()) for i in chosen],
                  "label": [catalog.label[i] for i in chosen]}).to_csv(path, index=False)
    return path


def _arrays(model):
    import h5py

    with ZipFile(model) as archive, archive.open("model.weights.h5") as file, \
            h5py.File(file) as weights:
        found = []
        weights.visititems(lambda _, item: found.append(item[()])
                           if isinstance(item, h5py.Dataset) else None)
        return [array.astype(np.float64) for array in found]


def _log(model):
    log = model.with_suffix(".log.csv")
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return list(csv.DictReader(text.splitlines()))


def _run(command):
    subprocess.run([*PROGRAM, *map(str, command)], check=True, stdout=sys.stderr)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("budget", "frozen", "kills"))
    parser.add_argument("images")
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--weights")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--canvas", type=int, default=203)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", metavar="FOLDER", help="keep all files there")
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    args = parser.parse_args(given[:end])
    args.more = given[end + 1:]  # options of fine-tune
    args.rows = args.rows or {"frozen": 2000}.get(args.part, 400)
    return args


if __name__ == "__main__":
    sys.exit(main())
