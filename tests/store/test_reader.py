import h5py
import numpy as np
import pandas as pd
import pytest

from plankton_features import read_features
from plankton_features.errors import StoreError


@pytest.fixture
def file(written):
    return read_features(written())


def test_what_was_written_is_read(file):
    rows = [p for p in range(40) if p % 5 not in (2, 4)]
    assert len(file) == 24
    assert file.shape == (24, 2)
    assert file.X.dtype == np.float32
    assert file.X[:, 0].tolist() == rows
    assert file.y.tolist() == [f"taxon {p % 3}" for p in rows]
    assert file.paths.tolist() == [f"ж/{p}.png" for p in rows]
    assert set(file.groups) == {"tow 1"}
    assert file.images["width"].tolist() == rows
    assert file.failures["reason"][1] == "reason 7"
    assert file.duplicates["row"].tolist() == [0] * 8
    assert file.recipe == {"backbone": "pixels"}
    assert file.recipe_id == "abc"
    assert "24 x 2" in repr(file)
    assert [file.count(t) for t in ("images", "failures", "duplicates")] == [24, 8, 8]


def test_names_and_frame(file):
    assert file.feature_names == ["thumbnail_avg_0", "thumbnail_avg_1"]
    frame = file.to_frame()
    assert frame.loc["ж/3.png"].tolist() == [3, -3]
    assert frame.index.name == "path"


def test_no_groups(opened, block):
    rows = block(0, 40)
    rows.images.pop("group")
    with opened() as store:
        store.append(rows)
        store.finish()
    assert read_features(store.path).groups is None


def test_conflicts_are_duplicates_under_another_label(opened, block):
    rows = block(0, 10, "vvvvd")
    rows.duplicates["label"] = ["taxon 0", "taxon 9"]
    with opened() as store:
        store.append(rows)
        store.finish()
    file = read_features(store.path)
    expected = pd.DataFrame({"path": ["9.png"], "label": ["taxon 9"], "first_path": ["ж/0.png"],
                             "first_label": ["taxon 0"]})
    pd.testing.assert_frame_equal(file.label_conflicts(), expected, check_dtype=False)
    assert file.count_conflicts() == 1


def test_no_conflicts_without_duplicates(written):
    file = read_features(written(kinds="v"))
    assert file.count_conflicts() == 0
    assert file.label_conflicts().empty


def test_counting_reads_no_text(file, monkeypatch):
    monkeypatch.setattr(type(file), "_column", None)
    assert file.count_conflicts() == 0


@pytest.mark.parametrize("rows", [[], [0], [23, 0, 0, 11], range(24)])
def test_take(file, rows):
    taken = file.take(rows)
    assert taken.dtype == np.float32
    assert taken.tolist() == [file.X[r].tolist() for r in rows]


def test_take_over_chunks(tmp_path, opened, written):
    with h5py.File(written(), "r+") as raw:
        values = raw["features"][:]
        del raw["features"]
        raw.create_dataset("features", data=values, chunks=(5, 2))
    file = read_features(tmp_path / "out.h5")
    assert file.take([23, 4, 5, 0]).tolist() == values[[23, 4, 5, 0]].tolist()


def test_blocks(file):
    blocks = list(file.iter_blocks(10))
    assert [len(b) for b in blocks] == [10, 10, 4]
    assert np.concatenate(blocks).tolist() == file.X.tolist()


def test_missing_unfinished_and_other_files(opened, block, tmp_path):
    path = tmp_path / "out.h5"
    with pytest.raises(StoreError, match="no such feature file"):
        read_features(path)
    with opened() as store:
        store.append(block(0, 3))
    with pytest.raises(StoreError, match=r"out.h5.partial is there: run the command"):
        read_features(path)
    store.partial.rename(tmp_path / "renamed.h5")
    with pytest.raises(StoreError, match="not finished"):
        read_features(tmp_path / "renamed.h5")
    with h5py.File(path, "w"):
        pass
    with pytest.raises(StoreError, match="HDF5, but not a feature file"):
        read_features(path)
    path.write_text("my thesis")
    with pytest.raises(StoreError, match=r"not a feature file.*another name"):
        read_features(path)
    with pytest.raises(StoreError, match="not a feature file"):
        read_features(tmp_path)


def test_truncated(written):
    path = written()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match="damaged or not"):
        read_features(path)


def test_a_table_is_missing(written):
    path = written()
    with h5py.File(path, "r+") as raw:
        del raw["duplicates"]
    with pytest.raises(StoreError, match="damaged or not"):
        read_features(path)


def test_a_newer_format(written):
    path = written()
    with h5py.File(path, "r+") as raw:
        raw.attrs["format_version"] = 2
    with pytest.raises(StoreError, match="Update plankton_features"):
        read_features(path)
