"""fit-head against the plain way, and how it grows.

    python benchmarks/fit.py [FEATURES.h5] [--rows N] [--grow N,N,...]

Both ways choose C on the same folds from the same grid, with the same pipeline, and give
out-of-fold probabilities and a final model. The plain way is GridSearchCV over the
imbalanced-learn pipeline in float64, without calibration and intervals. Each runs in a process of
its own. Without a feature file, one is drawn: centres of classes and noise.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

SAMPLER, FLOOR = "smote", 50


def main():
    args = _arguments()
    if args.part:
        return _part(args)
    print(f"{'way':<24}{'rows':>9}{'values':>8}{'classes':>9}{'seconds':>10}{'peak MB':>10}"
          f"{'matrix MB':>11}{'allowed MB':>12}{'macro-F1':>10}")
    pair = {way: _run(args, way, args.rows, args.classes) for way in ("fit-head", "plain")}
    ratio = pair["plain"]["seconds"] / pair["fit-head"]["seconds"]
    gap = pair["fit-head"]["macro_f1"] - pair["plain"]["macro_f1"]
    print(f"fit-head is {ratio:.1f} times as fast; macro-F1 differs by {gap:+.4f}\n")
    args.features = None
    for n in filter(None, args.grow.split(",")):
        _run(args, "fit-head", int(n), args.classes)
    return 0


def _run(args, way, rows, classes):
    command = [sys.executable, __file__, "--part", way, "--rows", str(rows), "--classes",
               str(classes), "--values", str(args.values)]
    command += [args.features] if args.features else []
    with tempfile.TemporaryDirectory() as folder:
        command += ["--folder", folder]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                          text=True).stdout.splitlines()[-1])
    allowed = 1.5 * found["matrix"] + 500
    print(f"{way:<24}{found['rows']:>9,}{found['values']:>8,}{found['classes']:>9,}"
          f"{found['seconds']:>10.1f}{found['peak']:>10,.0f}{found['matrix']:>11,.0f}"
          f"{allowed:>12,.0f}{found['macro_f1']:>10.4f}", flush=True)
    return found


def _part(args):
    from sklearn.metrics import f1_score

    from plankton_features.heads.validation.folds import make_folds

    source, X, labels = _data(args)
    folds = make_folds(labels, seed=0)
    start = time.perf_counter()
    predicted = (_fit_head if args.part == "fit-head" else _plain)(source, X, labels, folds)
    seconds = time.perf_counter() - start
    n, d = source.shape if X is None else X.shape
    print(json.dumps({
        "seconds": seconds, "rows": n, "values": d, "classes": len(set(labels)),
        "matrix": n * d * 4 / 1e6,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0.0))}))
    return 0


def _data(args):
    if args.features:
        from plankton_features import read_features

        file = read_features(args.features)
        y = file.y.astype(str)
        if len(file) <= args.rows:
            return file, None, y
        rows = np.sort(np.random.default_rng(0).permutation(len(file))[:args.rows])
        return None, file.take(rows), y[rows]
    file = _drawn(args)
    return file, None, file.y.astype(str)


def _drawn(args):
    """A feature file of random vectors, written block by block."""
    from plankton_features import read_features
    from plankton_features.store import Block, FeatureStore, Plan

    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, args.classes + 1)
    y = rng.choice(args.classes, args.rows, p=share / share.sum())
    centres = rng.normal(size=(args.classes, args.values)).astype(np.float32) * 0.12
    path = Path(args.folder) / "drawn.h5"
    plan = Plan(args.rows, args.values, 1, {"path": 8, "label": 8})
    header = {"recipe": "{}", "recipe_id": "drawn",
              "feature_blocks": json.dumps([["drawn", args.values]])}
    with FeatureStore(path, plan, header) as store:
        for part in gen_batches(args.rows, plan.block_rows):
            here = np.arange(args.rows)[part]
            X = rng.standard_normal((len(here), args.values), dtype=np.float32)
            X += centres[y[part]]
            store.append(Block(X, {"path": here.astype(str), "label": y[part].astype(str),
                                   "sha256": [f"{i:064x}" for i in here.tolist()],
                                   "position": here}))
        store.finish()
    return read_features(path)


def _fit_head(source, X, labels, folds):
    from plankton_features.heads.fitting import fit_head
    from plankton_features.heads.pipeline import HeadOptions
    from plankton_features.results.scores import summarize_folds

    result = fit_head(source if X is None else X, labels, folds,
                      HeadOptions(sampler=SAMPLER, floor=FLOOR))
    summarize_folds(result.y, result.out_of_fold, folds.units)
    found = result.out_of_fold
    predicted = np.empty(len(labels), object)
    predicted[found.row] = result.classes[found.predicted]
    return predicted.astype(str)


def _plain(source, X, labels, folds):
    from sklearn.model_selection import GridSearchCV

    from plankton_features.heads.classifiers import C_GRID
    from plankton_features.heads.pipeline import head_pipeline

    X = np.asarray(source.X if X is None else X, np.float64)
    y = np.unique(labels, return_inverse=True)[1]
    number = folds.numbers[0]
    predicted = np.empty(len(labels), object)

    def search(rows, inner):
        cv = [(np.flatnonzero(np.isin(rows, np.flatnonzero(~np.isin(number, out)))),
               np.flatnonzero(number[rows] == fold)) for out, fold in inner]
        return GridSearchCV(head_pipeline(sampler=SAMPLER, floor=FLOOR),
                            {"classifier__C": list(C_GRID)}, cv=cv, n_jobs=1,
                            scoring=_log_loss, error_score="raise").fit(X[rows], y[rows])

    for fold in folds.scored:
        rows = np.flatnonzero(number != fold)
        inner = [((fold, other), other) for other in folds.neighbours(fold)]
        left = number == fold
        predicted[left] = np.unique(labels)[search(rows, inner).predict(X[left])]
    search(np.arange(len(y)), [((fold,), fold) for fold in folds.scored])
    return predicted.astype(str)


def _log_loss(model, X, y):
    """Minus the log-loss, with a probability of 0 for classes the model never saw."""
    from plankton_features.assessment.probability_metrics import log_loss
    from plankton_features.heads.predictions import all_class_scores

    return -log_loss(y, all_class_scores(model, X, int(max(y.max(), model.classes_.max())) + 1))


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", nargs="?")
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--classes", type=int, default=30)
    parser.add_argument("--values", type=int, default=1248)
    parser.add_argument("--grow", default="2000,10000,30000,100000")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
