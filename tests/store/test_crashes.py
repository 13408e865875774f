"""The promise of the file: cut short anywhere, it ends as if it had not been."""

import os
import random
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest

from plankton_features.errors import StoreError
from plankton_features.files.disk import sync
from plankton_features.store import FeatureStore, Plan
from plankton_features.store.undo import Undo

BOUNDS = (0, 9, 18, 40)
KINDS = "vvfvdvvvv"
#: At every write or call; by default a sixth of them is tried.
WHOLE = pytest.param(1, id="all", marks=[pytest.mark.whole, pytest.mark.slow])


class Disk:
    """What HDF5 writes a file to. After the last write of its life, nothing more gets through.

    It raises nothing: HDF5 does not expect that of it.
    """

    def __init__(self, path, mode, life):
        flags = {"x": "x+b", "r": "rb", "r+": "r+b"}[mode]
        self.file = Path(path).open(flags, buffering=0)  # noqa: SIM115 (closed when HDF5 lets go)
        self.life = life

    def read(self, n=-1):
        return self.file.read(n)

    def readinto(self, buffer):
        return self.file.readinto(buffer)

    def write(self, data):
        self.life.n += 1
        return len(data) if self.life.over else self.file.write(data)

    def truncate(self, size=None):
        return size if self.life.over else self.file.truncate(size)

    def seek(self, *args):
        return self.file.seek(*args)

    def tell(self):
        return self.file.tell()

    def flush(self):
        pass

    def __del__(self):
        self.file.close()


class Life:
    """Counts writes, up to a last one."""

    def __init__(self, last):
        self.n, self.last = 0, last

    @property
    def over(self):
        return self.n > self.last

    def guard(self, real):
        """What is not done any more when life is over."""

        def call(*args):
            if self.over:
                raise OSError("killed")
            return real(*args)

        return call


@pytest.fixture
def mortal(monkeypatch):
    """Have HDF5 write through a `Disk`: number of its last write -> Life."""
    replace = Path.replace

    def begin(last):
        life = Life(last)
        opens = SimpleNamespace(File=lambda p, mode, **_: h5py.File(Disk(p, mode, life), mode))
        monkeypatch.setattr("plankton_features.store.partial.h5py", opens)
        for module in ("writer", "undo"):
            monkeypatch.setattr(f"plankton_features.store.{module}.sync", life.guard(sync))
        monkeypatch.setattr(Path, "replace", life.guard(replace))
        return life

    return begin


def one_of_each(step, n):
    """Of 0..n-1, one of each `step` in a row; the seed is fixed."""
    chance = random.Random(0)
    return [min(first + chance.randrange(step), n - 1) for first in range(0, n, step)]


@pytest.mark.parametrize("step", [6, WHOLE])
def test_cut_short_at_every_single_write(written, dump, tmp_path, mortal, step):
    life = mortal(10**9)
    path = written(BOUNDS, KINDS)
    expected, n_writes = dump(path), life.n
    assert n_writes > 150
    for last in one_of_each(step, n_writes):
        for left in tmp_path.iterdir():
            left.unlink()
        mortal(last)
        with pytest.raises(StoreError):
            written(BOUNDS, KINDS)
        mortal(10**9)
        written(BOUNDS, KINDS)
        assert dump(path) == expected, f"write {last} of {n_writes}"


def test_without_the_undo_it_would_be_damaged(written, dump, tmp_path, mortal, monkeypatch):
    """The test above can fail."""
    monkeypatch.setattr(Undo, "save", lambda *_: None)
    life = mortal(10**9)
    path = written(BOUNDS, KINDS)
    expected, n_writes = dump(path), life.n
    damaged = 0
    for last in range(0, n_writes, 5):
        for left in tmp_path.iterdir():
            left.unlink()
        mortal(last)
        with pytest.raises(StoreError):
            written(BOUNDS, KINDS)
        mortal(10**9)
        try:
            written(BOUNDS, KINDS)
        except StoreError:
            damaged += 1
        else:
            damaged += dump(path) != expected
    assert damaged > 5


#: What the writer calls: at each of these, a call may be its last.
CALLS = [(h5py.Dataset, "__setitem__"), (h5py.Dataset, "resize"), (h5py.File, "flush"),
         (h5py.AttributeManager, "modify"), (h5py.AttributeManager, "__setitem__"),
         (Undo, "save"), (Undo, "forget"), (Path, "replace"), (os, "fsync")]


@pytest.mark.parametrize("step", [6, WHOLE])
@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()], ids=["full", "stopped"])
def test_an_error_in_every_single_call(written, dump, tmp_path, monkeypatch, error, step):
    path = written(BOUNDS, KINDS)
    expected, count = dump(path), fail_at(monkeypatch, 10**9, error)
    path.unlink()
    written(BOUNDS, KINDS)
    n_calls = count()
    assert n_calls > 90
    for last in (1 + call for call in one_of_each(step, n_calls)):
        for left in tmp_path.iterdir():
            left.unlink()
        fail_at(monkeypatch, last, error)
        with pytest.raises((StoreError, KeyboardInterrupt)):
            written(BOUNDS, KINDS)
        monkeypatch.undo()
        if not path.exists():  # a failed sync of the folder, after the rename
            written(BOUNDS, KINDS)
        assert dump(path) == expected, f"call {last} of {n_calls}"


def fail_at(monkeypatch, last, error):
    """Let the call numbered `last` of CALLS raise `error`; returns the number of calls so far."""
    seen = []

    def counted(real):
        def call(*args, **options):
            seen.append(real)
            if len(seen) == last:
                raise error
            return real(*args, **options)

        return call

    for owner, name in CALLS:
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    return lambda: len(seen)


def test_a_stale_undo_does_not_touch_a_new_file(written, opened, block, dump):
    expected = dump(written())
    with opened(overwrite=True) as store:
        store.append(block(0, 3, "vf"))
        store._undo.save(store._file)
    store.partial.unlink()
    assert dump(written()) == expected


def test_the_undo_is_small(tmp_path):
    with FeatureStore(tmp_path / "out.h5", Plan(20_000, 64), {}) as store:
        store._undo.save(store._file)
        assert store._undo.path.stat().st_size < store.partial.stat().st_size / 50
