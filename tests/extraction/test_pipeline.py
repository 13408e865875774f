import hashlib

import h5py
import numpy as np
import pytest
from PIL import Image

from plankton_features import build_catalog, extract, read_features
from plankton_features.errors import MismatchError, StoreError
from plankton_features.extraction import is_finished, report_of, space_for
from plankton_features.images import Catalog, frame, read_image
from plankton_features.images.preparing import Preparer


@pytest.fixture
def run(tmp_path, pixels):
    """Extract to ``out.h5``: catalog, options of the recipe and of `extract` -> report."""

    def call(catalog, name="out.h5", batch=8, recipe=None, **options):
        recipe, engine = pixels(batch, **(recipe or {}))
        return extract(catalog, recipe, engine, tmp_path / name, **options)

    return call


def test_every_image_is_accounted_for(run, catalog, tmp_path):
    report = run(catalog)
    file = read_features(tmp_path / "out.h5")
    assert report.found == 150 == report.written + report.duplicates + report.failed
    assert report.failed == 16
    paths = [*file.paths, *file.failures["path"], *file.duplicates["path"]]
    assert sorted(paths) == sorted(catalog.path)


def test_each_vector_is_that_of_its_image(run, catalog, tmp_path, pixels):
    run(catalog)
    file = read_features(tmp_path / "out.h5")
    recipe, engine = pixels(1)
    for row in range(len(file)):
        path = catalog.root / file.paths[row]
        canvas = frame(read_image(path), recipe.framing_options)
        batch = np.repeat(canvas[None, :, :, None], 3, axis=3)
        assert np.array_equal(engine.submit(batch)()[0], file.X[row])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with Image.open(path) as image:
            size = image.size
        row = file.images.iloc[row]
        assert (row["sha256"], (row["width"], row["height"])) == (digest, size)
        assert row["label"] == path.parent.name
        assert catalog.path[row["position"]] == row["path"]


def test_duplicates_point_to_the_same_content(run, catalog, tmp_path):
    report = run(catalog)
    file = read_features(tmp_path / "out.h5")
    assert len(file.duplicates) > 10
    assert file.images["sha256"].is_unique
    for again in file.duplicates.itertuples():
        first = catalog.root / file.paths[again.row]
        assert (catalog.root / again.path).read_bytes() == first.read_bytes()
        assert again.label == (catalog.root / again.path).parent.name
    assert report.conflicts == len(file.label_conflicts()) > 0


def test_failures_have_a_reason_and_no_vector(run, catalog, tmp_path):
    run(catalog)
    file = read_features(tmp_path / "out.h5")
    assert set(file.failures["stage"]) == {"decode"}
    assert file.failures["reason"].str.contains("not an image").all()
    assert not set(file.failures["path"]) & set(file.paths)


@pytest.mark.parametrize("batch", [1, 7, 64])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_and_threads_change_no_value(run, catalog, dump, tmp_path, batch, threads):
    run(catalog)
    run(catalog, "other.h5", batch, threads=threads)
    one, other = dump(tmp_path / "out.h5"), dump(tmp_path / "other.h5")
    assert one.pop("attribute batch") != other.pop("attribute batch") or batch == 8
    assert one == other


def test_many_failures_in_a_row_are_written_on_the_way(run, tmp_path, monkeypatch):
    for i in range(50):
        (tmp_path / f"{i:02}.png").write_bytes(b"broken %d" % i)
    appended = count_blocks(monkeypatch)
    monkeypatch.setattr("plankton_features.extraction.run.MOST_OTHERS", 10)
    report = run(build_catalog(tmp_path))
    assert (report.written, report.failed) == (0, 50)
    assert appended == [10] * 5


def count_blocks(monkeypatch):
    from plankton_features.store import FeatureStore

    real, appended = FeatureStore.append, []

    def append(store, block):
        appended.append(len(block.failures["position"]))
        real(store, block)

    monkeypatch.setattr(FeatureStore, "append", append)
    return appended


def test_size_features_are_logarithms(run, catalog, tmp_path):
    run(catalog, recipe={"size_features": True, "crop_bottom": 2})
    file = read_features(tmp_path / "out.h5")
    assert file.feature_names[-3:] == ["log_width", "log_height", "log_area"]
    width, height = file.images["width"].to_numpy(), file.images["height"].to_numpy() - 2
    expected = np.log(np.stack([width, height, width * height], axis=1))
    assert np.allclose(file.X[:, -3:], expected, atol=1e-6)


