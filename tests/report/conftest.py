import json
import shutil
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features.assessment import baselines, metrics, probability_metrics
from plankton_features.assessment.calibration import reliability
from plankton_features.assessment.calibration.confidence import apply_temperature, verdict
from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.probability_metrics import row_scores

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--remote-debugging-port=0", "--window-size=1440,900")
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "ArrowRight": (39, ""), "ArrowDown": (40, ""),
        "+": (187, "+")}
HOSTILE = ("<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "a & 'b' \"c\"")


def score(value, half=0.02):
    value = float(value)
    return {"estimate": value, "low": value - half, "high": value + half}


def all_scores(y, p, decided, k):
    rows = {name: value.mean() for name, value in row_scores(y, p).items()}
    found = metrics.scores(confusion_matrix(y, decided, k))
    right, sure = decided == y, p.max(axis=1)
    found |= {name: rows[name] for name in ("log_loss", "brier") if name in rows}
    found["top_3_accuracy"] = probability_metrics.top_k_accuracy(y, p, min(3, k))
    for name, binning in (("ece", "width"), ("ece_mass", "mass")):
        found[name] = reliability.reliability(sure, right, 15, binning).ece
    found["class_wise_ece"] = reliability.class_wise_ece(y, p).mean()
    return {name: float(value) for name, value in found.items()}


def bins(table):
    columns = (table.edges[:-1], table.edges[1:], table.count, table.confidence, table.accuracy,
               table.low, table.high)
    names = ("low", "high", "count", "confidence", "accuracy", "accuracy_low", "accuracy_high")
    return [dict(zip(names, map(float, row), strict=True)) | {"count": int(row[2])}
            for row in zip(*columns, strict=True)]


def calibration_of(y, p, decided):
    right, sure = decided == y, p.max(axis=1)
    gap = sure.mean() - right.mean()
    half = 2 * right.std() / len(y) ** 0.5
    found = all_scores(y, p, decided, p.shape[1])
    counts, edges = np.histogram(sure, 20, (0, 1))
    word = verdict(gap - half, gap + half)
    return {"gap": score(gap, half), "verdict": word,
            "sentence": f"Mean confidence is {sure.mean():.3f}, {right.mean():.3f} are right.",
            **{n: found[n] for n in ("ece", "ece_mass", "class_wise_ece", "log_loss", "brier")},
            "reliability": {binning: bins(reliability.reliability(sure, right, 15, binning))
                            for binning in ("width", "mass")},
            "histogram": [{"low": float(a), "high": float(b), "count": int(n)}
                          for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]}


