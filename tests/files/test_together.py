"""Several files: all new or all as they were, whatever happens in between."""

import errno
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from plankton_features.errors import InputError, StoreError
from plankton_features.files import together
from plankton_features.files.together import Together, finish_moving, placing, whole_folder

NAMES = ("a.head", "a.html", "a.json", "a.csv")


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def write(folder, paths, text="new"):
    for path in paths:
        (folder / path.name).write_text(f"{text} {path.name}")


def place(paths, text="new"):
    with Together(paths, overwrite=True) as files, files.written() as folder:
        write(folder, paths, text)


OLDER = {name: f"older {name}" for name in NAMES}
NEW = {name: f"new {name}" for name in NAMES}


def set_of(folder, older=True):
    folder.mkdir()
    paths = [folder / name for name in NAMES]
    if older:
        write(folder, paths, "older")
    return paths


#: What changes the disk: at each of these calls, a process may be killed or the disk fail.
CALLS = [(Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "mkdir"), (Path, "chmod"),
         (os, "link"), (os, "fsync"), (shutil, "rmtree")]


def counted(monkeypatch, last, do):
    """Let the call numbered `last` of `CALLS` do something else; a list of calls so far."""
    seen = []

    def wrap(real):
        def call(*args, **options):
            seen.append(real)
            return do() if len(seen) == last else real(*args, **options)

        return call

    for owner, name in CALLS:
        monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))
    return seen


@pytest.mark.parametrize("older", [True, False])
def test_killed_at_every_single_call(tmp_path, monkeypatch, older):
    """The process ends at once; a reader gets all of one kind, and the next run ends as ever."""
    paths = set_of(tmp_path / "count", older)
    seen = counted(monkeypatch, 0, None)
    place(paths)
    n_calls = len(seen)
    monkeypatch.undo()
    assert n_calls > 20
    kinds = set()
    for last in range(1, n_calls + 1):
        folder = tmp_path / str(last)
        paths = set_of(folder, older)
        child = os.fork()
        if not child:
            counted(monkeypatch, last, lambda: os._exit(9))
            place(paths)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        finish_moving(paths[0])
        found = {p.name: p.read_text() for p in folder.iterdir() if p.name in NAMES}
        assert found in (NEW, OLDER if older else {}), f"call {last} of {n_calls}"
        kinds.add(found == NEW)
        place(paths, "third")
        assert content(folder) == {name: f"third {name}" for name in NAMES}
    assert kinds == {True, False}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()],
                         ids=["full", "interrupted"])
def test_an_error_in_every_single_call(tmp_path, monkeypatch, error):
    paths = set_of(tmp_path / "count")
    seen = counted(monkeypatch, 0, None)
    place(paths)
    n_calls = len(seen)
    monkeypatch.undo()

    def fail():
        raise error

    for last in range(1, n_calls + 1):
        folder = tmp_path / str(last)
        paths = set_of(folder)
        with monkeypatch.context() as patch:
            counted(patch, last, fail)
            with suppress(StoreError, KeyboardInterrupt):
                place(paths)
        finish_moving(paths[0])
        found = {p.name: p.read_text() for p in folder.iterdir() if p.name in NAMES}
        assert found in (NEW, OLDER), f"call {last} of {n_calls}"
        place(paths, "third")
        assert content(folder) == {name: f"third {name}" for name in NAMES}


