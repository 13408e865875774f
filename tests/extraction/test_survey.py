import time

import numpy as np
import pytest
from PIL import Image

from plankton_features import build_catalog, extract
from plankton_features.extraction import survey
from plankton_features.extraction.surveying import ground_of, time_per_batch


def test_it_finds_what_extraction_finds(catalog, pixels, tmp_path):
    recipe, engine = pixels()
    seen = []
    found = survey(catalog, recipe, engine, progress=seen.append)
    report = extract(catalog, recipe, engine, tmp_path / "out.h5")
    assert (found.n_images, found.n_read) == (150, 150)
    assert (found.duplicates, found.conflicts) == (report.duplicates, report.conflicts)
    assert len(found.failures) == report.failed == seen[-1].failed
    assert sum(found.grounds.values()) == report.written
    assert found.classes.sum() == 150
    assert (found.width[0], found.width[-1]) == (12, 39)
    assert (np.diff(found.height) >= 0).all()
    assert [p.done for p in seen] == list(range(1, 151))
    assert found.failures.columns.tolist() == ["path", "stage", "reason"]


def test_nothing_is_written(catalog, pixels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    survey(catalog, *pixels())
    assert list(tmp_path.iterdir()) == []


def test_large_catalogs_are_sampled_and_the_time_scaled(catalog, pixels, monkeypatch):
    monkeypatch.setattr("plankton_features.extraction.surveying.LARGEST_SAMPLE", 15)
    recipe, engine = pixels()
    monkeypatch.setattr("plankton_features.extraction.surveying.time_per_batch", lambda *_: 8.0)
    found = survey(catalog, recipe, engine)
    assert (found.n_images, found.n_read) == (150, 15)
    assert found.seconds == pytest.approx(10 * sum(found.grounds.values()))


def test_all_failed(tmp_path, pixels):
    (tmp_path / "a.png").write_bytes(b"broken")
    found = survey(build_catalog(tmp_path), *pixels())
    assert found.width.tolist() == [0] * 5
    assert found.grounds == {}


@pytest.mark.parametrize(("grey", "name"), [(0, "black"), (63, "black"), (64, "grey"),
                                            (191, "grey"), (192, "white"), (255, "white")])
def test_grounds(grey, name):
    canvas = np.full((9, 9), 128, np.uint8)
    canvas[[0, -1]] = grey
    canvas[:, [0, -1]] = grey
    assert ground_of(canvas) == name
    assert ground_of(np.repeat(canvas[:, :, None], 3, axis=2)) == name


def test_the_faster_of_two_batches_counts(pixels):
    _, engine = pixels()
    real, sleeps = engine.submit, [0.2, 0.0]

    def submit(canvases):
        time.sleep(sleeps.pop(0))
        return real(canvases)

    engine.submit = submit
    assert time_per_batch(engine, 32) < 0.2
    assert sleeps == []


def test_conflicts_only_under_other_labels(tmp_path, pixels):
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(path)
    found = survey(build_catalog(tmp_path), *pixels())
    assert (found.duplicates, found.conflicts) == (2, 1)
