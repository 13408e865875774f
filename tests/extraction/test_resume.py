"""After a kill at any moment, the same command ends with the file of an undisturbed run."""

import importlib.util
import sys
from pathlib import Path

import pytest

from plankton_features import build_catalog, extract
from plankton_features.errors import MismatchError, StoreError
from plankton_features.images import Catalog
from plankton_features.store import FeatureStore


@pytest.fixture(scope="module")
def kills():
    path = Path(__file__).parents[2] / "benchmarks" / "kills.py"
    spec = importlib.util.spec_from_file_location("kills", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n", [
    2, pytest.param(12, marks=[pytest.mark.whole, pytest.mark.slow])])
@pytest.mark.parametrize("command", [
    "extract", "update", "merge", pytest.param("classify", marks=pytest.mark.slow)])
def test_signals_at_any_moment(kills, tmp_path_factory, command, n):
    """A few of them; ``python benchmarks/kills.py`` sends two hundred to every command."""
    root = tmp_path_factory.getbasetemp() / "kills"
    if not (root / "inputs").exists():
        root.mkdir()
        kills.write_inputs(root / "inputs", 120, seed=0)
    result = kills.Result()
    kills.run(kills.JOBS[command], root / "inputs", root / command, n, 1, result)
    assert result.signals.total() == n
    assert result.same == result.lives, result.notes


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 16 rows rather than of a megabyte."""
    monkeypatch.setattr("plankton_features.store.schema._CHUNK_BYTES", 16 * 64 * 4)


@pytest.fixture
def begin(tmp_path, pixels, catalog, small_blocks):
    """Extract, failing in the given block: (block, **options of extract) -> report."""

    def call(fails_in=None, name="out.h5", batch=8, **options):
        recipe, engine = pixels(batch)
        chosen = {"catalog": catalog, "recipe": recipe, "engine": engine, **options}
        with pytest.MonkeyPatch.context() as patch:
            if fails_in is not None:
                patch.setattr(FeatureStore, "append", failing(fails_in))
            return extract(output=tmp_path / name, **chosen)

    return call


def failing(block):
    real, seen = FeatureStore.append, []

    def append(store, rows):
        seen.append(store)
        if len(seen) == block:
            raise OSError("stop")
        real(store, rows)

    return append


@pytest.mark.parametrize("block", range(1, 8))
def test_stopped_before_any_block(begin, dump, tmp_path, block):
    begin(name="good.h5")
    with pytest.raises(OSError, match="stop"):
        begin(block)
    report = begin()
    assert (report.resumed > 0) == (block > 1)
    assert dump(tmp_path / "out.h5") == dump(tmp_path / "good.h5")


def test_a_resumed_run_embeds_the_same_batches(begin, pixels, monkeypatch):
    _, engine = pixels(8)
    seen = []
    real = engine.submit

    def submit(canvases):
        seen.append(canvases.tobytes())
        return real(canvases)

    engine.submit = submit
    begin(engine=engine, name="good.h5")
    undisturbed, seen[:] = list(seen), []
    with pytest.raises(OSError, match="stop"):
        begin(4, engine=engine)
    first = len(seen)
    begin(engine=engine)
    assert seen[first:] == undisturbed[-len(seen[first:]):]
    assert 0 < first < len(undisturbed)


def test_interrupted_anywhere(begin, dump, tmp_path):
    begin(name="good.h5")
    for moment in (1, 40, 90, 150):

        def interrupt(progress, moment=moment):
            if progress.done >= moment:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            begin(progress=interrupt)
    begin()
    assert dump(tmp_path / "out.h5") == dump(tmp_path / "good.h5")


def test_everything_done_but_the_name(begin, dump, tmp_path):
    begin(name="good.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureStore, "finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            begin()
    assert begin().resumed == 150
    (tmp_path / "out.h5").rename(tmp_path / "out.h5.partial")  # killed just before the rename
    assert begin().resumed == 150
    assert dump(tmp_path / "out.h5") == dump(tmp_path / "good.h5")


def test_progress_counts_what_was_resumed(begin):
    with pytest.raises(OSError, match="stop"):
        begin(4)
    seen = []
    report = begin(progress=seen.append)
    assert {p.resumed for p in seen} == {report.resumed}
    assert (seen[-1].done, seen[-1].failed) == (150, 16)
    assert seen[0].failed > 0


def changed_catalogs(catalog):
    other = catalog.subset(range(149))
    relabelled = Catalog(catalog.source, catalog.path, ["x"] * 150, catalog.group, catalog.id,
                         catalog.size)
    return {"images": other, "label": relabelled}


@pytest.mark.parametrize("field", ["images", "label", "batch", "recipe", "engine",
                                   "precision", "device"])
def test_an_unfinished_file_of_something_else(begin, catalog, pixels, field):
    with pytest.raises(OSError, match="stop"):
        begin(4)
    _, engine = pixels(8)
    if field == "batch":
        options = {"batch": 4}
    elif field == "recipe":
        options = dict(zip(("recipe", "engine"), pixels(8, background="black"), strict=True))
    elif field in ("engine", "precision", "device"):
        setattr(engine, {"engine": "name"}.get(field, field), "other")
        options = {"engine": engine}
    else:
        options = {"catalog": changed_catalogs(catalog)[field]}
    message = r"(begun differently|other images)(.|\n)*--overwrite"
    with pytest.raises(MismatchError, match=message) as error:
        begin(**options)
    assert field in error.value.fields
    assert begin(overwrite=True, **options).resumed == 0


def test_a_damaged_unfinished_file(begin, tmp_path):
    (tmp_path / "out.h5.partial").write_bytes(b"")
    with pytest.raises(StoreError, match="Move it elsewhere"):
        begin()
    assert begin(overwrite=True).found == 150


def test_update_is_resumed(begin, make_vignettes, tmp_path, dump):
    catalog = build_catalog(make_vignettes(tmp_path / "more", 90, seed=1))
    begin(catalog=catalog.subset(range(60)))
    begin(name="good.h5", catalog=catalog)
    with pytest.raises(OSError, match="stop"):
        begin(3, catalog=catalog, update=True)
    report = begin(catalog=catalog, update=True)
    assert report.resumed > 0
    assert report.reused > 0
    assert dump(tmp_path / "out.h5") == dump(tmp_path / "good.h5")
