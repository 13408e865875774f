import subprocess
import sys
from contextlib import suppress
from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plankton_features.errors import MismatchError, StoreError
from plankton_features.store import FeatureStore, Plan, partial_attributes, partial_path


def test_the_file_appears_only_when_it_is_whole(opened, block, tmp_path):
    with opened() as store:
        store.append(block(0, 40))
        assert not store.path.exists()
        assert store.partial.exists()
        store.finish()
        assert store.path.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]


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
    with pytest.raises(MismatchError, match="engine: found numpy, asked for openvino") as error:
        opened(engine="openvino", batch=3)
    assert error.value.fields == {"engine": ("numpy", "openvino"), "batch": (None, 3)}
    with opened() as store:  # the refused one let go of the file and its lock
        assert store.n_done == 3


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
        with pytest.raises(StoreError, match="another process is writing"):
            opened(overwrite=True)
        with pytest.raises(StoreError, match="another process is writing"):
            partial_attributes(tmp_path / "out.h5")
        holder.kill()
    assert (tmp_path / "out.h5.lock").exists()  # what a killed process leaves blocks nobody
    opened(overwrite=True).close()


def test_file_systems_without_locks(opened, block, monkeypatch):
    def refuse(*_, **__):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("plankton_features.store.disk.FileLock.acquire", refuse)
    with opened() as store:
        store.append(block(0, 40))
        store.finish()
    assert store.path.exists()


def damaged(path, how):
    content = path.read_bytes()
    damages = {
        "empty": b"", "text": b"my thesis", "truncated": content[: len(content) // 2],
        "head": bytes(64) + content[64:], "tables": content.replace(b"TREE", b"tree"),
    }
    path.write_bytes(damages[how])


@pytest.mark.parametrize("how", ["empty", "text", "truncated", "head", "tables"])
def test_a_damaged_partial_is_named_with_a_way_out(opened, block, how):
    with opened() as store:
        store.append(block(0, 20, "vf"))
    damaged(store.partial, how)
    for call in (opened, lambda: partial_attributes(store.path)):
        with pytest.raises(StoreError, match=r"cannot be continued .*--overwrite"):
            call()
    with opened(overwrite=True) as store:
        assert store.n_done == 0


def test_random_damage_raises_nothing_else(opened, block):
    with opened() as store:
        store.append(block(0, 20, "vf"))
    content = bytearray(store.partial.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(60):
        bad = bytearray(content)
        start = rng.integers(0, 8192)
        bad[start : start + 200] = rng.bytes(200)
        store.partial.write_bytes(bad)
        with suppress(StoreError, MismatchError):
            opened().close()


def test_other_hdf5_is_not_continued(opened, tmp_path):
    with h5py.File(partial_path(tmp_path / "out.h5"), "w") as file:
        file["x"] = [1]
    with pytest.raises(StoreError, match="--overwrite"):
        opened()


def test_a_partial_that_counts_too_many_rows(opened, block):
    with opened() as store:
        store.append(block(0, 3))
    with h5py.File(store.partial, "r+") as file:
        file.attrs.modify("n_valid", np.int64(41))
    with pytest.raises(StoreError, match="more rows than it has"):
        opened()


def test_a_damaged_undo(opened, block):
    with opened() as store:
        store.append(block(0, 3))
    store.partial.with_name("out.h5.partial.undo").write_bytes(b"PK\3\4 damaged")
    with pytest.raises(StoreError, match="--overwrite"):
        opened()


def test_folders(tmp_path, plan):
    with pytest.raises(StoreError, match=r"folder .*nowhere does not exist"):
        FeatureStore(tmp_path / "nowhere" / "out.h5", plan, {})
    with pytest.raises(StoreError, match="is a folder"):
        FeatureStore(tmp_path, plan, {})


def test_a_read_only_folder(small_disk, plan):
    folder = small_disk("1m", options=",ro")
    with pytest.raises(StoreError, match=r"Read-only file system.*folder that you may write to"):
        FeatureStore(folder / "out.h5", plan, {})


def test_an_interrupt_keeps_the_partial(opened, block):
    with pytest.raises(KeyboardInterrupt), opened() as store:  # noqa: PT012
        store.append(block(0, 5))
        raise KeyboardInterrupt
    with opened() as store:
        assert store.n_done == 5


def test_plan_blocks_are_whole_batches():
    assert Plan(10, 2560, 16).block_rows == 96
    assert Plan(10, 64, 16).block_rows == 4096
    assert Plan(10, 10**6, 16).block_rows == 16


def test_plan_bytes_are_those_of_the_file(opened, block, plan):
    with opened() as store:
        store.append(block(0, 40))
        store.finish()
    with h5py.File(store.path) as file:
        rows = [file["features"], *file["images"].values()]
        assert plan.n_bytes == sum(item.size * item.dtype.itemsize for item in rows)
