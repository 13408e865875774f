"""Finding images in folders."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest

from plankton_features.cli.catalog_text import several_folders_notes
from plankton_features.errors import ImageFailure, InputError
from plankton_features.finetuning import fine_tune
from plankton_features.images import Catalog, build_catalog, open_source, read_bytes
from plankton_features.images.catalog import check_catalog
from plankton_features.images.sources.folder import (
    IMAGE_SUFFIXES,
    is_image_name,
    labels_of_several_folders,
)


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(path.name))


def test_folders_are_labels_and_paths_are_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "b/10.png", "a/deep/er/1.jpg", "top.tif")
    catalog = build_catalog(str(tmp_path))
    assert catalog.path == ["a/deep/er/1.jpg", "b/10.png", "b/2.png", "top.tif"]
    assert catalog.label == ["er", "b", "b", ""]
    assert catalog.group == catalog.id == [""] * 4
    assert catalog.size.tolist() == [5, 6, 5, 7]
    assert [Path(catalog.file(i)) for i in range(4)] == [tmp_path / p for p in catalog.path]


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_case_of_endings_does_not_matter(suffix: str) -> None:
    assert is_image_name("a" + suffix)
    assert is_image_name("a.b" + suffix.upper())
    assert not is_image_name("a" + suffix + "x")
    assert not is_image_name(suffix)


def test_the_label_may_be_another_folder(tmp_path: Path) -> None:
    touch(tmp_path, "fish/adult/1.png", "copepod/adult/x/2.png", "e\u0301/juv/3.png", "4.png")
    labels = {level: build_catalog(tmp_path, label_level=level).label for level in (1, 2, -1, -2)}
    assert labels == {1: ["", "copepod", "\u00e9", "fish"], 2: ["", "adult", "juv", "adult"],
                      -1: ["", "x", "juv", "adult"], -2: ["", "adult", "\u00e9", "fish"]}
    assert build_catalog(tmp_path).label == labels[-1]


@pytest.mark.parametrize(("level", "told"), [
    (3, "label-level 3: 'fish/adult/1.png' lies in 2 folders"),
    (-3, "label-level -3: 'fish/adult/1.png' lies in 2 folders"),
    (0, "label-level 0: there is no such folder"),
])
def test_a_label_level_that_is_not_there(tmp_path: Path, level: int, told: str) -> None:
    touch(tmp_path, "fish/adult/1.png", "copepod/adult/x/2.png")
    (tmp_path / "t.csv").write_text("path\nfish/adult/1.png\n")
    with pytest.raises(InputError, match=told + r".*Count from 1"):
        build_catalog(tmp_path, label_level=level)
    with pytest.raises(InputError, match=r"label-level goes with zip or folder; .* as table"):
        build_catalog(tmp_path / "t.csv", label_level=1)


def test_a_source_may_be_named(tmp_path: Path) -> None:
    touch(tmp_path, "odd.zip/fish/1.png")
    with zipfile.ZipFile(tmp_path / "archive.dat", "w") as archive:
        archive.writestr("fish/1.png", b"x")
    assert build_catalog(tmp_path / "archive.dat", source="zip").path == ["fish/1.png"]
    assert open_source(tmp_path / "archive.dat", "zip").read("fish/1.png") == b"x"
    assert build_catalog(tmp_path / "odd.zip", source="folder", label_level=1).label == ["fish"]
    with pytest.raises(InputError, match=r"archive.dat: expected a folder of images or a table"):
        build_catalog(tmp_path / "archive.dat")
    with pytest.raises(InputError, match=r"odd.zip: expected a zip archive"):
        build_catalog(tmp_path / "odd.zip", source="zip")
    with pytest.raises(InputError, match=r"expected one of .*folder; got 'tar'"):
        build_catalog(tmp_path, source="tar")


def test_labels_of_several_folders(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "d\u00e9bris")
    touch(tmp_path, "fish/adult/1.png", "fish/adult/2.png", "copepod/adult/3.png", "salp/4.png",
          f"a/{nfd}/5.png", "b/d\u00e9bris/6.png", "7.png")
    assert labels_of_several_folders(build_catalog(tmp_path)) == {
        "adult": ["copepod/adult", "fish/adult"], "d\u00e9bris": [f"a/{nfd}", "b/d\u00e9bris"]}
    assert "the class 'adult' is made of 2 folders (copepod/adult, fish/adult), and so are 1 more" \
        in several_folders_notes(build_catalog(tmp_path))[0].lower()
    assert not several_folders_notes(build_catalog(tmp_path, label_level=1))
    assert not several_folders_notes(build_catalog(tmp_path / "fish"))


def test_other_and_hidden_files_are_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/._1.png", "a/Thumbs.db", "b/x.DB", "README", ".git/9.png")
    catalog = build_catalog(tmp_path)
    assert catalog.path == ["a/1.png"]
    assert catalog.ignored == {".png": 1, ".db": 2, "no ending": 1, ".git/": 1}


SYSTEMS_LEAVE = ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found",
                 ".Trash-1000", ".Trashes", ".AppleDouble", "__MACOSX", "@Recycle", "FOUND.000",
                 ".Spotlight-V100", "RECYCLER", "#snapshot", ".@__thumb", "LOST.DIR", "~snapshot",
                 ".ipynb_checkpoints", "@Recently-Snapshot", ".snapshot", "Network Trash Folder"]


@pytest.mark.parametrize("name", SYSTEMS_LEAVE)
@pytest.mark.parametrize("way", [str, str.lower, str.upper])
def test_folders_that_systems_leave_are_no_classes(tmp_path: Path, name: str, way: object) -> None:
    name = way(name)
    touch(tmp_path, "Oithona/1.png", f"{name}/2.png", f"{name}/S-1-5/3.png",
          f"Oithona/{name}/1.png/SYNOPHOTO_THUMB_M.jpg")
    catalog = build_catalog(tmp_path)
    assert catalog.path == ["Oithona/1.png"]
    assert catalog.ignored == {f"{name}/": 2}
    assert build_catalog(tmp_path / name).path == ["2.png", "S-1-5/3.png"]  # if it is asked for


@pytest.mark.parametrize("name", ["@home", "#1", "$", "recycle", "found", "lost", "Trash", "_"])
def test_folders_with_odd_names_are_classes(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"{name}/1.png")
    assert build_catalog(tmp_path).label == [name]


def test_labels_in_two_spellings_are_one(tmp_path: Path) -> None:
    for form, name in (("NFC", "1.png"), ("NFD", "2.png")):
        touch(tmp_path, unicodedata.normalize(form, "Crustacé") + "/" + name)
    touch(tmp_path, "веслоногие/3.png", "🦐/4.png")
    catalog = build_catalog(tmp_path)
    assert set(catalog.label) == {unicodedata.normalize("NFC", "Crustacé"), "веслоногие", "🦐"}
    assert all(read_bytes(catalog.file(i)) for i in range(4))  # paths keep their own spelling


def test_links_to_folders_are_followed_but_not_round(tmp_path: Path) -> None:
    touch(tmp_path, "in/taxon/1.png", "elsewhere/2.png")
    (tmp_path / "in" / "other").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "taxon" / "back").symlink_to(tmp_path / "in")
    (tmp_path / "elsewhere" / "self").symlink_to(".")
    (tmp_path / "in" / "nowhere").symlink_to("nowhere")
    catalog = build_catalog(tmp_path / "in")
    assert catalog.path == ["other/2.png", "other/self", "taxon/1.png", "taxon/back"]
    assert catalog.ignored == {"no ending": 1}
    for i in (1, 3):
        with pytest.raises(ImageFailure, match="list: link to a folder: leads back"):
            read_bytes(catalog.file(i))


def test_a_folder_named_like_an_image_is_reported_and_searched(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg/1.png")
    catalog = build_catalog(tmp_path)
    assert catalog.path == ["x.jpg", "x.jpg/1.png"]
    assert catalog.label == ["", "x.jpg"]


def test_a_folder_that_cannot_be_opened_is_one_entry(tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may open every folder, so the refusal is put in by hand.
    touch(tmp_path, "open/1.png", "closed/2.png")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if Path(path).name in ("closed", "root"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    catalog = build_catalog(tmp_path)
    assert catalog.path == ["closed", "open/1.png"]
    assert catalog.size.tolist() == [-1, 5]
    with pytest.raises(ImageFailure, match="list: folder cannot be opened: permission denied"):
        read_bytes(catalog.file(0))
    (tmp_path / "root").mkdir()
    with pytest.raises(InputError, match=r"root: cannot open this folder: Permission denied"):
        build_catalog(tmp_path / "root")


def test_pipes_and_devices_among_images_are_failures(tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.png", "t.csv")
    monkeypatch.chdir(tmp_path / "a")  # the address of a socket must be short
    paths = special_files(tmp_path / "a")
    (tmp_path / "t.csv").write_text("path\n" + "\n".join(f"a/{p.name}" for p in paths))
    for catalog in (build_catalog(tmp_path).subset(range(1, 1 + len(paths))),
                    build_catalog(tmp_path / "t.csv")):
        assert sorted(catalog.path) == sorted(f"a/{p.name}" for p in paths)
        for i in range(len(catalog)):
            with pytest.raises(ImageFailure, match="read: not a regular file"):
                read_bytes(catalog.file(i))
    for path in paths:
        with pytest.raises(InputError, match="got a pipe, socket or device"):
            build_catalog(path)


def test_a_file_that_becomes_a_pipe_is_not_waited_for(tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "a.png")
    touch(tmp_path, "b.png")
    regular = (tmp_path / "b.png").stat()
    monkeypatch.setattr(os, "stat", lambda path: regular)  # what it was when it was looked at
    with pytest.raises(ImageFailure, match="read: not a regular file"):
        read_bytes(str(tmp_path / "a.png"))


def special_files(folder: Path) -> list[Path]:
    """A pipe, a socket and, where they can be made, two devices."""
    names = ["p.png", "s.png", "zero.png", "disk.png"]
    os.mkfifo(folder / names[0])
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(names[1])
    with contextlib.suppress(PermissionError):
        os.mknod(folder / names[2], stat.S_IFCHR | 0o600, os.makedev(1, 5))
        os.mknod(folder / names[3], stat.S_IFBLK | 0o600, os.makedev(7, 200))
    return [folder / name for name in names if (folder / name).exists()]


def test_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no files"):
        build_catalog(tmp_path)
    touch(tmp_path, "a/1.xlsx", "a/2.xlsx", "3.zip")
    with pytest.raises(InputError, match=r"found 2 \.xlsx, 1 \.zip.*holds the taxon folders"):
        build_catalog(tmp_path)
    for name in ("absent", "x" * 300, "a\0b"):
        with pytest.raises(InputError, match="found nothing there"):
            build_catalog(tmp_path / name)


def test_order_does_not_depend_on_the_file_system(tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, *(f"{t}/{i}.png" for t in "cab" for i in range(5)))
    first = build_catalog(tmp_path)
    monkeypatch.setattr("plankton_features.images.sources.folder.list",
                        lambda scan: sorted(scan, key=lambda e: e.name, reverse=True),
                        raising=False)
    assert build_catalog(tmp_path).fingerprint() == first.fingerprint()


def test_fingerprint_tells_which_column_differs(tmp_path: Path) -> None:
    paths = ["a.png", "b.png"]
    base = Catalog.from_paths(paths, root=tmp_path).fingerprint()
    assert base["n"] == "2"

    def differs(other: Catalog) -> set[str]:
        return {k for k, v in other.fingerprint().items() if v != base[k]}

    assert differs(Catalog.from_paths(paths, root=tmp_path / "moved")) == set()
    assert differs(Catalog.from_paths(paths[::-1], root=tmp_path)) == {"path"}
    assert differs(Catalog.from_paths(paths, root=tmp_path, labels="xy")) == {"label"}
    assert differs(Catalog.from_paths(paths, root=tmp_path, groups="xy")) == {"group"}
    assert differs(Catalog.from_paths(paths, root=tmp_path, ids="xy")) == {"id"}
    assert differs(Catalog.from_paths(["a.png", "b.pngc"], root=tmp_path)) == {"path"}
    touch(tmp_path, "a.png")
    assert differs(Catalog.from_paths(paths, root=tmp_path)) == {"size"}


def test_fingerprint_does_not_run_values_together() -> None:
    first = Catalog.from_paths(["ab", "c"]).fingerprint()
    assert first["path"] != Catalog.from_paths(["a", "bc"]).fingerprint()["path"]


def test_from_paths_keeps_order_and_checks_lengths(tmp_path: Path) -> None:
    touch(tmp_path, "here.png")
    catalog = Catalog.from_paths([Path("z.png"), "here.png"], root=tmp_path, labels=["e\u0301", ""])
    assert catalog.path == ["z.png", "here.png"]
    assert catalog.label == ["\u00e9", ""]
    assert catalog.size.tolist() == [-1, 8]
    with pytest.raises(InputError, match="group: expected 2 values, one per path; got 1"):
        Catalog.from_paths(["a", "b"], groups=["x"])


@pytest.mark.parametrize(("positions", "expected"), [
    ([2, 0], "ca"), ([], ""), (np.array([True, False, True]), "ac"), ([True, True, False], "ab"),
    (np.array([1]), "b"), ([-1, -1], "cc"),
])
def test_subset(positions: list | np.ndarray, expected: str) -> None:
    catalog = Catalog.from_paths("abc", labels="ABC", groups="123", ids="xyz")
    part = catalog.subset(positions)
    assert part.path == list(expected)
    assert part.label == list(expected.upper())
    assert part.group == ["123"["abc".index(p)] for p in expected]
    assert part.id == ["xyz"["abc".index(p)] for p in expected]
    assert len(part) == len(part.size) == len(expected)


def test_subset_out_of_range() -> None:
    with pytest.raises(IndexError):
        Catalog.from_paths("abc").subset([3])


def test_a_catalog_without_images_is_refused():
    with pytest.raises(InputError, match="catalog: holds no images"):
        check_catalog(Catalog.from_paths([]))


def test_a_folder_is_no_catalog(tmp_path):
    for call in (check_catalog, lambda given: fine_tune(given, tmp_path / "a.keras", None)):
        with pytest.raises(InputError, match=r"got 'imgs'\. Make one with build_catalog\('imgs'\)"):
            call("imgs")
    assert check_catalog(Catalog.from_paths(["a"])) is None
