"""Unfinished files that something else has damaged."""

import errno
import re
from contextlib import suppress

import h5py
import numpy as np
import pytest

from plankton_features.errors import MismatchError, StoreError
from plankton_features.store import partial_attributes, partial_path


def continued_not(partial, why=".+"):
    """The whole message, as a pattern."""
    return (rf"^{re.escape(str(partial))}: damaged, or not a feature file: it cannot be continued "
            rf"\({why}\)\. Move it elsewhere to begin anew, or choose another name\.$")


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
        with pytest.raises(StoreError, match=continued_not(store.partial)):
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
    partial = partial_path(tmp_path / "out.h5")
    with h5py.File(partial, "w") as file:
        file["x"] = [1]
    with pytest.raises(StoreError, match=continued_not(partial)):
        opened()


@pytest.mark.parametrize(("name", "value"), [("format", "netcdf"), ("format_version", 3)])
def test_another_kind_or_a_newer_format_is_not_continued(opened, block, name, value):
    with opened() as store:
        store.append(block(0, 3))
    with h5py.File(store.partial, "r+") as file:
        file.attrs[name] = value
    why = "it is HDF5 of another kind, or of a newer format"
    with pytest.raises(StoreError, match=continued_not(store.partial, why)):
        opened()


def test_a_partial_that_counts_too_many_rows(opened, block):
    with opened() as store:
        store.append(block(0, 3))
    with h5py.File(store.partial, "r+") as file:
        file.attrs.modify("n_valid", np.int64(41))
    why = "it counts more rows than it has"
    with pytest.raises(StoreError, match=continued_not(store.partial, why)):
        opened()


def test_a_damaged_undo(opened, block):
    with opened() as store:
        store.append(block(0, 3))
    undo = store.partial.with_name("out.h5.partial.undo")
    undo.write_bytes(b"PK\3\4 damaged")
    with pytest.raises(StoreError, match=continued_not(store.partial, "File is not a zip file")):
        opened()
    undo.unlink()
    undo.mkdir()
    with pytest.raises(StoreError, match=r"out.h5.partial: cannot be written \(.*undo"):
        opened()


def test_what_the_system_refuses_is_no_damage(opened, block, monkeypatch):
    with opened() as store:
        store.append(block(0, 3))

    def fail(*_, **__):
        raise OSError(errno.EACCES, "Unable to open file, errno = 13")

    monkeypatch.setattr("plankton_features.store.partial.h5py.File", fail)
    for call in (opened, lambda: partial_attributes(store.path)):
        with pytest.raises(StoreError, match=r"partial: cannot be read \(Permission denied\), "
                                             "which does not mean that it is damaged"):
            call()
    monkeypatch.undo()
    with opened() as store:
        assert store.n_valid == 3


def test_a_link_is_not_continued(opened, block, tmp_path):
    with opened(name="victim.h5") as store:
        store.append(block(0, 3))
    before = store.partial.read_bytes()
    partial_path(tmp_path / "out.h5").symlink_to(store.partial)
    with pytest.raises(StoreError, match="partial: a link, expected the unfinished file itself"):
        opened()
    with opened(overwrite=True) as store:
        store.append(block(0, 3))
    assert (tmp_path / "victim.h5.partial").read_bytes() == before
    assert not store.partial.is_symlink()


@pytest.mark.parametrize("name", ["out.h5.partial.new", "out.h5.partial.undo.new"])
def test_a_link_is_not_written_through(written, tmp_path, name):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / name).symlink_to("victim")
    written()
    assert (tmp_path / "victim").read_text() == "precious"
    assert {p.name for p in tmp_path.iterdir()} == {"victim", "out.h5"}


def test_a_replaced_file_keeps_its_mode(written):
    path = written()
    path.chmod(0o640)
    written()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(("name", "value", "said"), [
    ("recipe", "[1]", "attribute recipe is no JSON object"),
    ("recipe_id", "0" * 12, "attribute recipe_id is '000000000000', but the recipe's is"),
    ("engine", 5, "attribute engine is 5, expected text"),
    ("feature_blocks", '[["x", 1]]', "the lengths of attribute feature_blocks sum to 1")])
def test_attributes_of_an_unfinished_file_are_checked(opened, block, name, value, said):
    with opened() as store:
        store.append(block(0, 3))
    with h5py.File(store.partial, "r+") as file:
        file.attrs[name] = value
    with pytest.raises(StoreError, match=rf"cannot be continued \({said}"):
        partial_attributes(store.path)