HOLDER = """
import sys
from pathlib import Path
from plankton_features.files.together import Together
with Together([Path(name) for name in sys.argv[1:]], overwrite=True):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_at_once(tmp_path):
    paths = set_of(tmp_path / "x")
    with subprocess.Popen([sys.executable, "-c", HOLDER, *paths], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=r"a\.head: another process is writing this file\. "
                                             "Wait until it ends, or choose another name"):
            place(paths)
        holder.stdin.close()
    assert content(tmp_path / "x") == OLDER
    place(paths)
    assert content(tmp_path / "x") == NEW


def test_files_that_are_there_are_refused_before_the_work(tmp_path):
    paths = set_of(tmp_path / "x", older=False)
    paths[2].write_text("mine")
    with pytest.raises(InputError, match=r"a\.json: is there already"), Together(paths):
        pytest.fail("work began")
    assert content(tmp_path / "x") == {"a.json": "mine"}


def test_each_keeps_its_mode_and_its_link(tmp_path):
    paths = set_of(tmp_path / "x")
    (tmp_path / "far").mkdir()
    paths[1].replace(tmp_path / "far" / "page")
    paths[1].symlink_to(tmp_path / "far" / "page")
    paths[0].chmod(0o640)
    paths[1].chmod(0o604)
    place(paths)
    assert content(tmp_path / "x") == NEW
    assert paths[1].is_symlink()
    assert [p.stat().st_mode & 0o777 for p in paths[:2]] == [0o640, 0o604]


def test_a_link_to_another_disk(tmp_path, small_disk):
    far = small_disk("1m")
    paths = set_of(tmp_path / "x")
    (far / "page").write_text("older a.html")
    paths[1].unlink()
    paths[1].symlink_to(far / "page")
    place(paths)
    assert content(tmp_path / "x") == NEW
    assert [p.name for p in far.iterdir()] == ["page"]


def test_files_that_another_user_left_are_not_moved(tmp_path, monkeypatch):
    paths = set_of(tmp_path / "x")
    whole = whole_folder(paths[0])
    whole.mkdir()
    write(whole, paths)
    monkeypatch.setattr(together.os, "geteuid", lambda: os.getuid() + 1)
    finish_moving(paths[0])
    assert all(path.read_text().startswith("older") for path in paths)
    with pytest.raises(StoreError, match="another user's files wait to be moved here"):
        place(paths)


def test_a_link_in_place_of_the_folder_moves_nothing(tmp_path):
    paths = set_of(tmp_path / "x")
    (tmp_path / "evil").mkdir()
    write(tmp_path / "evil", paths, "evil")
    whole_folder(paths[0]).symlink_to(tmp_path / "evil")
    finish_moving(paths[0])
    with pytest.raises(StoreError, match=r"a\.head: cannot be written"):
        place(paths)
    assert all(path.read_text().startswith("older") for path in paths)
    assert len(content(tmp_path / "evil")) == len(NAMES)


def fill(folder, targets, text="new"):
    for target in targets:
        (folder / target.name).write_text(text)


def test_folders_that_cannot_be_written(tmp_path, small_disk):
    with pytest.raises(StoreError, match="nowhere does not exist"), \
            placing([tmp_path / "nowhere" / "a"]):
        pytest.fail("work began")
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreError, match="is a folder"), placing([tmp_path / "a"]):
        pytest.fail("work began")
    folder = small_disk("1m", options=",ro")
    with pytest.raises(StoreError, match="cannot be written"), placing([folder / "a"]):
        pytest.fail("work began")


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("names", ["ab", "a", ""])
def test_if_one_file_cannot_be_moved_all_stay(tmp_path, monkeypatch, names, links):
    targets = [tmp_path / name for name in "abc"]
    for name in names:
        (tmp_path / name).write_text(f"older {name}")
    its_own = Path.replace

    def refuse_b(self, target):
        if self.read_text() == "new" and target.name == "b":
            raise PermissionError(errno.EACCES, "in use")
        return its_own(self, target)

    def no_links(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "replace", refuse_b)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(StoreError, match=r"cannot be written \(in use\)"), \
            placing(targets) as folder:
        fill(folder, targets)
    assert content(tmp_path) == {name: f"older {name}" for name in names}


KILLED = """
import os, signal, sys
from pathlib import Path
from plankton_features.files.together import placing
with placing([Path(sys.argv[1])]) as folder:
    (folder / Path(sys.argv[1]).name).write_text("new")
    os._exit(9)
"""


def test_a_kill_leaves_the_older_file(tmp_path):
    file = tmp_path / "a"
    file.write_text("older")
    assert subprocess.run([sys.executable, "-c", KILLED, file], check=False).returncode == 9
    assert file.read_text() == "older"
    with placing([file]) as folder:
        fill(folder, [file])
    assert file.read_text() == "new"
