"""Feature files as a careless program or a stranger may write them: each must be refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t

from plankton_features.store import Block, FeatureStore, Plan

RECIPE = '{"backbone":"pixels","layers":["thumbnail"],"pooling":["avg"],"precision":"float32"}'
N, WIDTH = 30, 4
COLUMNS = {"images": ("path", "label", "group", "id", "sha256", "width", "height", "position"),
           "failures": ("path", "label", "stage", "reason", "position"),
           "duplicates": ("path", "label", "group", "id", "row", "position")}
_TEXT = {"path", "label", "group", "id", "sha256", "stage", "reason"}
Forgery = Callable[[Path, np.random.Generator], Path]


def sound(path: Path) -> Path:
    """A sound file of 30 rows in three classes, with failures and duplicates."""
    plan = Plan(N, WIDTH, 8, {"path": 20, "label": 12, "group": 8, "id": 8, "ship": 9},
                {"depth": "float64", "ship": "text", "n": "int64"}, {"depth": "m"})
    vectors = np.random.default_rng(0).normal(size=(N, WIDTH)).astype(np.float32)
    with FeatureStore(path, plan, {"recipe": RECIPE, "engine": "numpy", "precision": "float32"},
                      notes={"recipe_id": hashlib.sha256(RECIPE.encode()).hexdigest()[:12],
                             "weights_source": "none",
                             "feature_blocks": f'[["thumbnail_avg", {WIDTH}]]'}) as store:
        store.append(Block(
            vectors, {"path": [f"кл/{i}.png" for i in range(N)],
                      "label": [f"taxon {i % 3}" for i in range(N)],
                      "group": [f"tow {i % 5}" for i in range(N)], "id": list(map(str, range(N))),
                      "sha256": [f"{i:064x}" for i in range(N)], "width": [20] * N,
                      "height": [30] * N, "position": range(N),
                      "depth": np.arange(N) / 2, "ship": [f"ship {i % 2}" for i in range(N)]},
            {"path": ["a.png", "b.png"], "label": ["x", "y"], "stage": ["decode"] * 2,
             "reason": ["broken"] * 2, "position": [N, N + 1]},
            {"path": ["c.png"] * 4, "label": ["taxon 0"] * 4, "row": [0, 3, 6, N - 1],
             "position": range(N + 2, N + 6)}))
        store.finish({"n_found": N + 6})
    return path


_SOUND = sound(Path(tempfile.mkdtemp()) / "sound.h5").read_bytes()


def _copy(folder: Path) -> Path:
    path = folder / "forged.h5"
    path.write_bytes(_SOUND)
    return path


def _changed(change: Callable[[h5py.File, np.random.Generator], None]) -> Forgery:
    def forge(folder: Path, rng: np.random.Generator) -> Path:
        path = _copy(folder)
        with h5py.File(path, "r+") as file:
            change(file, rng)
        return path

    return forge


def _any_column(rng: np.random.Generator, wanted: Callable[[str], bool] = lambda _: True) -> str:
    names = [f"{table}/{name}" for table in COLUMNS for name in COLUMNS[table] if wanted(name)]
    return str(rng.choice(names))


def _replace(file: h5py.File, name: str, values: Any, **options: Any) -> None:
    del file[name]
    file.create_dataset(name, data=values, **options)


def _other_length(file: h5py.File, rng: np.random.Generator) -> None:
    name = _any_column(rng, lambda n: n != "position") if rng.random() < 0.7 else "features"
    values = file[name][:]
    n = int(rng.choice([k for k in (0, 1, len(values) - 1, len(values) + 1, 3 * len(values))
                        if k != len(values)]))
    _replace(file, name, np.resize(values, (n, *values.shape[1:])) if len(values) else
             np.zeros((3, *values.shape[1:]), values.dtype))


def _row_out_of_range(file: h5py.File, rng: np.random.Generator) -> None:
    file["duplicates/row"][rng.integers(4)] = rng.choice([-1, N, 2**62, -2**63])


def _virtual(file: h5py.File, rng: np.random.Generator) -> None:
    """A source that is missing reads as zeros."""
    name = _any_column(rng) if rng.random() < 0.5 else "features"
    shape, dtype = file[name].shape, file[name].dtype
    layout = h5py.VirtualLayout(shape, dtype)
    layout[...] = h5py.VirtualSource("gone.h5", "features", shape, dtype)
    del file[name]
    file.create_virtual_dataset(name, layout)


def _external_storage(file: h5py.File, rng: np.random.Generator) -> None:
    """Another local file's bytes as a column."""
    name = _any_column(rng) if rng.random() < 0.5 else "features"
    shape, dtype = file[name].shape, file[name].dtype
    victim = Path(file.filename).with_name("private.txt")
    victim.write_bytes(b"private " * 200)
    _replace(file, name, None, shape=shape, dtype=dtype,
             external=[(str(victim), 0, h5f.UNLIMITED if hasattr(h5f, "UNLIMITED") else 1600)])


