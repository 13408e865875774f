"""Forged head files: what a stranger could write into one.

Each function of `FORGERIES` makes one from a sound head: it takes an empty folder and a generator
and returns the path, whose name says which sound head it comes from. Digests fit, so that nothing
but the forgery can be noticed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from plankton_features.errors import HeadError
from plankton_features.heads.calibrators import Uncalibrated, fit_calibrator
from plankton_features.heads.file.persistence import head_bytes, load_head
from plankton_features.heads.head import Head

Rng = np.random.Generator
K, D = 4, 7
CLASSES = ["Calanus", "Oithona", "detritus", "Ceratium"]
ROWS = np.random.default_rng(1).normal(size=(50, D)).astype(np.float32)
KINDS: dict[str, Callable[[], Any]] = {
    "logistic": LogisticRegression,
    "weighted": lambda: LogisticRegression(class_weight={0: 1.0, 1: 2.0, 2: 1.0, 3: 1.0}),
    "binary": LogisticRegression,
    "lda": LinearDiscriminantAnalysis,
    "mlp": lambda: MLPClassifier((5,), max_iter=5, random_state=0),
    "forest": lambda: RandomForestClassifier(3, max_depth=3, random_state=0),
    "knn": lambda: KNeighborsClassifier(3, weights="distance", algorithm="brute"),
    "knn-uniform": lambda: KNeighborsClassifier(3, algorithm="brute"),
    "knn-tree": lambda: KNeighborsClassifier(3, algorithm="kd_tree"),
}
CALIBRATIONS = ("none", "temperature", "isotonic", "sigmoid")


class Parts:
    """A head file taken apart: change its parts, then write it with digests that fit."""

    def __init__(self, content: bytes):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.manifest = json.loads(archive.read("manifest.json"))
            self.head = json.loads(archive.read("head.json"))
            inner = archive.read("pipeline.skops")
        with zipfile.ZipFile(io.BytesIO(inner)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.schema = json.loads(self.files.pop("schema.json"))
        self.text: bytes | None = None  # of head.json, if it is to be no plain JSON
        self.schema_text: bytes | None = None

    def states(self) -> Iterator[dict[str, Any]]:
        """Every object of the schema."""
        stack = [self.schema]
        while stack:
            state = stack.pop()
            if isinstance(state, dict):
                if "__loader__" in state:
                    yield state
                stack.extend(state.values())
            elif isinstance(state, list):
                stack.extend(state)

    def attributes(self, name: str) -> dict[str, Any]:
        """Attributes by name of the first object of this class."""
        return next(s for s in self.states()
                    if s["__class__"] == name and s["__loader__"] == "ObjectNode"
                    )["content"]["content"]

    def add(self, owner: str, name: str, state: dict[str, Any]) -> None:
        """Give an object one more attribute."""
        node = next(s for s in self.states()
                    if s["__class__"] == owner and s["__loader__"] == "ObjectNode")["content"]
        node["content"][name] = state
        node["key_types"]["content"].append(plain_type("str"))

    def arrays(self) -> dict[str, dict[str, Any]]:
        """Name -> state of the arrays that have one."""
        return {name: value for state in self.states() if state["__loader__"] == "DictNode"
                for name, value in state["content"].items()
                if value["__loader__"] == "NdArrayNode"}

    def array(self, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Put another array in the place of one."""
        state = self.arrays()[name]
        self.put(state, packed(change(unpacked(self.files[state["file"]]))))

    def put(self, state: dict[str, Any], content: bytes) -> None:
        """Give a state a file of its own."""
        state["file"] = f"{len(self.files)}.npy"
        self.files[state["file"]] = content

    def pipeline(self) -> tuple[bytes, str]:
        """The archive and its digest; files that nothing names any more are left out."""
        named: dict[str, str] = {}
        for state in self.states():
            if "file" in state:
                named.setdefault(state["file"], f"{len(named)}.npy")
                state["file"] = named[state["file"]]
        self.files = {new: self.files[old] for old, new in named.items()}
        text = self.schema_text or json.dumps(self.schema).encode()
        contents = {"schema.json": text, **self.files}
        digests = [digest(contents[name]) for name in contents]
        return zipped(contents), digest("\n".join(digests).encode())

    def content(self) -> bytes:
        """The file."""
        pipeline, own = self.pipeline()
        text = self.text if self.text is not None else json.dumps(self.head).encode()
        manifest = {"sha256": {"head.json": digest(text), "pipeline.skops": own}} | {
            name: value for name, value in self.manifest.items() if name != "sha256"}
        return zipped({"manifest.json": json.dumps(manifest).encode(), "head.json": text},
                      {"pipeline.skops": pipeline})


