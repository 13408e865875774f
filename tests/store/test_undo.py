import h5py
import numpy as np
import pytest

from plankton_features.store.undo import Undo

STARTS = range(0, 1000, 100)


@pytest.fixture
def undo(tmp_path):
    """An Undo that has saved the structure of a file with chunks of values here and there."""
    target = tmp_path / "x.h5"
    undo = Undo(tmp_path / "x.undo", target)
    with h5py.File(target, "w") as file:
        for start in STARTS:
            values = np.arange(start, start + 100.0)
            file.create_dataset(f"group {start}/values", data=values, chunks=(100,))
            file.flush()
        file.create_dataset("empty", shape=(0,), maxshape=(None,), chunks=(64,))
        file.flush()
        undo.save(file)
        undo.content = target.read_bytes()
    return undo


def test_everything_but_values_is_put_back(undo):
    before = undo.content
    changed = bytes(255 - byte for byte in before)
    expected = bytearray(before)
    for start in STARTS:
        chunk = np.arange(start, start + 100.0).tobytes()
        assert before.count(chunk) == 1
        at = before.find(chunk)
        expected[at : at + len(chunk)] = changed[at : at + len(chunk)]
    with np.load(undo.path) as saved:
        assert len(saved["spans"]) > 2
    undo.target.write_bytes(changed + b"a longer file")
    undo.put_back()
    assert undo.target.read_bytes() == expected
    assert [path.name for path in undo.path.parent.iterdir()] == ["x.h5"]


def test_a_change_that_is_valid_stays(undo):
    undo.path.with_name("x.undo.new").write_bytes(b"left by a kill")
    undo.forget()
    undo.target.write_bytes(b"changed")
    undo.put_back()
    assert undo.target.read_bytes() == b"changed"
    assert [path.name for path in undo.path.parent.iterdir()] == ["x.h5"]


def test_what_a_cut_short_save_leaves_is_forgotten(undo, monkeypatch):
    def stop(path):
        raise KeyboardInterrupt

    undo.forget()
    monkeypatch.setattr("plankton_features.store.undo.sync", stop)
    with h5py.File(undo.target) as file, pytest.raises(KeyboardInterrupt):
        undo.save(file)
    assert [path.name for path in undo.path.parent.iterdir()] != ["x.h5"]
    undo.put_back()  # nothing: it was not whole
    undo.forget()
    assert [path.name for path in undo.path.parent.iterdir()] == ["x.h5"]


def test_without_the_file_its_undo_is_dropped(undo):
    undo.target.unlink()
    undo.put_back()
    assert not any(undo.path.parent.iterdir())