def _external_link(file: h5py.File, rng: np.random.Generator) -> None:
    other = Path(file.filename).with_name("other.h5")
    other.write_bytes(_SOUND)
    name = str(rng.choice(["features", "images", "images/label", "duplicates", "failures/path"]))
    del file[name]
    file[name] = h5py.ExternalLink(str(rng.choice([other.name, str(other), "gone.h5"])), name)


def _soft_link(file: h5py.File, rng: np.random.Generator) -> None:
    name = _any_column(rng)
    del file[name]
    file[name] = h5py.SoftLink(str(rng.choice(["/features", "/images/id", f"/{name}", "/gone"])))


def _missing(file: h5py.File, rng: np.random.Generator) -> None:
    del file[str(rng.choice(["features", "images", "duplicates", "failures", _any_column(rng)]))]


def _other_kind(file: h5py.File, rng: np.random.Generator) -> None:
    """A group for a dataset, or a dataset for a group."""
    name = _any_column(rng)
    if rng.random() < 0.5:
        del file[name]
        file.create_group(name)
    else:
        table = name.split("/")[0]
        del file[table]
        file[table] = [1, 2, 3]


def _other_type(file: h5py.File, rng: np.random.Generator) -> None:
    name = _any_column(rng) if rng.random() < 0.7 else "features"
    n = len(file[name])
    text = name.split("/")[-1] in _TEXT
    kinds: list[Any] = [np.zeros(n, "f8"), np.zeros(n, [("a", "i4"), ("b", "S3")]),
                        np.zeros(n, "c16"), np.zeros(n, bool),
                        np.zeros(n, h5py.opaque_dtype(np.dtype("V8")))]
    kinds += [np.zeros(n, "i8")] if text else [np.full(n, b"7", "S5")]
    if name == "features":
        kinds = [np.zeros((n, WIDTH), kind) for kind in ("f8", "i4", "f2", "S4")]
    values = kinds[rng.integers(len(kinds))]
    if rng.random() < 0.15 and text:
        _replace(file, name, ["x"] * n, dtype=h5py.string_dtype())
    elif rng.random() < 0.1:
        del file[name]
        file.create_dataset(name, (n,), h5py.ref_dtype)
    else:
        _replace(file, name, values)


def _other_rank(file: h5py.File, rng: np.random.Generator) -> None:
    name = _any_column(rng) if rng.random() < 0.6 else "features"
    values = file[name][:]
    shapes = [(len(values), 1, 1), (1, len(values), *values.shape[1:]), ()]
    shape = shapes[rng.integers(3)]
    if name == "features" and shape != () and len(shape) == 3:
        values = values[:, 0]
        shape = (len(values), 1, 1)
    _replace(file, name, values.ravel()[0] if shape == () else values.reshape(shape))


def _null_space(file: h5py.File, rng: np.random.Generator) -> None:
    name = _any_column(rng) if rng.random() < 0.7 else "features"
    dtype = file[name].dtype
    del file[name]
    file[name] = h5py.Empty(dtype)


