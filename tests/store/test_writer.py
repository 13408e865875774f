import errno
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plankton_features.errors import MismatchError, StoreError
from plankton_features.store import (
    FeatureStore,
    Plan,
    partial_attributes,
    read_features,
)


def test_the_file_appears_only_when_it_is_whole(opened, block, tmp_path):
    with opened() as store:
        store.append(block(0, 40))
        assert not store.path.exists()
        assert store.partial.exists()
        store.finish()
        assert store.path.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]


def test_what_is_finished_is_on_the_disk_with_its_name(opened, block, tmp_path, monkeypatch):
    done, replace = [], Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: done.append(os.fstat(file).st_ino))
    monkeypatch.setattr(Path, "replace",
                        lambda *args: (done.append("renamed"), replace(*args))[1])
    with opened() as store:
        store.append(block(0, 40))
        store.finish()
    assert done[-3:] == [store.path.stat().st_ino, "renamed", tmp_path.stat().st_ino]


def test_rows_are_valid_once_appended(opened, block):
    with opened() as store:
        store.append(block(0, 7, "vvf"))
        assert (store.n_valid, store.n_done, store.count("failures")) == (5, 7, 2)
        store.append(block(7, 9, "d"))
        assert (store.n_valid, store.n_done, store.count("duplicates")) == (5, 9, 2)
    with opened() as store:
        assert (store.n_valid, store.n_done) == (5, 9)
        assert store.sha256() == [bytes.fromhex(f"{p:064x}") for p in (0, 1, 3, 4, 6)]


@settings(max_examples=15, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 39), max_size=8, unique=True),
       st.sampled_from(["v", "vf", "d", "f", "vdvf", "vvvvvvd"]))
def test_any_split_into_blocks_gives_the_same_file(written, dump, cuts, kinds):
    whole, split = written((0, 40), kinds), None
    expected = dump(whole)
    split = written((0, *sorted(cuts), 40), kinds)
    assert dump(split) == expected


@settings(max_examples=15, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 39), min_size=1, max_size=8, unique=True))
def test_a_run_in_many_sittings_gives_the_same_file(written, opened, block, dump, cuts):
    expected = dump(written(kinds="vfd"))
    for start, stop in pairwise((0, *sorted(cuts))):
        with opened(overwrite=start == 0) as store:
            assert store.n_done == start
            store.append(block(start, stop, "vfd"))
    assert dump(written(kinds="vfd")) == expected


def test_another_header_is_refused_by_name(opened, block):
    with opened() as store:
        store.append(block(0, 3))
    with pytest.raises(MismatchError) as error:
        opened(engine="openvino", batch=3)
    assert str(error.value) == (
        f"{store.partial}: was begun differently. These differ:\n"
        "  engine: found numpy, asked for openvino\n  batch: found None, asked for 3\n"
        "Use the same images and options as before, another file name, or --overwrite.")
    assert error.value.fields == {"engine": ("numpy", "openvino"), "batch": (None, 3)}
    with opened() as store:  # the refused one let go of the file and its lock
        assert store.n_done == 3


def test_attributes_of_an_unfinished_file(opened, block, tmp_path):
    assert partial_attributes(tmp_path / "out.h5") is None
    with opened(batch=3) as store:
        store.append(block(0, 7, "vvf"))
    found = partial_attributes(store.path)
    assert found == {
        "recipe": '{"backbone":"pixels"}', "engine": "numpy", "precision": "float32", "batch": 3,
        "recipe_id": "e080b88e341c", "weights_source": "none",
        "feature_blocks": '[["thumbnail_avg", 2]]', "format": "plankton_features",
        "format_version": 2, "n_valid": 5, "complete": False}
    assert {type(value) for value in found.values()} == {str, int, bool}


@pytest.mark.parametrize("n_rows", [0, 1, 40])
def test_an_unfinished_file_may_be_empty_or_full(opened, block, n_rows):
    with opened() as store:
        store.append(block(0, n_rows))
    with opened() as store:
        assert store.n_valid == store.n_done == n_rows
        store.append(block(n_rows, 40))
        store.finish()
    assert read_features(store.path).X[:, 0].tolist() == [*range(40)]


def test_hdf5_asks_for_no_lock_of_its_own(opened, block):
    """Some network file systems have none; `WriteLock` does without, HDF5 would fail."""
    fcntl = pytest.importorskip("fcntl")
    with opened() as store:
        store.append(block(0, 7))
    with store.partial.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert partial_attributes(store.path)["n_valid"] == 7
        with opened() as store:
            assert store.n_valid == 7