def results_from(names, y, p, temperature=1.3):
    """All parts of results.json from true classes and out-of-fold probabilities."""
    k, n, decided = len(names), len(y), p.argmax(axis=1)
    after = apply_temperature(p, temperature)
    counts = confusion_matrix(y, decided, k)
    by_class = metrics.class_scores(counts)
    support, predicted = counts.sum(axis=1), counts.sum(axis=0)
    average = probability_metrics.average_precision(y, p)
    found = all_scores(y, after, decided, k)
    half = 1 / np.sqrt(np.maximum(support, 1))

    def of_class(values, i):
        return score(values[i], min(0.4, half[i]))

    def compared(name, shift, word):
        chosen = {s: score(found[s] + shift) for s in ("macro_f1", "accuracy", "log_loss", "ece")}
        gap = None if word is None else {"macro_f1": score(shift, 0.008)}
        return {"name": name, "sampler": name, "classifier": "logistic", "scores": chosen,
                "difference": gap, "verdict": word or "no difference shown", "seconds": 41.5}

    tried = [{"C": 10.0 ** e, "log_loss": 1.1 + 0.1 * abs(e + 2)} for e in range(-4, 1)]
    return {
        "format": "plankton_features results", "version": 1,
        "created": "2026-11-24T16:00:00+00:00",
        "command": "fit-head out.h5 --sampler smote --compare",
        "features": {"path": "data/out.h5", "rows": n, "values": 2560,
                     "recipe_id": "3f2a9c11d0ab", "weights_source": "package", "engine": "openvino",
                     "precision": "bf16",
                     "recipe": {"backbone": "efficientnet-lite0", "canvas": 128,
                                "views": "quarter-turns", "pooling": ["avg", "max"]}},
        "classes": list(names),
        "options": {"sampler": "smote", "floor": 100, "cap": None, "classifier": "logistic",
                    "pca": 256, "folds": 5, "repeats": 1, "test_size": None,
                    "calibration": "temperature", "min_precision": 0.95, "seed": 0,
                    "non_living": [names[-1]]},
        "folds": {"kind": "5 folds, grouped and stratified", "n_groups": 48, "repeats": 1,
                  "rows": [n // 5] * 4 + [n - 4 * (n // 5)],
                  "missing": [{"repeat": 0, "fold": 2, "classes": [names[0]]}]},
        "choices": [{"repeat": 0, "fold": f, "parameters": {"C": 0.01}, "candidates": tried,
                     "temperature": temperature} for f in (0, 1, 2, 3, 4, None)],
        "sampling": [{"class": name, "before": int(s), "after": int(max(s, 100)),
                      "how": "left alone" if s >= 100 else f"SMOTE with k = {min(5, s - 1)}"
                      if s > 2 else "plain copies"} for name, s in zip(names, support,
                                                                       strict=True)],
        "scores": {name: score(value, 0.012) for name, value in found.items()},
        "baselines": {"majority": plain_floats(baselines.majority_baseline(support)),
                      "prior_random": plain_floats(baselines.prior_random_baseline(support))},
        "living": {"classes": [names[-1]], "rows": int(n - support[-1]),
                   "scores": {name: score(value, 0.014) for name, value in found.items()}},
        "per_class": [{"class": name, "support": int(support[i]), "groups": 3 + i % 40,
                       "predicted": int(predicted[i]),
                       "precision": of_class(by_class.precision, i),
                       "recall": of_class(by_class.recall, i), "f1": of_class(by_class.f1, i),
                       "average_precision": of_class(average, i),
                       "training": int(max(support[i], 100)), "threshold": 0.5,
                       "coverage": 0.8} for i, name in enumerate(names)],
        "confusion": counts.tolist(),
        "calibration": {"method": "temperature", "before": calibration_of(y, p, decided),
                        "after": calibration_of(y, after, decided)},
        "abstention": {"min_precision": 0.95, "coverage": score(0.62), "precision": score(0.951),
                       "abstained_rows": int(0.38 * n)},
        "optimism": {"grouped": found, "ungrouped": {s: v + 0.03 for s, v in found.items()},
                     "sentence": "Without regard to groups, macro-F1 would look .030 better."},
        "comparison": {"baseline": "none / logistic", "recommendation": "Use random-over: as good "
                       "as any here, and the simplest.",
                       "rows": [compared("none", 0, None), compared("random-over", 0.03, "better"),
                                compared("smote", 0.004, "no difference shown"),
                                compared("near-miss", -0.05, "worse")]},
        "warnings": ["4 classes have fewer than 20 images: their scores are uncertain.",
                     "3 exact duplicates carry different labels."],
        "seconds": {"splits": 0.4, "fit": 131.2, "bootstrap": 7.9},
        "versions": {"plankton_features": "0.1.0", "scikit-learn": "1.9.1", "numpy": "2.4.6"},
    }


def plain_floats(scores):
    return {name: float(value) for name, value in scores.items()}


def predictions_from(names, y, p, paths):
    """Out-of-fold predictions as a table."""
    decided = p.argmax(axis=1)
    return pd.DataFrame({"path": paths, "label": np.array(names)[y],
                         "taxon": np.array(names)[decided],
                         "probability": p.max(axis=1), "repeat": 0})


def draw(n_classes, n_rows, seed=0):
    """True classes with a long tail and probabilities that know a little of them."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(
        0, 1 + rng.integers(0, n_classes, n_rows - n_classes))])
    logits = rng.normal(0, 1, (n_rows, n_classes))
    logits[np.arange(n_rows), y] += 3
    p = np.exp(1.4 * logits)
    return y, p / p.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def make_results():
    """(names, n_rows=400, seed=0) -> (results, predictions with paths ``<row>.png``)."""

    def make(names, n_rows=400, seed=0):
        y, p = draw(len(names), n_rows, seed)
        paths = [f"{i:05}.png" for i in range(n_rows)]
        return results_from(names, y, p), predictions_from(names, y, p, paths)

    return make


@pytest.fixture(scope="session")
def vignettes_of(tmp_path_factory):
    """Write a small picture for each path of a table of predictions; returns the folder."""

    def write(frame, seed=0):
        folder = tmp_path_factory.mktemp("pictures")
        rng = np.random.default_rng(seed)
        for path in frame["path"]:
            width, height = rng.integers(12, 60, 2)
            grey = rng.integers(0, 256, (height, width), np.uint8)
            Image.fromarray(grey).save(folder / path)
        return folder

    return write


def epochs_of(n, first_phase, best):
    """Plausible learning curves of n epochs, the first ones of phase 1."""
    rng, rows = np.random.default_rng(n), []
    for epoch in range(1, n + 1):
        at, falling = epoch / n, (epoch - first_phase) / max(1, n - first_phase)
        f1 = 0.7 * (1 - np.exp(-4 * at)) + rng.normal(0, 0.006)
        later = epoch > first_phase
        rows.append({
            "phase": 2 if later else 1, "epoch": epoch,
            "rate": 0.025 * (1 + np.cos(np.pi * falling)) + 1e-5 if later else 0.01,
            "loss": 4.1 * np.exp(-3.3 * at) + 0.1,
            "validation_loss": 3.5 * np.exp(-3.4 * at) + 0.8 + rng.normal(0, 0.01),
            "accuracy": f1 + 0.09, "macro_precision": f1 + 0.02, "macro_recall": f1 - 0.01,
            "macro_f1": f1, "mcc": f1 + 0.08 + (0.05 if epoch == best else 0),
            "seconds": 61.5 if later else 30.0, "images_per_second": 186.0 if later else 380.0,
            "waiting": 0.031, "best": epoch == best})
    return rows


def taxonomy_of(names):
    """Scores on a taxonomy in which all but the last class are animals."""
    ranks = [("kingdom", 300, score(0.962)), ("genus", 120, score(0.741)),
             ("species", 0, dict.fromkeys(("estimate", "low", "high")))]
    return {"precision": score(0.874), "recall": score(0.869), "f1": score(0.871),
            "other_depth": score(0.014, 0.004),
            "ranks": [{"rank": r, "rows": n, "accuracy": s} for r, n, s in ranks],
            "lineages": {name: f"{name} -> Metazoa -> Eukaryota" for name in names[:-1]}
            | {names[-1]: names[-1]}}


@pytest.fixture(scope="session")
def make_training(make_results):
    """(names, n=20, first_phase=5, best=17) -> results of a network that was trained."""

    def make(names, n=20, first_phase=5, best=17):
        results = make_results(names)[0] | dict.fromkeys(("comparison", "optimism", "abstention"))
        rows = epochs_of(n, first_phase, best)
        recipe = {"backbone": "efficientnet_lite0", "canvas": 128}
        return results | {
            "command": "fine-tune vignettes --sampler square-root",
            "features": {"path": "data/vignettes", "rows": 15159, "values": 1280,
                         "recipe": recipe, "recipe_id": "3f2a9c11d0ab"},
            "options": {"classifier": "network", "sampler": "square-root", "floor": None,
                        "cap": None, "metric": "mcc", "epochs": n, "calibration": "temperature"},
            "folds": {"kind": "single split (20 % test, 5 % validation), stratified",
                      "n_groups": None, "repeats": 1, "rows": [3032, 758, 11369], "missing": []},
            "choices": [{"repeat": 0, "fold": 0, "parameters": {"epoch": best}, "candidates": [],
                         "temperature": 1.12}],
            "network": {"Backbone": "efficientnet_lite0", "Trained": "all layers",
                        "Schedule": "cosine, base rate 0.05"},
            "curves": rows, "taxonomy": taxonomy_of(names)}

    return make


def find_chromium():
    return next(filter(None, map(shutil.which, (
        "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)


class Page:
    """One page of headless Chromium, driven by its DevTools protocol."""

    def __init__(self, folder, width=1440, height=900, mobile=False):
        websocket = pytest.importorskip("websocket", reason="websocket-client is not installed")
        command = [find_chromium(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        port = self._port(Path(folder) / "DevToolsActivePort")
        self.events, self.number, self.last = [], 0, {}
        self.socket = websocket.create_connection(self._target(port), timeout=20,
                                                  suppress_origin=True)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)

    def _port(self, told):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            if told.exists() and (lines := told.read_text(encoding="utf-8").split()):
                return lines[0]
            time.sleep(0.02)
        raise AssertionError("Chromium does not listen")

    def _target(self, port):
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as reply:
            targets = json.load(reply)
        return next(t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page")

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def open(self, path):
        self.call("Page.navigate", url=path.as_uri())
        self.until("document.readyState === 'complete'")

    def js(self, expression):
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                         awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, expression):
        end = time.monotonic() + 10
        while not self.js(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key):
        code, text = KEYS[key]
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code,
                  text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                      clickCount=1)

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if find_chromium() is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is installed")
    page = Page(tmp_path_factory.mktemp("profile"))
    yield page
    page.close()