def _blocks(file: h5py.File, rng: np.random.Generator) -> None:
    wrong = ["[]", "[[\"a\", 3]]", '[["a", 5]]', '[["a", -4], ["b", 8]]', '[["a", 1e9]]', "4",
             '[["a", 2000000000]]', '[["a", 4, 4]]', '[[4, "a"]]', "{", "null", '[["a", true]]',
             "[" * 5000, '[["a", 4.0]]', '{"a": 4}', '[["a", 4], ["b", 0]]']
    file.attrs["feature_blocks"] = str(rng.choice(wrong))


def _recipe_id(file: h5py.File, rng: np.random.Generator) -> None:
    file.attrs["recipe_id"] = str(rng.choice(["", "0" * 12, "e080b88e341c", hashlib.sha256(
        RECIPE.encode()).hexdigest()]))


def _recipe(file: h5py.File, rng: np.random.Generator) -> None:
    text = str(rng.choice(["", "[]", "null", "{", "[" * 5000, '"x"', "\0"]))
    file.attrs["recipe"] = text.replace("\0", "x")
    file.attrs["recipe_id"] = hashlib.sha256(text.replace("\0", "x").encode()).hexdigest()[:12]


def _attribute_type(file: h5py.File, rng: np.random.Generator) -> None:
    name = str(rng.choice(["format", "format_version", "complete", "recipe", "feature_blocks",
                           "n_valid"]))
    wrong: list[Any] = [np.zeros(3), h5py.Empty("f4"), np.zeros(2, [("a", "i4")]), -1.5,
                        b"\xff\xfe", np.zeros((2, 2), "S3"), float("nan")]
    value = wrong[rng.integers(len(wrong))]
    del file.attrs[name]
    if name == "complete" or (name == "n_valid" and rng.random() < 0.2):
        value = False if name == "complete" else 2**62
    file.attrs[name] = value


def _fact_of_another_type(file: h5py.File, rng: np.random.Generator) -> None:
    """What is only told, but read by one command or another."""
    odd = [np.arange(3), h5py.Empty("f8"), -1, np.nan, np.inf, 2.5, np.zeros((2, 2))]
    name = str(rng.choice(["engine", "precision", "weights_source", "images", "device", "versions",
                           "catalog_id", "catalog_n", "catalog_stamp", "merged_from", "n_found",
                           "batch", "n_valid", "recipe_id"]))
    file.attrs[name] = odd[rng.integers(len(odd))]


def _missing_attribute(file: h5py.File, rng: np.random.Generator) -> None:
    del file.attrs[str(rng.choice(["format", "format_version", "complete", "recipe",
                                   "feature_blocks"]))]


def _count(file: h5py.File, rng: np.random.Generator) -> None:
    file.attrs["n_valid"] = int(rng.choice([0, N - 1, N + 1, -1, 2**62]))