def zipped(compressed: dict[str, bytes], stored: dict[str, bytes] | None = None) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in compressed.items():
            archive.writestr(name, content)
        for name, content in (stored or {}).items():
            archive.writestr(name, content, zipfile.ZIP_STORED)
    return buffer.getvalue()


def digest(content: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(content).hexdigest()


def packed(array: np.ndarray, allow_pickle: bool = True) -> bytes:
    """An array as NumPy's file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def unpacked(content: bytes) -> np.ndarray:
    """An array of NumPy's file."""
    return np.load(io.BytesIO(content))


def header(shape: str, dtype: str = "<f8") -> bytes:
    """The start of NumPy's file, which claims what it likes."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text = text.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def plain(value: Any) -> dict[str, Any]:
    """Skops' description of a plain value."""
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode",
            "content": json.dumps(value), "is_json": True}


def plain_type(name: str, module: str = "builtins") -> dict[str, Any]:
    """Skops' description of a type."""
    return {"__class__": name, "__module__": module, "__loader__": "TypeNode"}


@functools.cache
def sound_bytes(kind: str, calibration: str = "none") -> bytes:
    """A sound head file of a kind of `KINDS`."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % K
    rows = (rng.normal(size=(K, D))[y] + rng.normal(size=(120, D))).astype(np.float32)
    if kind == "binary":
        rows, y = rows[y < 2], y[y < 2]
    model = Pipeline([("scale", StandardScaler()), ("pca", PCA(5)), ("classifier", KINDS[kind]())])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, y)
    scores = np.zeros((len(y), K))
    scores[:, model.classes_] = model.predict_proba(rows)
    calibrator = Uncalibrated() if calibration == "none" else fit_calibrator(calibration, y, scores)
    taxonomy = {"names": ["Biota", *CLASSES], "parents": ["", *["Biota"] * K], "ranks": [""] * 5}
    return head_bytes(Head(
        model, CLASSES, [30.0] * K, [60.0, 30, 20, 10], calibrator, [0.1, np.inf, 0.3, 0.0],
        {"backbone": "pixels", "layers": ["pixels"], "canvas": 32}, "0123456789ab",
        [f"v{i}" for i in range(D)],
        {"taxonomy": taxonomy, "engine": "openvino", "batch": 4, "precision": "float32"}))


@functools.cache
def expected(kind: str, calibration: str) -> np.ndarray:
    """Probabilities that a sound head gives to `ROWS`."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.head"
        path.write_bytes(sound_bytes(kind, calibration))
        return load_head(path).predict_proba(ROWS)


def check_words(error: HeadError, path: Path) -> None:
    """A refusal names the file and ends as a sentence does."""
    if str(path) not in str(error) or not str(error).endswith("."):
        raise AssertionError(f"no words for a person: {error}")


def outcome(path: Path) -> str:
    """``refused`` or ``same``: what must come of a forged head.

    Raises
    ------
    AssertionError
        If it is neither.
    """
    try:
        head = load_head(path)
    except HeadError as error:
        check_words(error, path)
        return "refused"
    found = head.classify(ROWS).probabilities
    _, kind, calibration = path.stem.split("~")
    np.testing.assert_allclose(found, expected(kind, calibration), rtol=1e-5, atol=1e-7)
    return "same"


