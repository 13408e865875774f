"""Zip archives of images, read as they are."""

from __future__ import annotations

import pickle
import shutil
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from plankton_features.errors import ImageFailure, InputError
from plankton_features.images import build_catalog, open_source
from plankton_features.images.sources import is_source_name

NAMES = ["top.png", "b/2.png", "b/10.PNG", "a/deep/er/1.jpg", "a/notes.txt", "b/.hidden.png",
         "b/__MACOSX/1.png", "b/__MACOSX/2.png", "@eaDir/x/1.png", "no ending"]


def write_tree(root: Path) -> Path:
    for n, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 5 + n), n, np.uint8)).save(path, "PNG")
    return root


def packed(archive: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(archive, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return archive


def changed(archive: Path, signature: bytes, offset: int, value: bytes) -> Path:
    """Bytes of the archive's first header of a kind, overwritten."""
    data = bytearray(archive.read_bytes())
    at = data.index(signature) + offset
    data[at : at + len(value)] = value
    archive.write_bytes(data)
    return archive


LOCAL, CENTRAL = b"PK\3\4", b"PK\1\2"


@pytest.mark.parametrize("level", [-1, 1])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_what_it_unpacks_to(tmp_path: Path, level: int, method: int) -> None:
    folder = write_tree(tmp_path / "imgs")
    archive = packed(tmp_path / "imgs.ZIP", {n: (folder / n).read_bytes() for n in NAMES}, method)
    there, here = (build_catalog(p, label_level=level) for p in (folder, archive))
    assert here.fingerprint() == there.fingerprint()
    assert here.path == ["a/deep/er/1.jpg", "b/10.PNG", "b/2.png", "top.png"]
    assert here.ignored == there.ignored == {
        ".txt": 1, ".png": 1, "__MACOSX/": 1, "@eaDir/": 1, "no ending": 1}
    assert here.root == archive
    assert here.where(1) == "imgs.ZIP, b/10.PNG"
    for i in range(4):
        assert here.content(i) == there.content(i) == (folder / here.path[i]).read_bytes()
        assert here.digest(i) == there.digest(i)


def test_what_other_programs_pack(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "imgs")
    archive = Path(shutil.make_archive(str(tmp_path / "made"), "zip", folder))  # with folders
    assert build_catalog(archive).fingerprint() == build_catalog(folder).fingerprint()


def test_what_lies_before_an_archive_moves_it(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"x/1.png": b"one", "x/2.png": b"two"})
    archive.write_bytes(b"self-extracting" * 99 + archive.read_bytes())
    catalog = build_catalog(archive)
    assert [catalog.content(i) for i in range(2)] == [b"one", b"two"]


def test_an_archive_cut_at_its_begin(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"x/1.png": b"one", "x/2.png": b"two"})
    archive.write_bytes(archive.read_bytes()[10:])
    catalog = build_catalog(archive)
    with pytest.raises(ImageFailure, match=r"read: a\.zip: "):
        catalog.content(0)
    assert catalog.content(1) == b"two"


def test_a_place_that_no_file_has(tmp_path: Path) -> None:
    one = zipfile.ZipInfo("x/1.png")
    one.extra = struct.pack("<HHQ", 1, 8, 2**63 + 7)  # ZIP64: where it begins
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(one, b"one")
        file.writestr("x/2.png", b"two")
    catalog = build_catalog(changed(tmp_path / "a.zip", CENTRAL, 42, b"\xff" * 4))
    with pytest.raises(ImageFailure, match=r"read: a\.zip: "):
        catalog.content(0)
    assert catalog.content(1) == b"two"


def test_names_never_lead_out(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {
        "../../up/1.png": b"1", "/etc/2.png": b"2", "./dot/3.png": b"3", "win\\dows\\4.png": b"4",
        "double//5.png": b"5", "..": b"6", "C:/six/6.png": b"7"})
    catalog = build_catalog(archive)
    assert catalog.path == ["C:/six/6.png", "dot/3.png", "double/5.png", "etc/2.png", "up/1.png",
                            "win/dows/4.png"]
    assert [catalog.content(i) for i in range(6)] == [b"7", b"3", b"5", b"2", b"1", b"4"]
    with pytest.raises(ImageFailure, match="no such file in the archive"):
        catalog.source.read("../a.zip")


def test_of_one_name_the_last_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x/1.png", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("x/1.png", b"second one")
    catalog = build_catalog(tmp_path / "a.zip")
    assert (catalog.path, catalog.size.tolist()) == (["x/1.png"], [10])
    assert catalog.content(0) == b"second one"


def test_names_of_macos_are_utf8_and_do_not_say_so(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"d\u00e9bris/1.png": b"x"})
    for signature, offset in ((LOCAL, 6), (CENTRAL, 8)):
        changed(archive, signature, offset, b"\0\0")
    assert build_catalog(archive).label == ["d\u00e9bris"]
    archive = packed(tmp_path / "b.zip", {"d\u00e9bris/1.png": b"x"})
    data = archive.read_bytes().replace("d\u00e9".encode(), b"d\x82 ")  # as DOS wrote it
    archive.write_bytes(data)
    for signature, offset in ((LOCAL, 6), (CENTRAL, 8)):
        changed(archive, signature, offset, b"\0\0")
    assert build_catalog(archive).label == ["d\u00e9 bris"]