def test_root_attributes_tell_what_was_done(run, catalog, tmp_path, pixels):
    run(catalog, weights_source="none", notes={"ship": "Tara"})
    recipe, _ = pixels()
    attributes = read_features(tmp_path / "out.h5").attributes
    expected = {"recipe": recipe.to_json(), "recipe_id": recipe.recipe_id, "engine": "numpy",
                "precision": "float32", "device": "CPU", "batch": 8, "n_found": 150,
                "weights_source": "none", "ship": "Tara", "catalog_n": "150",
                "feature_blocks": '[["thumbnail_avg", 64]]'}
    assert {name: attributes[name] for name in expected} == expected
    assert '"h5py"' in attributes["versions"]


def test_progress_and_report(run, catalog):
    seen = []
    report = run(catalog, progress=seen.append)
    last = seen[-1]
    assert (last.done, last.total, last.failed) == (150, 150, 16)
    assert last.duplicates == report.duplicates
    assert [p.done for p in seen] == sorted({p.done for p in seen})
    assert report.seconds > 0
    assert sum(report.shares.values()) == pytest.approx(1, abs=0.01)
    assert (report.engine, report.precision, report.device) == ("numpy", "float32", "CPU")


def test_update_computes_only_what_is_new(run, make_vignettes, tmp_path, monkeypatch, dump):
    root = make_vignettes(tmp_path / "imgs", 40)
    before = build_catalog(root)
    options = {"recipe": {"size_features": True}}
    written = run(before, **options).written
    moved = next(p for p in root.rglob("*00000.png"))
    (root / "new").mkdir()
    moved.rename(root / "new" / moved.name)
    Image.fromarray(np.full((30, 20), 7, np.uint8)).save(root / "new" / "added.png")
    changed = next(p for p in root.rglob("*00001.png"))
    Image.fromarray(np.full((20, 30), 9, np.uint8)).save(changed)
    after = build_catalog(root)
    report = run(after, update=True, **options)
    assert report.reused == written - 1
    run(after, "anew.h5", **options)
    assert dump(tmp_path / "out.h5") == dump(tmp_path / "anew.h5")


def test_update_of_nothing_is_a_first_run(run, catalog):
    report = run(catalog, update=True)
    assert (report.reused, report.found) == (0, 150)


def test_update_refuses_another_recipe(run, catalog):
    run(catalog)
    with pytest.raises(MismatchError, match="cannot be updated"):
        run(catalog, recipe={"canvas": 64}, update=True)


def test_update_keeps_the_old_file_until_the_end(run, catalog, tmp_path, dump):
    run(catalog)
    before = dump(tmp_path / "out.h5")

    def interrupt(progress):
        if progress.done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(catalog, update=True, progress=interrupt)
    assert dump(tmp_path / "out.h5") == before


def test_finished_or_not(run, catalog, tmp_path):
    output = tmp_path / "out.h5"
    assert not is_finished(output, catalog)
    report = run(catalog)
    assert is_finished(output, catalog)
    again = report_of(read_features(output))
    assert [again.found, again.written, again.duplicates, again.failed, again.conflicts] == [
        report.found, report.written, report.duplicates, report.failed, report.conflicts]
    with pytest.raises(MismatchError, match=r"images: found 150, asked for 149(.|\n)*--update"):
        is_finished(output, catalog.subset(range(149)))
    (tmp_path / "out.h5.partial").touch()
    assert not is_finished(output, catalog)


def test_changed_labels_are_another_catalog(run, catalog, tmp_path):
    run(catalog)
    relabelled = Catalog(catalog.source, catalog.path, ["x"] * len(catalog), catalog.group,
                         catalog.id, catalog.size)
    with pytest.raises(MismatchError) as error:
        is_finished(tmp_path / "out.h5", relabelled)
    assert list(error.value.fields) == ["label"]


def test_finding_out_that_nothing_is_left_reads_no_rows(run, catalog, tmp_path, monkeypatch):
    run(catalog)
    monkeypatch.setattr("plankton_features.store.reader.FeatureFile._column", None)
    assert is_finished(tmp_path / "out.h5", catalog)
    report_of(read_features(tmp_path / "out.h5"))