Change = Callable[[Parts, Rng], None]
Forgery = Callable[[Path, Rng], Path]


def forgery(change: Change, *kinds: str) -> Forgery:
    """A forgery of heads of some kinds, by default of all."""
    def forge(folder: Path, rng: Rng) -> Path:
        kind = str(rng.choice(kinds or list(KINDS)))
        calibration = str(rng.choice(CALIBRATIONS))
        parts = Parts(sound_bytes(kind, calibration))
        change(parts, rng)
        path = folder / f"{rng.integers(10**9)}~{kind}~{calibration}.head"
        path.write_bytes(parts.content())
        return path

    return forge


def one_of(*changes: Change) -> Change:
    """One change, drawn."""
    def change(parts: Parts, rng: Rng) -> None:
        changes[rng.integers(len(changes))](parts, rng)

    return change


def put(name: str, *values: float, everywhere: bool = False) -> Change:
    """One of the values at a random place of an array."""
    def change(parts: Parts, rng: Rng) -> None:
        def changed(array: np.ndarray) -> np.ndarray:
            array = array.copy()
            place = slice(None) if everywhere else rng.integers(array.size)
            array.reshape(-1)[place] = values[rng.integers(len(values))]
            return array

        parts.array(name, changed)

    return change


def overflowing_counts(parts: Parts, rng: Rng) -> None:
    """Counts of nodes that sum to the right number modulo 2^64."""
    first = int(unpacked(parts.files[parts.arrays()["n_nodes"]["file"]])[0])
    for name in list(parts.arrays()):
        if name.startswith(("node_", "value")):  # one tree is left, and some without nodes
            n = 0 if name.startswith("value") else first
            parts.array(name, lambda a, n=n: a[:n])
    by = int(rng.integers(2**20))
    parts.array("n_nodes", lambda _: np.array([2**62, 2**62 + by, 2**62 - by, 2**62 + first]))
    parts.array("depth", lambda depth: np.resize(depth, 4))
    parts.attributes("RandomForestClassifier")["n_estimators"] = plain(4)


def negative_counts(parts: Parts, rng: Rng) -> None:
    """Counts of nodes of which some are below 0, with the right sum."""
    by = int(rng.integers(10, 10**6))
    parts.array("n_nodes", lambda n: n + np.array([by, -by, 0]))


def narrow_neighbours(parts: Parts, rng: Rng) -> None:
    """Rows with fewer or more values than the input."""
    width = int(rng.choice([1, 2, 3, 4, 6, 9]))
    parts.array("_fit_X", lambda rows: np.ascontiguousarray(np.resize(rows, (len(rows), width))))


def neighbours_in_columns(parts: Parts, rng: Rng) -> None:
    """Rows whose values lie apart in memory, or in another shape."""
    parts.array("_fit_X", lambda rows: np.asfortranarray(rows) if rng.random() < 0.5 else rows.T)


def counted_neighbours(parts: Parts, rng: Rng) -> None:
    """Other numbers of neighbours than there are."""
    name = str(rng.choice(["n_neighbors", "n_samples_fit_", "n_features_in_"]))
    parts.attributes("KNeighborsClassifier")[name] = plain(
        int(rng.choice([-1, 0, 121, 10**6, 2**62])))


def one_array_many_times(parts: Parts, rng: Rng) -> None:
    """A large array that takes few bytes, named many times."""
    state = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode",
             "type": "numpy"}
    parts.put(state, packed(np.zeros(2**22)))
    many = [dict(state) for _ in range(rng.integers(100, 500))]
    parts.add(last_step(parts), "many_", {
        "__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": many})


def last_step(parts: Parts) -> str:
    """Name of the classifier's class."""
    return parts.schema["content"]["content"]["steps"]["content"][-1]["content"][1]["__class__"]