def bomb(archive: Path, size: int) -> Path:
    """A file that says it is small and unpacks to `size` zeros."""
    packed(archive, {"x/1.png": bytes(size)})
    return changed(archive, CENTRAL, 24, struct.pack("<I", 1000))


def test_no_more_is_unpacked_than_the_list_says(tmp_path: Path, monkeypatch) -> None:
    catalog = build_catalog(bomb(tmp_path / "a.zip", 50_000_000))
    limits = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self, bits: int):
            self.inner = real(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            limits.append(most)
            return self.inner.decompress(data, most)

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    with pytest.raises(ImageFailure, match="read: damaged in the archive"):
        catalog.content(0)
    assert limits == [1000]


@pytest.mark.parametrize(("signature", "offset", "value", "told"), [
    (CENTRAL, 24, struct.pack("<I", 2**30), "too large: 1073741824 bytes, limit 536870912"),
    (CENTRAL, 20, struct.pack("<I", 2**30), "too large: 1073741824 bytes, limit 536870912"),
    (CENTRAL, 24, struct.pack("<I", 0), "empty file"),
    (CENTRAL, 24, struct.pack("<I", 7), "damaged in the archive.*not those of the archive's list"),
    (CENTRAL, 24, struct.pack("<I", 9000), "damaged in the archive"),
    (CENTRAL, 16, b"\1\2\3\4", "damaged in the archive"),
    (CENTRAL, 8, b"\1\0", "encrypted: unpack the archive with its password"),
    (CENTRAL, 10, struct.pack("<H", 12), "packed by method 12, expected deflate"),
    (CENTRAL, 10, struct.pack("<H", 0), "damaged in the archive"),
    (LOCAL, 0, b"XXXX", "does not begin where the archive's list says"),
    (LOCAL, 26, b"\xff\xff", "damaged in the archive"),
    (LOCAL, 40, b"\xff" * 40, "damaged in the archive"),
])
def test_a_damaged_file_is_a_failure_and_others_are_read(
        tmp_path: Path, signature: bytes, offset: int, value: bytes, told: str) -> None:
    data = np.random.default_rng(0).integers(0, 9, 500, np.uint8).tobytes()
    archive = packed(tmp_path / "a.zip", {"x/1.png": data, "x/2.png": b"good"})
    catalog = build_catalog(changed(archive, signature, offset, value))
    with pytest.raises(ImageFailure, match=told) as failure:
        catalog.content(0)
    assert failure.value.stage == "read"
    assert catalog.content(1) == b"good"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6" + bytes(18), b"GIF89a" * 99], ids=str)
def test_what_is_no_archive_of_images(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip: expected (a zip archive|images)"):
        build_catalog(tmp_path / "a.zip")
    with pytest.raises(ImageFailure, match="read: "):
        open_source(tmp_path / "a.zip").read("x/1.png")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_damaged_bytes_give_a_failure_or_the_picture(tmp_path: Path, data: st.DataObject) -> None:
    """One byte of an archive is another: each picture is what it was, or a failure in words."""
    pictures = {f"x/{i}.png": bytes([i]) * 60 for i in range(3)}
    archive = packed(tmp_path / "a.zip", pictures)
    content = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    archive.write_bytes(content)
    try:
        catalog = build_catalog(archive)
    except InputError:
        return
    for i in range(len(catalog)):
        with suppress(ImageFailure):
            assert catalog.content(i) in pictures.values()


def test_an_archive_that_goes_away_or_changes(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"x/1.png": b"abc" * 50, "x/2.png": b"def" * 50})
    catalog = build_catalog(archive)
    before = catalog.stamp()
    packed(archive, {"x/2.png": b"DEF" * 51, "y/1.png": b"abc" * 50})
    assert catalog.stamp() != before
    with pytest.raises(ImageFailure, match="which may have changed meanwhile"):
        catalog.content(1)
    archive.unlink()
    with pytest.raises(ImageFailure, match=r"read: a\.zip: .*No such file"):
        catalog.content(0)
    with pytest.raises(ImageFailure, match="found none there"):
        pickle.loads(pickle.dumps(catalog)).content(0)


def test_many_threads_and_a_copy_of_it_read_the_same(tmp_path: Path) -> None:
    members = {f"x/{i:03}.png": np.random.default_rng(i).bytes(3000 + i) for i in range(200)}
    catalog = build_catalog(packed(tmp_path / "a.zip", members))
    copy = pickle.loads(pickle.dumps(catalog))
    assert len(pickle.dumps(catalog.source)) < 1000  # what is listed stays here
    with ThreadPoolExecutor(8) as pool:
        for one in (catalog, copy):
            assert list(pool.map(one.content, range(200))) == list(members.values())
    assert copy.stamp() == catalog.stamp()


def test_a_folder_named_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "imgs.zip")
    assert build_catalog(folder).content(3) == (folder / "top.png").read_bytes()


@pytest.mark.parametrize(("name", "is_one"), [
    ("a.zip", True), ("A.CSV", True), ("b.TIF", True), ("out.h5", False), ("zip", False)])
def test_names_of_sources(name: str, is_one: bool) -> None:
    assert is_source_name(name) == is_one
