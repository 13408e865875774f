"""One file: whole or as it was, never through a link, with its permissions."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plankton_features.errors import StoreError
from plankton_features.files import temporary
from plankton_features.files.disk import check_room, reserve
from plankton_features.files.replacing import replacing
from plankton_features.files.temporary import leftovers, temporary_file, temporary_folder


def write(path, text="new"):
    with replacing(path, "w") as file:
        file.write(text)


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_new_files_follow_the_umask_and_others_keep_their_mode(tmp_path, umask):
    before = os.umask(umask)
    try:
        write(tmp_path / "new")
        (tmp_path / "old").write_text("older")
        (tmp_path / "old").chmod(0o640)
        write(tmp_path / "old")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o666 & ~umask
    assert mode(tmp_path / "old") == 0o640


def test_names_cannot_be_guessed_and_links_are_not_followed(tmp_path, monkeypatch):
    """A link of the very name that comes next is not written through."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    names = [tmp_path / f".a.{temporary._host()}-0000000{i}.tmp" for i in range(2)]
    names[0].symlink_to(victim)
    coming = iter(names)
    monkeypatch.setattr(temporary, "_new_name", lambda *_: next(coming))
    with pytest.raises(StoreError, match="a: cannot be written"):
        write(tmp_path / "a")
    assert victim.read_text() == "precious"
    assert names[0].is_symlink()
    monkeypatch.undo()
    seen = set()
    for _ in range(20):
        with temporary_file(tmp_path / "a") as (path, _file):
            seen.add(path)
    assert len(seen) == 20


@pytest.mark.parametrize("number", range(4))
def test_a_full_disk_leaves_the_older_file(tmp_path, monkeypatch, number):
    """Whichever call the disk fails in."""
    (tmp_path / "a").write_text("older")
    calls = [(os, "fsync"), (Path, "replace"), (Path, "open"), (Path, "chmod")]
    owner, name = calls[number]

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(owner, name, full)
    with pytest.raises(StoreError, match=r"a: the disk is full\. Free some space"):
        write(tmp_path / "a")
    monkeypatch.undo()
    assert (tmp_path / "a").read_text() == "older"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


KILLED = """
import os, sys, time
from pathlib import Path
from plankton_features.files.temporary import temporary_file, temporary_folder
make = temporary_folder if sys.argv[2] == "folder" else temporary_file
with make(Path(sys.argv[1])) as made:
    if sys.argv[2] == "folder":
        (made / "inner").write_text("x")
    print("made", flush=True)
    sys.stdin.read()
    os._exit(9)
"""


@pytest.fixture
def living(tmp_path):
    """A process that holds something for the file ``a``: kind -> Popen."""
    started = []

    def start(kind):
        process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path / "a", kind], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == "made\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_run_leaves_is_removed_by_the_next(tmp_path, living, kind):
    process = living(kind)
    left = [p for p in tmp_path.iterdir() if p.name.startswith(".a.")]
    write(tmp_path / "a")
    assert left[0].exists()  # it lives
    assert leftovers(tmp_path) == []
    process.kill()
    process.wait()
    assert leftovers(tmp_path) == left
    write(tmp_path / "ab")  # another file's
    assert left[0].exists()
    write(tmp_path / "a")
    assert {p.name for p in tmp_path.iterdir()} == {"a", "ab"}


def test_nothing_of_another_pattern_is_removed(tmp_path):
    here = temporary._host()
    names = [f".a.{here}-0123456.tmp", ".a.tmp", f"a.{here}-01234567.tmp", ".a.1234.tmp",
             f".a.{here}-01234567.tmp.bak", ".a.00000000-01234567.tmp",
             f".b.{here}-01234567.tmp", f".a.{here}-0123456X.tmp"]
    for name in names:
        (tmp_path / name).write_text("mine")
    (tmp_path / f".a.{here}-89abcdef.tmp").symlink_to(tmp_path / names[0])
    before = sorted(tmp_path.iterdir())
    with temporary_folder(tmp_path / "a"):
        pass
    write(tmp_path / "a")
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "a"])


def test_a_file_taken_for_a_leftover_before_it_was_held_is_made_again(tmp_path, monkeypatch):
    its_own, seen = temporary._lock, []

    def slow(descriptor, wait):
        if not seen:
            seen.extend(tmp_path.iterdir())
            seen[0].unlink()  # by another process
        return its_own(descriptor, wait)

    monkeypatch.setattr(temporary, "_lock", slow)
    write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_without_locks_nothing_is_taken_for_a_leftover(tmp_path, monkeypatch):
    left = tmp_path / f".a.{temporary._host()}-01234567.tmp"
    left.write_text("whose?")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(temporary.fcntl, "flock", refuse)
    write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new"
    assert left.exists()


@pytest.mark.parametrize("code", [None, errno.EOPNOTSUPP, errno.EINVAL])
def test_room_is_reserved(tmp_path, monkeypatch, code):
    """With the system's own call, and where a file system does not have it."""
    if code:
        def refuse(*_):
            raise OSError(code, "not here")

        monkeypatch.setattr(os, "posix_fallocate", refuse)
    with (tmp_path / "a").open("w+b", buffering=0) as file:
        file.write(b"header")
        reserve(file, 3_000_000)
        reserve(file, 10)
        assert file.tell() == 6
        assert os.fstat(file.fileno()).st_blocks * 512 >= 3_000_000
    content = (tmp_path / "a").read_bytes()
    assert content == b"header".ljust(3_000_000, b"\0")


@pytest.mark.parametrize("portable", [False, True])
def test_room_that_is_not_there(small_disk, monkeypatch, portable):
    if portable:
        monkeypatch.delattr(os, "posix_fallocate")
    folder = small_disk("1m")
    with (folder / "a").open("w+b", buffering=0) as file, pytest.raises(OSError) as error:  # noqa: PT011
        reserve(file, 2_000_000)
    assert error.value.errno == errno.ENOSPC


def test_check_room(tmp_path):
    check_room(tmp_path, 1, "it needs", "")
    with pytest.raises(StoreError, match=r"it needs 1000000000.0 GB, .* GB are free\. Go\."):
        check_room(tmp_path, 1e18, "it needs", "Go.")