def bomb(parts: Parts, rng: Rng) -> None:
    """One array that unpacks to hundreds of times its size."""
    parts.array(any_array(parts, rng), lambda a: np.zeros(int(rng.integers(2**23, 2**25)), a.dtype))


def any_array(parts: Parts, rng: Rng) -> str:
    """Name of an array."""
    return str(rng.choice(sorted(parts.arrays())))


def many_nodes(parts: Parts, rng: Rng) -> None:
    """Trees of a million nodes that take few bytes, and a number for each class in memory."""
    n = int(rng.integers(300_000, 1_000_000))
    for name in [name for name in parts.arrays() if name.startswith("node_")]:
        value = -1 if name.endswith("child") else 1
        parts.array(name, lambda a, value=value: np.full(n, value, a.dtype))
    for name, value in (("n_nodes", 1), ("depth", 0)):
        parts.array(name, lambda a, value=value: np.full(n, value, a.dtype))
    parts.array("value_node", lambda a: np.arange(n))
    parts.array("value_class", lambda a: np.zeros(n, a.dtype))
    parts.array("value", lambda a: np.ones(n))
    parts.attributes("RandomForestClassifier")["n_estimators"] = plain(n)


def many_classes(parts: Parts, rng: Rng) -> None:
    """Classes beyond number."""
    n = int(rng.integers(10_001, 200_000))
    parts.head.update(classes=[f"c{i}" for i in range(n)], source=[1.0] * n, target=[1.0] * n,
                      thresholds=None, calibrator={"name": "none"})
    parts.head["info"].pop("taxonomy")


def long_names(parts: Parts, rng: Rng) -> None:
    """A name that makes a table of names fill the memory."""
    name = str(rng.choice(["classes", "feature_names"]))
    parts.head[name][int(rng.integers(K))] = "x" * int(rng.integers(10**5, 10**6))
    parts.head["info"].pop("taxonomy")


def long_lineage(parts: Parts, rng: Rng) -> None:
    """A taxon below thousands of others."""
    n = int(rng.integers(2_000, 20_000))
    names = [f"t{i}" for i in range(n)]
    parts.head["info"]["taxonomy"] = {
        "names": [*names, *CLASSES], "parents": ["", *names[:-1], *[names[-1]] * K],
        "ranks": [""] * (n + K)}


def huge_schema(parts: Parts, rng: Rng) -> None:
    """A schema of many objects that nothing needs."""
    parts.add(last_step(parts), "many_", {
        "__class__": "list", "__module__": "builtins", "__loader__": "ListNode",
        "content": [plain(None)] * int(rng.integers(20_000, 100_000))})


def deep_schema(parts: Parts, rng: Rng) -> None:
    """Objects in objects in objects."""
    n = int(rng.integers(50, 20_000))
    inner = json.dumps(plain(1))
    opening = '{"__class__":"list","__module__":"builtins","__loader__":"ListNode","content":['
    parts.pipeline()  # which names the files
    text = json.dumps(parts.schema)
    value = opening * n + inner + "]}" * n
    parts.schema_text = text.replace(json.dumps(plain(True)), value, 1).encode()


def deep_json(parts: Parts, rng: Rng) -> None:
    """Lists in lists in lists."""
    n = int(rng.integers(3_000, 100_000))
    parts.text = json.dumps(parts.head).replace('"openvino"', "[" * n + "]" * n).encode()


def odd_numbers(parts: Parts, rng: Rng) -> None:
    """Numbers that JSON lacks, or that nothing can hold."""
    odd = str(rng.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1e400", "9" * 400,
                          "9" * 5000]))
    text = json.dumps(parts.head)
    parts.text = text.replace(str(rng.choice(["30.0", "60.0", "0.1", "20"])), odd, 1).encode()