def test_space(catalog, tmp_path, pixels, run, monkeypatch):
    recipe, engine = pixels()
    output = tmp_path / "out.h5"
    space = space_for(output, catalog, recipe, engine)
    assert space.enough
    run(catalog)
    with h5py.File(output) as file:
        rows = file["features"].size * 4
        assert rows < space.needed < 3 * rows
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 12_000_000}))
    monkeypatch.setattr("plankton_features.store.Plan.n_bytes", 2 * 10**9)
    short = space_for(output, catalog, recipe, engine)
    assert not short.enough
    assert str(short) == "needs about 2.0 GB, 12.0 MB are free"
    with pytest.raises(StoreError, match="does not exist"):
        space_for(tmp_path / "nowhere" / "out.h5", catalog, recipe, engine)


def test_what_an_unfinished_file_has_is_not_needed_again(catalog, tmp_path, pixels):
    recipe, engine = pixels()
    whole = space_for(tmp_path / "out.h5", catalog, recipe, engine).needed
    (tmp_path / "out.h5.partial").write_bytes(b"1" * 20_000)
    rest = space_for(tmp_path / "out.h5", catalog, recipe, engine).needed
    assert whole - 30_000 < rest <= whole - 20_000


def test_reading_ahead_is_bounded(catalog, pixels):
    narrow, wide = pixels()[0], pixels(canvas=2048)[0]
    assert Preparer(catalog, narrow.framing_options)._ahead() == 1024
    assert Preparer(catalog, wide.framing_options)._ahead() <= 4


def test_images_come_in_order_whatever_the_threads(catalog, pixels):
    recipe, _ = pixels()
    preparer = Preparer(catalog, recipe.framing_options, threads=4, ahead=64)
    positions = [5, 3, 149, 0, *range(20, 120)]
    assert [i.position for i in preparer.iterate(positions)] == positions


class _Overflowing:
    """An engine that gives infinity for pictures of one kind, as narrow numbers may."""

    def __init__(self, engine, chosen):
        self._engine, self._chosen = engine, chosen

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def submit(self, canvases):
        vectors = self._engine.submit(canvases)().copy()
        for i, canvas in enumerate(canvases):
            if canvas[:, :, 0].sum(dtype=np.int64) % 3 == self._chosen:
                vectors[i, 5] = np.inf
        return lambda: vectors


@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_values_that_are_not_finite_are_failures(catalog, tmp_path, pixels, dump, chosen):
    """Of all copies of the picture too; every other row is as without them."""
    recipe, engine = pixels()
    extract(catalog, recipe, engine, tmp_path / "sound.h5")
    report = extract(catalog, recipe, _Overflowing(engine, chosen), tmp_path / "out.h5")
    sound, found = read_features(tmp_path / "sound.h5"), read_features(tmp_path / "out.h5")
    assert np.isfinite(found.X).all()
    assert report.found == report.written + report.duplicates + report.failed == len(catalog)
    assert [report.written, report.failed, report.duplicates] == [
        len(found), len(found.failures), len(found.duplicates)]
    failed = found.failures.loc[found.failures["stage"] == "embed", "path"].tolist()
    assert 10 < len(failed) < len(sound)
    row_of = {path: row for row, path in enumerate(sound.paths)}
    kept = [path for path in sound.paths if path not in failed]
    assert found.paths.tolist() == kept
    np.testing.assert_array_equal(found.X, sound.X[[row_of[path] for path in kept]])
    for path, row in zip(found.duplicates["path"], found.duplicates["row"], strict=True):
        first = (catalog.root / found.paths[row]).read_bytes()
        assert (catalog.root / path).read_bytes() == first
    copies = sound.duplicates[~sound.duplicates["path"].isin(found.duplicates["path"])]
    assert set(copies["path"]) <= set(failed)
    assert found.failures["position"].is_monotonic_increasing


def test_a_resumed_run_fails_the_same_images(catalog, tmp_path, pixels, dump, monkeypatch):
    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 16 * 64 * 4)
    recipe, engine = pixels()
    engine = _Overflowing(engine, 1)
    extract(catalog, recipe, engine, tmp_path / "whole.h5")

    def stop(progress):
        if progress.done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(catalog, recipe, engine, tmp_path / "out.h5", progress=stop)
    extract(catalog, recipe, engine, tmp_path / "out.h5")
    assert dump(tmp_path / "out.h5") == dump(tmp_path / "whole.h5")
