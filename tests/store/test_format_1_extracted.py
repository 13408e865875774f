"""What the last version of format 1 extracted is read, continued, updated and merged as ever."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from plankton_features import build_catalog, merge_files, open_session, read_features
from plankton_features.embedding import EngineOptions
from plankton_features.store import partial_attributes

DATA = Path(__file__).parents[1] / "data"
sys.path.insert(0, str(DATA))
from make_format_1_extracted import pictures  # noqa: E402 (lies beside the files)

FINISHED, BEGUN = DATA / "format-1-finished.h5", DATA / "format-1-begun.h5"


@pytest.fixture
def plain(tmp_path):
    """Catalog of a table without further columns."""
    table = pictures(tmp_path / "imgs")
    lines = [line.rpartition(",")[0] for line in table.read_text(encoding="utf-8").splitlines()]
    table.write_text("\n".join(lines), encoding="utf-8")
    return build_catalog(table)


@pytest.fixture
def file(tmp_path):
    """A copy of the finished file."""
    return read_features(shutil.copy(FINISHED, tmp_path / "out.h5"))


@pytest.fixture
def begun(tmp_path):
    """Name of a feature file of which there is a copy of the unfinished one."""
    shutil.copy(BEGUN, tmp_path / "out.h5.partial")
    return tmp_path / "out.h5"


def extract(path, catalog, **how):
    """Extract again, by a network that cannot be asked where `how` says so."""
    session = open_session(path, options=EngineOptions(batch=2))
    return session.extract(catalog, path, **how)


def assert_same_rows(one, other):
    assert (one.X == other.X).all()
    for table in ("images", "failures", "duplicates"):
        wanted = getattr(other, table)
        assert getattr(one, table)[list(wanted)].equals(wanted)


def test_it_is_what_its_pictures_give(file, plain, tmp_path):
    assert file.attributes["format_version"] == 1
    report = extract(file.path, plain, overwrite=True)
    assert (report.written, report.duplicates, report.failed) == (5, 1, 1)
    again = read_features(file.path)
    np.testing.assert_allclose(again.X, read_features(FINISHED).X, rtol=1e-6)
    assert_same_rows(again, read_features(FINISHED))


def test_a_begun_one_is_continued_where_there_is_nothing_more_to_write(begun, plain):
    assert partial_attributes(begun)["format_version"] == 1
    report = extract(begun, plain)
    assert report.resumed == 6
    assert_same_rows(read_features(begun), read_features(FINISHED))


def test_it_is_updated_without_the_network(file, plain):
    before = read_features(FINISHED)
    report = extract(file.path, plain, update=True)
    assert (report.reused, report.written) == (5, 5)
    assert_same_rows(read_features(file.path), before)


def test_it_is_merged(file, tmp_path):
    merged = merge_files([FINISHED, file.path], tmp_path / "all.h5", prefix=True)
    assert len(merged) == 5
    assert merged.count("duplicates") == 7
    assert (merged.X == file.X).all()