def cut_json(parts: Parts, rng: Rng) -> None:
    """Half a description, or something else than one."""
    text = json.dumps(parts.head).encode()
    parts.text = [text[:int(rng.integers(len(text)))], b"[]", b"null", b"\xff\xfe", b"{}", b"3"][
        rng.integers(6)]


def value_of(*path: str, values: tuple[Any, ...]) -> Change:
    """One of the values in the description."""
    def change(parts: Parts, rng: Rng) -> None:
        *outer, last = path
        place = parts.head
        for name in outer:
            place = place[name]
        place[last] = values[rng.integers(len(values))]

    return change


ODD = (None, 5, -1, 1.5, "x", [], {}, [[]], [None] * K, ["x"] * K, {"a": 1}, True, 10**400,
       "\ud800", [10**400] * K)


def other_shape(parts: Parts, rng: Rng) -> None:
    """An array with a row or value more or less, turned, or empty."""
    changes = (
        lambda a: np.resize(a, (a.size + 1,)), lambda a: a.reshape(-1)[:0],
        lambda a: np.resize(a, (a.shape[0] + 1, *a.shape[1:])) if a.ndim else np.resize(a, 2),
        lambda a: a[:-1] if a.ndim else a[None], lambda a: a[None], lambda a: a.reshape(-1, 1),
        lambda a: np.resize(a, (*a.shape[:-1], a.shape[-1] + 3)) if a.ndim else a[None, None])
    parts.array(any_array(parts, rng), changes[rng.integers(len(changes))])


