"""Pictures that are no files of their own go the whole way, with the results of the folder.

A bin is a source as somebody would add one: one file of raw grey pixels, as instruments write them,
and a list of what is where. It is made here, and nothing of the package knows it.
"""

import csv
import io
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plankton_features import ImageEmbedder, build_catalog, extract, read_features
from plankton_features.errors import ImageFailure
from plankton_features.extraction import verify
from plankton_features.images import Catalog, preparing, sources
from plankton_features.images.content import content_digest
from plankton_features.images.source import times_of
from plankton_features.images.synthetic import make_vignettes

LINE = ["path", "label", "start", "width", "height"]


class Bin:
    """Raw pixels in one file, and a list beside it."""

    def __init__(self, root):
        self.root = root
        with root.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            self.lines = {line["path"]: (n, line) for n, line in enumerate(csv.DictReader(file))}

    def __str__(self):
        return str(self.root)

    def read(self, path):
        start, width, height = (int(self.lines[path][1][name]) for name in LINE[2:])
        with self.root.open("rb") as file:
            file.seek(start)
            data = file.read(width * height)
        if len(data) < width * height:
            raise ImageFailure("read", f"{self.where(path)}: the file ends before")
        return np.frombuffer(data, np.uint8).reshape(height, width)

    def where(self, path):
        return f"{self.root.name}, target {self.lines[path][0]}"

    def stamps(self, paths):
        return [str(self.root), times_of(str(self.root))]


def catalog_of_bin(root):
    source = Bin(root)
    lines = [line for _, line in source.lines.values()]
    size = np.array([int(line["width"]) * int(line["height"]) for line in lines])
    return Catalog(source, [line["path"] for line in lines], [line["label"] for line in lines],
                   [""] * len(lines), [""] * len(lines), size)


BIN = sources.Kind("bin", lambda path: path.endswith(".raw"), catalog_of_bin, Bin)