def test_overwrite_begins_anew(opened, block):
    with opened() as store:
        store.append(block(0, 3))
    with opened(overwrite=True, engine="openvino") as store:
        assert store.n_done == 0


HOLDER = """
import sys
from plankton_features.store import FeatureStore, Plan
with FeatureStore(sys.argv[1], Plan(1, 1), {"recipe": "{}"}):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_refused(opened, tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path / "out.h5"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreError) as error:
            opened(overwrite=True)
        assert str(error.value) == (f"{tmp_path / 'out.h5'}: another process is writing this "
                                    "file. Wait until it ends, or choose another name.")
        with pytest.raises(StoreError, match="another process is writing"):
            partial_attributes(tmp_path / "out.h5")
        holder.kill()
    assert (tmp_path / "out.h5.lock").exists()  # what a killed process leaves blocks nobody
    opened(overwrite=True).close()


def test_file_systems_without_locks(opened, block, monkeypatch):
    def refuse(*_, **__):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("plankton_features.files.locking.FileLock.acquire", refuse)
    with opened() as store:
        store.append(block(0, 40))
        store.finish()
    assert store.path.exists()


def test_folders(tmp_path, plan):
    with pytest.raises(StoreError, match=r"folder .*nowhere does not exist"):
        FeatureStore(tmp_path / "nowhere" / "out.h5", plan, {})
    with pytest.raises(StoreError, match="is a folder"):
        FeatureStore(tmp_path, plan, {})


def test_a_read_only_folder(small_disk, plan):
    folder = small_disk("1m", options=",ro")
    with pytest.raises(StoreError, match=r"^/.*out.h5: cannot be written \(Read-only file "
                       r"system\)\. Choose a folder that you may write to\.$"):
        FeatureStore(folder / "out.h5", plan, {})


def test_an_interrupt_keeps_the_partial(opened, block):
    with pytest.raises(KeyboardInterrupt), opened() as store:  # noqa: PT012
        store.append(block(0, 5))
        raise KeyboardInterrupt
    with opened() as store:
        assert store.n_done == 5


@pytest.mark.parametrize("call", ["append", "finish"])
def test_a_full_disk_is_told_and_loses_nothing(opened, block, call, monkeypatch):
    def fail(file):
        raise OSError(errno.ENOSPC, "write failed")

    told = (r"out.h5.partial: the disk is full\. Free some space and run the same command again: "
            r"it continues where it stopped\.$")
    with opened() as store:
        store.append(block(0, 7))
        monkeypatch.setattr(h5py.File, "flush", fail)
        with pytest.raises(StoreError, match=told):
            store.append(block(7, 12, "vf")) if call == "append" else store.finish()
        assert store.n_valid == 7
        monkeypatch.undo()
    with opened() as store:
        assert (store.n_valid, store.count("failures")) == (7, 0)
    monkeypatch.setattr(h5py.File, "flush", fail)
    with pytest.raises(StoreError, match=told):
        opened(overwrite=True)


def test_an_error_of_closing_hides_no_other(opened, monkeypatch):
    def fail(file):
        raise OSError("the disk is gone")

    told = (r"out.h5.partial: cannot be written \(the disk is gone\)\. Free some space and run the "
            r"same command again: it continues where it stopped\.$")
    with pytest.raises(KeyError) as error, opened():  # noqa: PT012
        monkeypatch.setattr(h5py.File, "close", fail)
        raise KeyError("the first")
    assert re.search(told, error.value.__notes__[0])
    with pytest.raises(StoreError, match=told), opened():
        pass
    monkeypatch.undo()
    opened().close()  # the lock was let go of


def test_plan_blocks_are_whole_batches():
    assert Plan(10, 2560, 16).block_rows == 96
    assert Plan(10, 64, 16).block_rows == 4096
    assert Plan(10, 10**6, 16).block_rows == 16


def test_plan_bytes_are_those_of_the_file(opened, block, plan):
    with opened() as store:
        store.append(block(0, 40))
        store.finish()
    with h5py.File(store.path) as file:
        rows = [file["features"], *file["images"].values(), *file["columns/images"].values()]
        assert plan.n_bytes == sum(item.size * item.dtype.itemsize for item in rows)