def other_type(parts: Parts, rng: Rng) -> None:
    """Objects, text, complex or structured numbers, those of another machine or of fewer bits."""
    dtype = str(rng.choice(["O", "U5", "S3", "c16", "f2", "i1", "M8[s]", "g", "V8", "b1",
                            ">f8", ">i4", "u8", "i4,f8"]))

    def changed(array: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if dtype in ("V8", "i4,f8"):
                return np.zeros(array.shape, dtype)
            return array.astype(dtype)

    parts.array(any_array(parts, rng), changed)


def no_numbers(parts: Parts, rng: Rng) -> None:
    """NaN, infinity, or the largest numbers."""
    values = (np.nan, np.inf, -np.inf, 1e308, -1e308, 3e38)
    floats = [name for name, state in parts.arrays().items()
              if unpacked(parts.files[state["file"]]).dtype.kind == "f" and name in PREDICTING]
    name = str(rng.choice(sorted(floats)))
    with np.errstate(over="ignore"):
        put(name, *values, everywhere=bool(rng.random() < 0.3))(parts, rng)


#: Arrays that predictions are made of.
PREDICTING = {"mean_", "scale_", "components_", "coef_", "intercept_", "_fit_X", "value",
              "node_threshold"}


def false_header(parts: Parts, rng: Rng) -> None:
    """An array that claims to be larger than what follows, or nothing that can be."""
    shapes = ("(1000000000000,)", "(2, 9223372036854775807)", "(-1,)", "(-3, -3)", "(1e9,)",
              "('a',)", "(4, (5,))", f"({9**400},)", "(0, 99999999999)")
    dtypes = ("<f8", "<f4", "|O", "|V99999", "<U99999", "f8,f8", "", "x")
    state = parts.arrays()[any_array(parts, rng)]
    start = header(str(rng.choice(shapes)), str(rng.choice(dtypes)))
    parts.put(state, [start + bytes(64), start, start[:20], b"", b"\x93NUMPY\x09\x00" + bytes(80)][
        rng.integers(5)])


def other_widths(parts: Parts, rng: Rng) -> None:
    """Steps that do not fit each other, each sound by itself."""
    width = int(rng.choice([1, 2, 6, 9, 30]))
    if rng.random() < 0.5:
        for name in ("n_components_", "n_components"):
            parts.attributes("PCA")[name] = plain(width)
        parts.array("components_", lambda a: np.resize(a, (width, a.shape[1])))
        parts.array("explained_variance_", lambda a: np.resize(a, width))
    else:
        for name in ("StandardScaler", "PCA"):
            parts.attributes(name)["n_features_in_"] = plain(width)
        parts.head["feature_names"] = [f"v{i}" for i in range(width)]


def other_parameters(parts: Parts, rng: Rng) -> None:
    """A parameter or a number of the classifier that cannot be."""
    owner = str(rng.choice([last_step(parts), "PCA", "StandardScaler"]))
    attributes = parts.attributes(owner)
    name = str(rng.choice(sorted(name for name in attributes if name in DECIDING)))
    attributes[name] = plain([None, -1, 2**70, "x", 0.5, 10**9, "haversine"][rng.integers(7)])


#: Attributes that predictions depend on.
DECIDING = {"n_features_in_", "n_components_", "with_mean", "with_std", "whiten", "n_neighbors",
            "weights", "metric", "effective_metric_", "_fit_method", "outputs_2d_", "n_outputs_",
            "n_layers_", "activation", "out_activation_", "n_classes_", "n_estimators", "p",
            "n_samples_fit_"}


def methods_replaced(parts: Parts, rng: Rng) -> None:
    """Attributes in the place of methods, or that change what predictions are."""
    owner = str(rng.choice([last_step(parts), "PCA", "StandardScaler", "Pipeline"]))
    name = str(rng.choice(["predict_proba", "transform", "decision_function", "get_params",
                           "_sklearn_output_config", "feature_names_in_", "__sklearn_tags__",
                           "__class__"]))
    value = [plain_type("str"), plain(3), plain("x")][rng.integers(3)]
    parts.add(owner, name, value)


def same_object_twice(parts: Parts, rng: Rng) -> None:
    """Objects that skops would take for one, or that hold themselves."""
    for state in parts.states():
        if rng.random() < 0.3:
            state["__id__"] = int(rng.integers(1, 4))


def other_forms(parts: Parts, rng: Rng) -> None:
    """Descriptions of objects with a part too few, too many, or another."""
    states = list(parts.states())
    state = states[rng.integers(len(states))]
    name = str(rng.choice(sorted(set(state) - {"file"})))
    kind = rng.integers(4)
    if kind == 0:
        del state[name]
    elif kind == 1:
        state[name] = [None, 7, "x", [], {}, True, [[]]][rng.integers(7)]
    elif kind == 2:
        state["more"] = 1
    elif state["__loader__"] == "JsonNode":
        state["content"] = str(rng.choice(["[1]", "{", " [[]]", "nul", "9" * 5000]))


def classes_seen(parts: Parts, rng: Rng) -> None:
    """Class numbers out of range, twice, falling, or of another kind."""
    changes = (lambda a: a + K, lambda a: a - 1, lambda a: a[::-1].copy(), lambda a: a * 0,
               lambda a: a.astype(float), lambda a: a.astype(str), lambda a: a[:-1],
               lambda a: a + 2**40)
    parts.array("classes_", changes[rng.integers(len(changes))])


def zip_names(folder: Path, rng: Rng) -> Path:
    """Entries twice, with names that lead elsewhere, or more of them."""
    path = folder / f"{rng.integers(10**9)}~logistic~none.head"
    path.write_bytes(sound_bytes("logistic"))
    name = str(rng.choice(["manifest.json", "head.json", "pipeline.skops", "/etc/evil", "../evil",
                           "a\\..\\b", "x" * 60000]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"{}")
    return path


def zip_kinds(folder: Path, rng: Rng) -> Path:
    """Entries packed in other ways, or sizes that are not true."""
    path = folder / f"{rng.integers(10**9)}~logistic~none.head"
    content = sound_bytes("logistic")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    how = [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED][rng.integers(3)]
    if how == zipfile.ZIP_DEFLATED:  # what is stored in sound heads, as a bomb
        parts["pipeline.skops"] += bytes(int(rng.integers(2**22, 2**24)))
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return path


def damaged(folder: Path, rng: Rng) -> Path:
    """Bytes turned, cut or doubled in any part."""
    kind, calibration = str(rng.choice(list(KINDS))), str(rng.choice(CALIBRATIONS))
    content = bytearray(sound_bytes(kind, calibration))
    start, n = int(rng.integers(len(content))), int(rng.integers(1, 50))
    if rng.random() < 0.3:
        content = content[:start]
    elif rng.random() < 0.3:
        content[start:start] = content[start:start + n]
    else:
        content[start:start + n] = rng.bytes(n)
    path = folder / f"{rng.integers(10**9)}~{kind}~{calibration}.head"
    path.write_bytes(content)
    return path


def other_numbers(parts: Parts, rng: Rng) -> None:
    """An array whose numbers are others: turned, shuffled, scaled, or all the same."""
    changes = (lambda a: -a, lambda a: a[::-1].copy(), lambda a: a * 3, lambda a: a * 0,
               lambda a: rng.permuted(a), lambda a: a + 1, lambda a: a * 0 + 10**9)
    name = any_array(parts, rng)
    if unpacked(parts.files[parts.arrays()[name]["file"]]).ndim:
        parts.array(name, changes[rng.integers(len(changes))])


def other_values(parts: Parts, rng: Rng) -> None:
    """Any value of the description in the place of any other."""
    places: list[tuple[Any, Any]] = []
    stack: list[Any] = [parts.head]
    while stack:
        value = stack.pop()
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            places.append((value, key))
            if isinstance(inner, dict | list):
                stack.append(inner)
    (into, key), (of, name) = (places[i] for i in rng.integers(len(places), size=2))
    into[key] = json.loads(json.dumps(of[name])) if rng.random() < 0.5 else ODD[
        rng.integers(len(ODD))]


def mutated(folder: Path, rng: Rng) -> Path:
    """A head with one to three random changes, which may well be sound."""
    changes = (other_numbers, other_values, other_shape, other_type, other_forms,
               other_parameters, other_widths)
    kind, calibration = str(rng.choice(list(KINDS))), str(rng.choice(CALIBRATIONS))
    parts = Parts(sound_bytes(kind, calibration))
    for change in rng.choice(len(changes), int(rng.integers(1, 4)), p=(0.4, 0.2, *[0.08] * 5)):
        with contextlib.suppress(*BROKEN):  # what an earlier change broke
            changes[change](parts, rng)
    path = folder / f"{rng.integers(10**9)}~{kind}~{calibration}.head"
    try:
        path.write_bytes(parts.content())
    except BROKEN:
        path.write_bytes(sound_bytes(kind, calibration))
    return path


BROKEN = (KeyError, TypeError, AttributeError, StopIteration, ValueError, IndexError,
          OverflowError)


def predicts(path: Path) -> bool:
    """Whether a head is loaded; its predictions are then right in form.

    Raises
    ------
    AssertionError
        If they are not, or it is refused without words.
    """
    try:
        head = load_head(path)
    except HeadError as error:
        check_words(error, path)
        return False
    found = head.classify(ROWS)
    assert np.isfinite(found.probabilities).all()
    assert found.probabilities.min() >= 0
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.isin(found.code, np.arange(len(head.classes))).all()
    return True


KNN = ("knn", "knn-uniform", "knn-tree")
FORGERIES: dict[str, Forgery] = {
    "counts of nodes that overflow": forgery(one_of(overflowing_counts, negative_counts), "forest"),
    "nodes that lead nowhere": forgery(one_of(
        put("node_left_child", 0, -5, 10**6, -2, 2**31 - 1), put("node_right_child", 0, -1, 10**6),
        put("node_feature", -1, 5, 2**31 - 1, -2**31, everywhere=True)), "forest"),
    "values that are nobody's": forgery(one_of(
        put("value_node", -1, 10**9, 2**62), put("value_class", -1, K, 2**31 - 1),
        put("value", -1, 0.5, 7, 0, np.nan, np.inf, everywhere=True)), "forest"),
    "trees beyond memory": forgery(many_nodes, "forest"),
    "rows of neighbours": forgery(one_of(narrow_neighbours, neighbours_in_columns), *KNN),
    "labels of neighbours": forgery(one_of(put("_y", -1, K, 2**40), counted_neighbours), *KNN),
    "one array named many times": forgery(one_array_many_times),
    "an array that unpacks to more": forgery(bomb),
    "arrays of other shapes": forgery(other_shape),
    "arrays of other types": forgery(other_type),
    "arrays of no numbers": forgery(no_numbers),
    "false headers of arrays": forgery(false_header),
    "steps of other widths": forgery(other_widths),
    "parameters that cannot be": forgery(other_parameters),
    "attributes for methods": forgery(methods_replaced),
    "classes that were seen": forgery(classes_seen),
    "objects that hold themselves": forgery(same_object_twice),
    "schemas of other forms": forgery(other_forms),
    "huge schemas": forgery(one_of(huge_schema, deep_schema)),
    "many classes": forgery(many_classes),
    "long names": forgery(one_of(long_names, long_lineage)),
    "names of classes": forgery(value_of("classes", values=(
        *ODD, ["a"] * K, ["a", "b"], [*CLASSES, "more"], [1, 2, 3, 4], ["\ud800", "b", "c", "d"],
        [*CLASSES[:3], "\x1b[2J\n"]))),
    "frequencies": forgery(one_of(*(value_of(name, values=(
        *ODD, [0.0] * K, [-1.0] * K, [1e308] * K, [1.0, 1e-300, 1.0, 1.0], [1.0] * 3))
        for name in ("source", "target")))),
    "thresholds": forgery(value_of("thresholds", values=(
        *ODD, ["nan"] * K, [[1.0]] * K, [10**400] * K, ["inf"] * 3))),
    "calibrators": forgery(value_of("calibrator", values=(
        *ODD, {"name": "pickle"}, {"name": "temperature"}, *({"name": "temperature",
        "temperature": t} for t in (0, -1, 1e-300, 1e300, "2", None, [1])),
        {"name": "isotonic", "curves": []}, {"name": "isotonic", "curves": [None] * 3},
        {"name": "isotonic", "curves": [{"x": [0, 1], "y": [1, 0]}] * K},
        {"name": "isotonic", "curves": [{"x": [], "y": []}] * K},
        {"name": "sigmoid", "curves": [{"slope": 1e308, "intercept": -1e308}] * K},
        {"name": "sigmoid", "curves": [{"slope": 10**400, "intercept": 0}] * K},
        {"name": ["sigmoid"], "curves": None}))),
    "facts": forgery(one_of(
        value_of("info", values=(None, 5, [], "x", {})),
        value_of("info", "versions", values=(None, 5, [], "x", {"a": 1}, {"a": {}})),
        value_of("info", "batch", values=("x", -1, 0, 2**40, [4], 1.5)),
        value_of("info", "engine", values=(5, [], {"a": 1})),
        value_of("info", "taxonomy", values=(
            5, [], {}, {"names": []}, {"names": ["a"], "parents": ["a"], "ranks": [""]},
            {"names": ["a"], "parents": [""], "ranks": [""]},
            {"names": CLASSES, "parents": [*CLASSES[1:], CLASSES[0]], "ranks": [""] * K})),
        value_of("recipe", values=(None, 5, [], "x")), value_of("recipe_id", values=(None, 5, [])),
        value_of("feature_names", values=(None, 5, [], {}, ["a"], [1] * D)))),
    "JSON that is none": forgery(one_of(odd_numbers, cut_json, deep_json)),
    "names in the zip file": zip_names,
    "packed in other ways": zip_kinds,
    "damaged": damaged,
}