def packed(folder, place):
    with zipfile.ZipFile(place.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as file:
        for path in reversed(build_catalog(folder).path):
            file.write(folder / path, path)
    return place.with_suffix(".zip")


def binned(folder, place):
    data, text = io.BytesIO(), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(LINE)
    for path in build_catalog(folder).path:
        pixels = np.asarray(Image.open(folder / path))
        writer.writerow([path, Path(path).parent.name, data.tell(), *pixels.shape[::-1]])
        data.write(pixels.tobytes())
    place.with_suffix(".csv").write_text(text.getvalue(), encoding="utf-8")
    place.with_suffix(".raw").write_bytes(data.getvalue())
    return place.with_suffix(".raw")


@pytest.fixture
def vignettes(tmp_path):
    """Grey vignettes without loss, a copy among them."""
    root = tmp_path / "drawn"
    make_vignettes(root, n_classes=4, n_images=80, size=(20, 40), seed=1)
    for path in build_catalog(root).path:
        target = (tmp_path / "imgs" / path).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(root / path).convert("L").save(target)
    first = min((tmp_path / "imgs").rglob("*.png"))
    shutil.copy(first, first.with_name("the same.png"))
    return tmp_path / "imgs"


@pytest.fixture(params=[packed, binned], ids=["zip", "bin"])
def pack(request, monkeypatch):
    """The function that packs a folder into one file: (folder, place) -> path."""
    monkeypatch.setattr(sources, "KINDS", (BIN, *sources.KINDS))
    return request.param


def rows(path, dump):
    """All but where it comes from; digests are of pixels where there is no file."""
    content = dump(path)
    own = ("catalog_size", "catalog_stamp", "images", "catalog_id")
    return {name: value for name, value in content.items()
            if name not in {f"attribute {one}" for one in own} and "sha256" not in name}


def same(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_equal(value, b[name], name)


def test_the_whole_way(vignettes, tmp_path, pack, extract, run, dump):
    source = pack(vignettes, tmp_path / "packed")
    assert extract(vignettes, tmp_path / "a.h5")[0] == 0
    code, out, err = extract(source, tmp_path / "b.h5")
    assert (code, err) == (0, "")
    assert "81 found = 80 written + 1 duplicates + 0 failed" in out
    same(rows(tmp_path / "a.h5", dump), rows(tmp_path / "b.h5", dump))
    catalog, file = build_catalog(source), read_features(tmp_path / "b.h5")
    assert file.digests() == [content_digest(catalog.content(catalog.path.index(path)))
                              for path in file.paths]

    assert "is complete: nothing to do" in extract(source, tmp_path / "b.h5")[1]
    code, out, _ = run("verify", tmp_path / "b.h5", source)
    assert code == 0
    assert "81 files compared: 0 missing, 0 changed" in out
    assert "least cosine similarity 1.0" in out

    assert run("fit", tmp_path / "a.h5", "-o", tmp_path / "a", "--folds", "3")[0] == 0
    assert run("fit", tmp_path / "b.h5", "-o", tmp_path / "b", "--folds", "3")[0] == 0
    pages = [(tmp_path / f"{name}.report.html").read_text("utf-8") for name in "ab"]
    assert pages[0].count("data:image/webp") == pages[1].count("data:image/webp") > 10
    for name, images in (("a", vignettes), ("b", source)):
        assert run("classify", tmp_path / "a.head", images, "-o", tmp_path / f"{name}.csv",
                   "--features", tmp_path / f"new_{name}.h5")[0] == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_pictures_are_added_changed_and_gone(vignettes, tmp_path, pack, extract, run):
    source, output = pack(vignettes, tmp_path / "packed"), tmp_path / "b.h5"
    extract(source, output)
    paths = sorted(read_features(output).paths)
    Image.fromarray(np.full((9, 9), 3, np.uint8)).save(vignettes / paths[0])
    (vignettes / paths[1]).unlink()
    Image.fromarray(np.full((9, 8), 4, np.uint8)).save(vignettes / "new.png")
    pack(vignettes, tmp_path / "packed")
    code, out, _ = run("verify", output, source)
    assert code == 1
    assert "1 missing, 1 changed, 1 not in the file" in out
    code, _, err = extract(source, output)
    assert code == 1
    assert "gone: 1 files" in err
    assert "new: 1 files" in err
    code, out, _ = extract(source, output, "--update")
    assert code == 0
    assert "79 vectors from the file before" in out
    assert run("verify", output, source)[0] == 0


def test_other_pictures_of_the_same_names_and_sizes(vignettes, tmp_path, pack, extract):
    source, output = pack(vignettes, tmp_path / "packed"), tmp_path / "b.h5"
    extract(source, output)
    path = read_features(output).paths[7]
    Image.fromarray(255 - np.asarray(Image.open(vignettes / path))).save(vignettes / path)
    pack(vignettes, tmp_path / "packed")
    code, _, err = extract(source, output)
    assert code == 1
    assert "was made from other pictures of the same names" in err
    assert f"changed: 1 of 81 files, such as {path}" in " ".join(err.split())


def test_an_interrupted_run_goes_on(vignettes, tmp_path, pack, extract, dump, monkeypatch):
    source = pack(vignettes, tmp_path / "packed")
    extract(source, tmp_path / "whole.h5", "--batch", "8")
    real, seen = preparing.Preparer._prepare_one, []

    def interrupted(self, position, spent):
        seen.append(position)
        if position == 70:
            raise KeyboardInterrupt
        return real(self, position, spent)

    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 1)
    with monkeypatch.context() as patch:
        patch.setattr(preparing.Preparer, "_prepare_one", interrupted)
        assert extract(source, tmp_path / "b.h5", "--batch", "8")[0] == 130
    code, out, _ = extract(source, tmp_path / "b.h5", "--batch", "8")
    assert code == 0
    assert re.search(r"[2-6]\d images from an earlier run", out)
    same(rows(tmp_path / "whole.h5", dump), rows(tmp_path / "b.h5", dump))


def test_a_file_of_the_folder_is_one_of_the_archive(vignettes, tmp_path, extract, run):
    """The same paths, sizes and contents: nothing is computed again."""
    extract(vignettes, tmp_path / "a.h5")
    archive = packed(vignettes, tmp_path / "packed")
    assert "is complete: nothing to do" in extract(archive, tmp_path / "a.h5")[1]
    assert run("verify", tmp_path / "a.h5", archive)[0] == 0


def test_what_cannot_be_read_is_a_failure_that_says_where(vignettes, tmp_path, extract,
                                                          monkeypatch):
    monkeypatch.setattr(sources, "KINDS", (BIN, *sources.KINDS))
    source = binned(vignettes, tmp_path / "packed")
    source.write_bytes(source.read_bytes()[:-1])
    code, out, _ = extract(source, tmp_path / "b.h5")
    assert code == 0
    assert "1 failed" in out
    failures = read_features(tmp_path / "b.h5").failures
    assert failures["reason"].tolist() == ["packed.raw, target 80: the file ends before"]
    with pytest.raises(ImageFailure, match="target 80"):
        build_catalog(source).read(80)


def test_levels_and_names_of_archives(vignettes, tmp_path, extract):
    deep = tmp_path / "deep"
    for station in ("a", "b"):
        shutil.copytree(vignettes, deep / station)
    archive = packed(deep, tmp_path / "deep")
    code, out, _ = extract(archive, tmp_path / "x.h5")
    assert code == 0
    assert "is made of 2 folders" in out
    code, out, _ = extract(archive, tmp_path / "y.h5", "--label-level", "1")
    assert "2 classes" in out
    assert "is made of" not in out
    code, _, err = extract(vignettes, archive)
    assert code == 1
    assert "The order is" in err
    code, _, err = extract(tmp_path / "none.zip", tmp_path / "z.h5")
    assert "found nothing there" in err


def test_arrays_go_the_whole_way(vignettes, tmp_path, pixels, dump):
    folder = build_catalog(vignettes)
    pictures = [folder.read(i) for i in range(len(folder))]
    catalog = Catalog.from_arrays(pictures, paths=folder.path, labels=folder.label)
    recipe, engine = pixels(size_features=True)
    for name, one in (("a", folder), ("b", catalog)):
        extract(one, recipe, engine, tmp_path / f"{name}.h5", weights_source="none")
    same(rows(tmp_path / "a.h5", dump), rows(tmp_path / "b.h5", dump))
    file = read_features(tmp_path / "b.h5")
    assert verify(file, catalog).ok
    pictures[3] = pictures[3][::-1]
    other = Catalog.from_arrays(pictures, paths=folder.path, labels=folder.label)
    assert verify(file, other).changed == [folder.path[3]]
    report = extract(other, recipe, engine, tmp_path / "b.h5", update=True)
    assert (report.reused, report.written) == (79, 80)
    embedder = ImageEmbedder(backbone="pixels", canvas=32, views="none", pooling=("avg",),
                             size_features=True).fit()
    rows_of = {path: row for row, path in enumerate(read_features(tmp_path / "b.h5").paths)}
    taken = [i for i, path in enumerate(folder.path) if path in rows_of]
    np.testing.assert_array_equal(
        embedder.transform([pictures[i] for i in taken]),
        read_features(tmp_path / "b.h5").take([rows_of[folder.path[i]] for i in taken]))
