import errno
import re

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
    assert file.recipe_id == "e080b88e341c"
    assert "24 x 2" in repr(file)
    assert [file.count(t) for t in ("images", "failures", "duplicates")] == [24, 8, 8]


def test_names_and_frame(file):
    assert file.feature_names == ["thumbnail_avg_0", "thumbnail_avg_1"]
    frame = file.to_frame()
    assert frame.loc["ж/3.png"].tolist() == [3, -3]
    assert frame.index.name == "path"
    assert frame.columns.tolist() == file.feature_names
    assert np.shares_memory(frame.to_numpy(), file.X)


def test_digests_are_those_of_the_rows(file):
    assert file.digests() == [int(x).to_bytes(32, "big") for x in file.X[:, 0]]


def test_no_groups(opened, block):
    with opened() as store:
        for start in (0, 15):
            rows = block(start, start + 15)
            rows.images.pop("group")
            rows.images.pop("width")
            store.append(rows)
        store.finish()
    file = read_features(store.path)
    assert file.groups is None
    assert not file.images["width"].any()


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


@pytest.mark.parametrize("chunks", [(5, 2), None])
def test_take_reads_whole_chunks_and_no_others(written, chunks, monkeypatch):
    """Other programs may have packed the file anew; without chunks all of it is read."""
    path = written()
    with h5py.File(path, "r+") as raw:
        values = raw["features"][:]
        del raw["features"]
        raw.create_dataset("features", data=values, chunks=chunks)
    file = read_features(path)
    read, plain = [], h5py.Dataset.__getitem__
    monkeypatch.setattr(h5py.Dataset, "__getitem__",
                        lambda *args: (read.append(plain(*args)), read[-1])[1])
    taken = file.take([23, 4, 9, 0, 9])
    assert taken.tolist() == values[[23, 4, 9, 0, 9]].tolist()
    assert [len(rows) for rows in read] == ([5, 5, 4] if chunks else [24])


def test_blocks(file):
    blocks = list(file.iter_blocks(10))
    assert [len(b) for b in blocks] == [10, 10, 4]
    assert np.concatenate(blocks).tolist() == file.X.tolist()


def refusal(path):
    """What is said of a file that is refused, after its name."""
    with pytest.raises(StoreError) as error:
        read_features(path)
    start = f"{path}: "
    assert str(error.value).startswith(start)
    return str(error.value)[len(start):]


NEXT = r"\. Copy it again from where it came from, or choose another name\."


def test_missing_unfinished_and_other_files(opened, block, tmp_path):
    path = tmp_path / "out.h5"
    assert refusal(path) == "no such feature file."
    with opened() as store:
        store.append(block(0, 3))
    assert refusal(path) == ("no such feature file; out.h5.partial is there: run the command that "
                             "began it again to finish it.")
    store.partial.rename(tmp_path / "renamed.h5")
    assert refusal(tmp_path / "renamed.h5") == ("not finished. Run the command that began it "
                                                "again.")
    for kind in (None, "netcdf"):
        with h5py.File(path, "w") as raw:
            raw.attrs.update({"format": kind} if kind else {})
        assert refusal(path) == (f"HDF5, but not a feature file (attribute format is {kind!r}, "
                                 "expected 'plankton_features').")
    path.write_bytes(b"\0\1\2\3 my thesis")
    assert re.fullmatch(r"cannot be opened, it is damaged or not a feature file \(.+\)" + NEXT,
                        refusal(path))


@pytest.mark.parametrize(("content", "kind"), [
    (b"path,label\n1.png,copepod\n", "a text file"), ("Кладоцера".encode(), "a text file"),
    (b"", "an empty file"), (b"\x93NUMPY\1\0v", "a NumPy array"),
    (b"\x89PNG\r\n\x1a\n\0", "an image (PNG)"), (b"\x80\x04\x95\0", "a Python pickle"),
    (b"PK\3\4", "a zip file that is cut short"), (b"CDF\x01\0", "a netCDF file")])
def test_other_files_are_called_what_they_are(tmp_path, content, kind):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    assert refusal(path) == (f"is {kind}, not a feature file. extract-features makes one of "
                             "images: extract-features imgs/ out.h5")
    assert refusal(tmp_path).startswith("is a folder, not a feature file.")


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
        raw.attrs["format_version"] = 3
    assert refusal(path) == ("format 3, this version of the package reads up to 2. Update "
                             "plankton_features.")


LOCKED = ("another program has this file open and holds its lock. Wait until it ends, or close the "
          "file there, and run the same command again. If no program has it open, the file system "
          "keeps a lock that is out of date: set HDF5_USE_FILE_LOCKING=FALSE in the environment.")


def test_a_locked_file_is_not_called_damaged(written, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    path = written()
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert refusal(path) == LOCKED
    assert len(read_features(path)) == 24


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks(written, monkeypatch, code):
    """It is read all the same, unless the environment asks for locks."""
    path, always = written(), [False]

    class NoLocks(h5py.File):
        def __init__(self, name, mode, locking=None):
            super().__init__(name, mode, locking=locking)
            if locking is None or always[0]:
                self.close()
                raise OSError(code, f"Unable to lock file, errno = {code}")

    monkeypatch.setattr("plankton_features.store.disk.h5py.File", NoLocks)
    file = read_features(path)
    for block in file.iter_blocks(10):  # twice at once
        assert len(file.take([0])) == 1 <= len(block)
    always[0] = True
    assert refusal(path) == ("its file system has no locks. Set HDF5_USE_FILE_LOCKING=FALSE in the "
                             "environment and run the same command again.")


def test_what_the_system_refuses_is_no_damage(written, monkeypatch):
    path = written()
    told = ("cannot be read (Input/output error), which does not mean that it is damaged. See that "
            "you may read it and that its disk is there, and run the same command again.")

    def fail(*_, **__):
        raise OSError(errno.EIO, "Unable to read, errno = 5")

    with monkeypatch.context() as patch:
        patch.setattr(h5py.Dataset, "__getitem__", fail)
        with pytest.raises(StoreError, match=re.escape(told)):
            read_features(path).X  # noqa: B018
    monkeypatch.setattr("plankton_features.store.disk.h5py.File", fail)
    assert refusal(path) == told