def _not_utf8(file: h5py.File, rng: np.random.Generator) -> None:
    name = f"images/{rng.choice(['path', 'label', 'group', 'id'])}"
    values = file[name][:]
    values[rng.integers(N)] = rng.choice([b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80"])
    _replace(file, name, values.astype("S20"))


def _no_digest(file: h5py.File, rng: np.random.Generator) -> None:
    values = file["images/sha256"][:]
    values[rng.integers(N)] = rng.choice([b"", b"zz", b"0" * 63, b"g" * 64])
    _replace(file, "images/sha256", values)


def _negative(file: h5py.File, rng: np.random.Generator) -> None:
    name = f"images/{rng.choice(['width', 'height', 'position'])}"
    file[name][rng.integers(N)] = -int(rng.integers(1, 2**31))


def _not_finite(file: h5py.File, rng: np.random.Generator) -> None:
    if rng.random() < 0.3:
        file["features"][...] = np.nan
    else:
        file["features"][rng.integers(N), rng.integers(WIDTH)] = rng.choice(
            [np.nan, np.inf, -np.inf])


def _never_written(file: h5py.File, rng: np.random.Generator) -> None:
    """Rows that the file says it has and that no one wrote: zeros, or whatever fills them."""
    n = int(rng.choice([N, 10**6, 10**9]))
    for table, columns in COLUMNS.items():
        for name in columns if table == "images" else ():
            dtype = file[f"{table}/{name}"].dtype
            del file[f"{table}/{name}"]
            file.create_dataset(f"{table}/{name}", (n,), dtype, chunks=(min(n, 1024),))
    del file["features"]
    file.create_dataset("features", (n, WIDTH), np.float32, chunks=(min(n, 1024), WIDTH),
                        fillvalue=rng.choice([0.0, 1.0]))
    file.attrs["n_valid"] = n


def _bomb(file: h5py.File, rng: np.random.Generator) -> None:
    """120 MB of zeros in 120 kB."""
    n = 30 * 2**20 // WIDTH
    del file["features"]
    file.create_dataset("features", (n, WIDTH), np.float32, chunks=(n // 4, WIDTH),
                        compression="gzip", compression_opts=1, fillvalue=0)
    packed = _ZEROS.setdefault(n, _packed_zeros(n // 4 * WIDTH * 4))
    for i in range(4):
        file["features"].id.write_direct_chunk((i * (n // 4), 0), packed)
    for name in COLUMNS["images"]:
        dtype = file[f"images/{name}"].dtype
        del file[f"images/{name}"]
        file.create_dataset(f"images/{name}", (n,), dtype, chunks=(n,), compression="gzip",
                            compression_opts=1, fillvalue=np.zeros((), dtype))
    file.attrs["n_valid"] = n


_ZEROS: dict[int, bytes] = {}


def _packed_zeros(size: int) -> bytes:
    import zlib

    return zlib.compress(bytes(size), 1)


def _long_text(file: h5py.File, rng: np.random.Generator) -> None:
    name = f"images/{rng.choice(['path', 'label', 'group', 'id'])}"
    size = 10**6
    space, kind = h5s.create_simple((N,)), h5t.C_S1.copy()
    kind.set_size(size)
    del file[name]
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk((1,))
    plist.set_deflate(1)
    h5d.create(file.id, name.encode(), kind, space, plist)


def _extra(file: h5py.File, rng: np.random.Generator) -> None:
    """An extra column that is none, or of another length, type or place."""
    table = str(rng.choice(list(COLUMNS)))
    name = f"columns/{table}/{rng.choice(['depth', 'ship', 'n'])}"
    values = file[name][:]
    kinds: list[Callable[[], Any]] = [
        lambda: _replace(file, name, np.resize(values, len(values) + 1)),
        lambda: _replace(file, name, values.reshape(-1, 1)),
        lambda: _replace(file, name, np.zeros(len(values), "c16")),
        lambda: _replace(file, name, np.zeros(len(values), bool)),
        lambda: _replace(file, name, np.zeros(len(values), "f8" if "n" in name[-1] else "i8")),
        lambda: _replace(file, name, ["x"] * len(values), dtype=h5py.string_dtype()),
        lambda: _replace(file, name, h5py.Empty("f8")),
        lambda: _replace(file, name, None, shape=(len(values),), dtype=values.dtype,
                         external=[(str(Path(file.filename)), 0, 1600)]),
        lambda: _linked(file, name, h5py.SoftLink("/images/width")),
        lambda: _linked(file, name, h5py.ExternalLink("gone.h5", name)),
        lambda: _linked(file, "columns", h5py.ExternalLink("gone.h5", "columns")),
        lambda: _linked(file, f"columns/{table}", h5py.SoftLink("/images")),
        lambda: file.create_group(f"columns/images/group {rng.integers(9)}"),
    ]
    if table == "images":
        kinds.append(lambda: _replace(file, name, None, shape=(N,), dtype=values.dtype,
                                      chunks=(7,)))
    kinds[rng.integers(len(kinds))]()


def _linked(file: h5py.File, name: str, link: Any) -> None:
    del file[name]
    file[name] = link


def _extra_name(file: h5py.File, rng: np.random.Generator) -> None:
    """A name or unit that no extra column can have, or two of one name, or too many."""
    columns = file["columns/images"]
    kind = rng.integers(5)
    if kind == 0:
        columns.move("ship", str(rng.choice(["path", "label", "row", "reason", "wid%74h"])))
    elif kind == 1:
        columns["%64epth"] = columns["depth"]
    elif kind == 2:
        columns.move("ship", str(rng.choice(["x" * 256, "%00", "a%00b"])))
    elif kind == 3:
        for i in range(4097):
            columns[str(i)] = columns["depth"]
    else:
        odd = [np.arange(3), h5py.Empty("f8"), 7.5, "m" * 256, np.zeros((2, 2))]
        columns["depth"].attrs["unit"] = odd[rng.integers(len(odd))]


def _extra_value(file: h5py.File, rng: np.random.Generator) -> None:
    """Text that is not UTF-8, or a number that is too large."""
    if rng.random() < 0.5:
        values = file["columns/images/ship"][:].astype("S9")
        values[rng.integers(N)] = rng.choice([b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80"])
        _replace(file, "columns/images/ship", values)
    else:
        for table in COLUMNS:
            rows = len(file[f"columns/{table}/n"])
            _replace(file, f"columns/{table}/n", np.full(rows, 2**64 - 1, np.uint64))


def _other_format(folder: Path, rng: np.random.Generator) -> Path:
    path = folder / "forged.h5"
    kinds = ["empty", "text", "npy", "hdf5", "zip", "short", "folder", "half", "zeros"]
    kind = str(rng.choice(kinds))
    if kind == "folder":
        path.mkdir()
    elif kind == "npy":
        np.save(path.open("wb"), np.zeros((3, 4)))
    elif kind == "hdf5":
        with h5py.File(path, "w") as file:
            file["x"] = np.zeros(3)
            file.attrs["format"] = str(rng.choice(["netcdf", "Plankton_Features", ""]))
    else:
        path.write_bytes({"empty": b"", "text": b"path,label\n", "zip": b"PK\3\4" + bytes(40),
                          "short": _SOUND[:7], "half": _SOUND[: len(_SOUND) // 2],
                          "zeros": bytes(1000)}[kind])
    return path


FORGERIES: dict[str, Forgery] = {
    "columns of other lengths": _changed(_other_length),
    "duplicates of rows that are not there": _changed(_row_out_of_range),
    "virtual datasets": _changed(_virtual),
    "external storage": _changed(_external_storage),
    "external links": _changed(_external_link),
    "soft links": _changed(_soft_link),
    "datasets missing": _changed(_missing),
    "groups for datasets": _changed(_other_kind),
    "other types": _changed(_other_type),
    "other ranks": _changed(_other_rank),
    "empty dataspaces": _changed(_null_space),
    "feature_blocks": _changed(_blocks),
    "recipe_id": _changed(_recipe_id),
    "recipe": _changed(_recipe),
    "attributes of other types": _changed(_attribute_type),
    "facts of other types": _changed(_fact_of_another_type),
    "attributes missing": _changed(_missing_attribute),
    "n_valid": _changed(_count),
    "text that is not UTF-8": _changed(_not_utf8),
    "no SHA-256": _changed(_no_digest),
    "negative numbers": _changed(_negative),
    "values that are not finite": _changed(_not_finite),
    "rows never written": _changed(_never_written),
    "packed a thousandfold": _changed(_bomb),
    "text of a megabyte": _changed(_long_text),
    "extra columns": _changed(_extra),
    "names of extra columns": _changed(_extra_name),
    "values of extra columns": _changed(_extra_value),
    "other files": _other_format,
}
"""Kind of malformation -> function that writes one into a folder."""


def damaged(folder: Path, rng: np.random.Generator) -> Path:
    """A sound file with bytes changed, or a sound one whose structure was changed at random."""
    from forging.images import damage

    path = folder / "damaged.h5"
    if rng.random() < 0.7:
        path.write_bytes(damage(_SOUND, rng))
        return path
    forged = FORGERIES[str(rng.choice(list(FORGERIES)))](folder, rng)
    if forged.is_dir():
        return forged
    shutil.move(forged, path)
    return path


def recipe_of(file: Path) -> dict[str, Any]:
    """The recipe that a sound file says."""
    with h5py.File(file) as opened:
        return json.loads(opened.attrs["recipe"])
